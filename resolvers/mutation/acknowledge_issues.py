"""AcknowledgeIssue, AcknowledgeIssues and UnacknowledgeIssue: somebody has seen it, or has not after all."""

from dataclasses import dataclass

from resolvers.caller import Actor, Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue, named_issues
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeIssues:
    """Notes who has seen each issue first and when. Raises Invalid."""

    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        checks = Checks()
        checks.ids(self.ids)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issues tell."""

    def name_keys(self, keys: Keys) -> None:
        """The issues."""
        for id in self.ids:
            name_issue(keys, id)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Does those that can be done."""
        issues, errors = named_issues(found, caller, Permission.RESPOND, self.ids)
        for issue in issues:
            acknowledge(found, caller.actor, issue)
        return Outcome(position=found.end, issue_ids=tuple(issue.id for issue in issues), errors=errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeIssue:
    """The same of one issue."""

    id: str

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue."""
        name_issue(keys, self.id)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Who was first stays."""
        issue = named_issue(found, caller, Permission.RESPOND, self.id, ("id",))
        if isinstance(issue, UserError):
            return failure(found, issue)
        acknowledge(found, caller.actor, issue)
        return Outcome(position=found.end, issue_ids=(issue.id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacknowledgeIssue:
    """Forgets who has seen it."""

    id: str

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue."""
        name_issue(keys, self.id)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Nothing happens where nobody has seen it."""
        issue = named_issue(found, caller, Permission.RESPOND, self.id, ("id",))
        if isinstance(issue, UserError):
            return failure(found, issue)
        after = issue._replace(
            acknowledged_at=None, acknowledged_by_kind=None, acknowledged_by_id=None, acknowledged_by_name=None
        )
        found.change("UNACKNOWLEDGED", after, caller.actor)
        return Outcome(position=found.end, issue_ids=(issue.id,))


def acknowledge(found: WorkingSet, actor: Actor, issue: IssueRow, *, at: str | None = None) -> None:
    """Notes who has seen an issue, now or `at`; who was first stays."""
    if issue.acknowledged_at is not None:
        return
    after = issue._replace(
        acknowledged_at=found.told(at) or found.at,
        acknowledged_by_kind=actor.kind.value,
        acknowledged_by_id=actor.id,
        acknowledged_by_name=actor.name,
    )
    found.change("ACKNOWLEDGED", after, actor)
