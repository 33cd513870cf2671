"""ReopenIssue: it is not repaired after all."""

from dataclasses import dataclass

from resolvers.caller import Actor, Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.command import failure, name_issue, named_issue
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIssue:
    """Makes a resolved issue active again, unless another active issue has its fingerprint."""

    id: str

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue, and who else has its fingerprint."""
        id = name_issue(keys, self.id)
        if id:
            keys.second_round.append((id, lambda issue, keys: keys.fingerprints.add(issue.fingerprint)))

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CONFLICT names the issue that stands in the way."""
        issue = named_issue(found, caller, Permission.RESPOND, self.id, ("id",))
        if isinstance(issue, UserError):
            return failure(found, issue)
        if not issue.is_active:
            other = found.active(issue.fingerprint)
            if other:
                return failure(found, conflict(("id",), other))
            reopen(found, caller.actor, issue)
        return Outcome(position=found.end, issue_ids=(issue.id,))


def reopen(found: WorkingSet, actor: Actor, issue: IssueRow) -> IssueRow:
    """Makes a resolved issue active; what people edited and who acknowledged it stays."""
    after = issue._replace(
        state="ACTIVE", resolved_at=None, resolved_by_kind=None, resolved_by_id=None, resolved_by_name=None
    )
    return found.change("REOPENED", after, actor)


def conflict(field: tuple[str, ...], other: IssueRow) -> UserError:
    """Two active issues would have one fingerprint."""
    message = "another active issue has this scope and type"
    return UserError(code="CONFLICT", field=field, message=message, issue_id=other.id)
