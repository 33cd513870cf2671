"""What a command answers once it is committed."""

from dataclasses import dataclass, field, fields
from typing import NamedTuple

import orjson

from resolvers.errors import UserError
from resolvers.mutation.rows import IssueRow, RelationRow


class LeftIssue(NamedTuple):
    """An issue as a command left it: its row, and its relations, oldest first, with the issues at the other ends."""

    row: IssueRow
    relations: tuple[tuple[RelationRow, IssueRow], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, and what of it could not be done (`errors`).

    `position` is where the change stands in the log, or the end of the log when nothing changed.
    """

    position: int
    # The entities, in the order that they were named.
    issue_ids: tuple[str, ...] = ()
    # What reports: CREATED, UPDATED, REOPENED, UNCHANGED; of another tracker also RESOLVED, IGNORED.
    action: str | None = None
    relation_id: str | None = None
    # RelateIssues: False when the relation was there already.
    created: bool = True
    # ResolveScope: issues resolved; UnrelateIssues: relations removed.
    count: int = 0
    errors: tuple[UserError, ...] = ()
    # What `action` alone does not tell.
    message: str | None = None
    # CreateIssue: what became of the issue, if the writer knows all of it. Not kept.
    left: LeftIssue | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """For keeping; `from_json` reads it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "left"}
        if self.message is None:
            # The version before knows of none.
            del kept["message"]
        return orjson.dumps(kept).decode()

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """What `to_json` wrote."""
        values = orjson.loads(text)
        errors = tuple(UserError(**(error | {"field": tuple(error["field"])})) for error in values.pop("errors"))
        return cls(**(values | {"issue_ids": tuple(values["issue_ids"]), "errors": errors}))
