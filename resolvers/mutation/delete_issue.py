"""DeleteIssue: it should never have been there."""

from dataclasses import dataclass

from resolvers.caller import Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteIssue:
    """Removes an issue, if it is in the namespace `only_in`, with its relations; its log stays. Raises Invalid."""

    id: str
    only_in: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue and its relations."""
        id = name_issue(keys, self.id)
        if id:
            keys.related_ids.add(id)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """The relations first: their lines tell of an issue that is still there."""
        issue = named_issue(found, caller, Permission.MANAGE, self.id, ("id",), only_in=self.only_in)
        if isinstance(issue, UserError):
            return failure(found, issue)
        for relation in found.relations_of(issue.id):
            found.unrelate(relation, caller.actor)
        found.delete(issue, caller.actor)
        return Outcome(position=found.end, issue_ids=(issue.id,))
