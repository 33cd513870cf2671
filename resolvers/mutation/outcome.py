"""What a command answers once it is committed."""

from dataclasses import dataclass

from resolvers.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, and what of it could not be done (`errors`).

    `position` is where the change stands in the log, or the end of the log when nothing changed.
    """

    position: int
    # The entities, in the order that they were named.
    issue_ids: tuple[str, ...] = ()
    # CreateIssue: CREATED, UPDATED, REOPENED or UNCHANGED.
    action: str | None = None
    relation_id: str | None = None
    # RelateIssues: False when the relation was there already.
    created: bool = True
    # ResolveScope: issues resolved; UnrelateIssues: relations removed.
    count: int = 0
    errors: tuple[UserError, ...] = ()
