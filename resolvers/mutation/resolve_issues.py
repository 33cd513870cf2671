"""ResolveIssue and ResolveIssues: somebody says that it is repaired."""

from dataclasses import dataclass

from models.values import parse_id
from resolvers.caller import Actor, Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue, named_issues
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIssues:
    """Resolves each issue that is not resolved yet, at `at` or now; `reason` goes into the log. Raises Invalid."""

    ids: tuple[str, ...]
    at: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.ids(self.ids)
        checks.moment(("at",), self.at)
        checks.reason(self.reason)
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
        resolved: list[str] = []
        for issue in issues:
            if _is_too_early(self.at, issue):
                index = next(place for place, id in enumerate(self.ids) if parse_id(id) == issue.id)
                errors += (_too_early("ids", str(index)),)
            else:
                resolve(found, caller.actor, issue, at=self.at, reason=self.reason)
                resolved.append(issue.id)
        return Outcome(position=found.end, issue_ids=tuple(resolved), errors=errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIssue:
    """The same of one issue, if it is in the namespace `only_in`. Raises Invalid."""

    id: str
    only_in: str | None = None
    at: str | None = None
    reason: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.moment(("at",), self.at)
        checks.reason(self.reason)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue."""
        name_issue(keys, self.id)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """A resolved issue stays as it is."""
        issue = named_issue(found, caller, Permission.RESPOND, self.id, ("id",), only_in=self.only_in)
        if isinstance(issue, UserError):
            return failure(found, issue)
        if _is_too_early(self.at, issue):
            return failure(found, _too_early("at"))
        resolve(found, caller.actor, issue, at=self.at, reason=self.reason)
        return Outcome(position=found.end, issue_ids=(issue.id,))


def _is_too_early(at: str | None, issue: IssueRow) -> bool:
    return at is not None and issue.is_active and at < issue.detected_at


def _too_early(*field: str) -> UserError:
    return UserError(code="INVALID", field=field, message="the issue was detected after the time it was resolved at")


def resolve(
    found: WorkingSet, actor: Actor, issue: IssueRow, *, at: str | None = None, reason: str | None = None
) -> IssueRow:
    """Resolves an active issue at `at` or now, but not before it was detected; leaves a resolved one alone.

    At a time to come, what fails until then would change nothing.
    """
    if not issue.is_active:
        return issue
    after = issue._replace(
        state="RESOLVED",
        resolved_at=found.told(at) or max(found.at, issue.detected_at),
        resolved_by_kind=actor.kind.value,
        resolved_by_id=actor.id,
        resolved_by_name=actor.name,
    )
    told = () if reason is None else ({"field": "reason", "old": None, "new": reason},)
    return found.change("RESOLVED", after, actor, *told)
