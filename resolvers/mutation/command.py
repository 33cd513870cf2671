"""What every command can do, and what several of them need."""

from typing import Protocol

from models.values import parse_id
from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, UserError
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.working_set import WorkingSet


class Command(Protocol):
    """A frozen dataclass that was valid when it was made."""

    def check(self, caller: Caller) -> None:
        """Raises Forbidden for what the command's own values tell."""
        ...

    def name_keys(self, keys: Keys) -> None:
        """Adds what `decide` will ask the working set for."""
        ...

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Does it on the working set.

        Asks for everything before it changes anything, so that NotRead and Forbidden leave no half of it.
        """
        ...


def check_may_report(caller: Caller, *namespaces: str) -> None:
    """Raises Forbidden where the caller has not REPORT."""
    for namespace in namespaces:
        if not caller.may(Permission.REPORT, namespace):
            raise Forbidden(f"no permission to report in namespace {namespace}")


def named_issue(
    found: WorkingSet,
    caller: Caller,
    permission: Permission,
    id: str,
    field: tuple[str, ...],
    *,
    only_in: str | None = None,
) -> IssueRow | UserError:
    """The issue that a command names, or NOT_FOUND where the caller may not know it.

    Raises Forbidden, also for one that is not in the namespace `only_in`.
    """
    canonical = parse_id(id)
    issue = found.issues.get(canonical) if canonical else None
    if issue:
        if caller.may(permission, issue.namespace):
            if only_in not in (None, issue.namespace):
                raise Forbidden(f"the issue is not in namespace {only_in}")
            return issue
        if caller.may(Permission.READ, issue.namespace):
            raise Forbidden(f"no permission to {permission.lower()} in namespace {issue.namespace}")
    return UserError(code="NOT_FOUND", field=field, message="there is no such issue")


def named_issues(
    found: WorkingSet, caller: Caller, permission: Permission, ids: tuple[str, ...]
) -> tuple[list[IssueRow], tuple[UserError, ...]]:
    """The issues that a command lists, each once, and an error with its index for every other. Raises Forbidden."""
    answers = [named_issue(found, caller, permission, id, ("ids", str(index))) for index, id in enumerate(ids)]
    issues = {answer.id: answer for answer in answers if isinstance(answer, IssueRow)}
    return list(issues.values()), tuple(answer for answer in answers if isinstance(answer, UserError))


def failure(found: WorkingSet, *errors: UserError) -> Outcome:
    """Nothing was done."""
    return Outcome(position=found.end, errors=errors)


def name_issue(keys: Keys, id: str) -> str | None:
    """Asks for an issue by the id that a caller sent; the id as rows have it, if it is one."""
    canonical = parse_id(id)
    if canonical:
        keys.issue_ids.add(canonical)
    return canonical
