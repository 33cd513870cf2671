"""What a command about the active issues on one scope does alike, whatever becomes of them."""

from collections.abc import Callable

from resolvers.caller import Caller
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import check_may_report
from resolvers.mutation.keys import Keys
from resolvers.mutation.rows import IssueRow, ScopeKey
from resolvers.mutation.values import PartValue
from resolvers.mutation.working_set import WorkingSet


class OnScope:
    """Has no fields of its own: their order is part of what an idempotency key is remembered with."""

    __slots__ = ()

    namespace: str
    resource_type: str
    resource_name: str
    resource_namespace: str | None
    issue_type: str | None
    fingerprint: tuple[PartValue, ...] | None
    at: str | None

    def check(self, caller: Caller) -> None:
        """REPORT in the issues' namespace and in the scope's: it comes from a tool, as what it is about."""
        check_may_report(caller, self.namespace, self._scope.resource_namespace)

    def name_keys(self, keys: Keys) -> None:
        """The scope and the active issues on it."""
        keys.scopes.add(self._scope)
        keys.places.add((self.namespace, self._scope))

    def _checks(self) -> Checks:
        """Those of what it is about; the rest, and that it is done, is the command's to say."""
        checks = Checks()
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.issue_type(self.issue_type)
        checks.parts(self.fingerprint)
        checks.moment(("at",), self.at)
        return checks

    def _issues(self, found: WorkingSet, since: Callable[[IssueRow], str]) -> list[IssueRow]:
        """The active issues that it is about; those `since` a moment after `at` are not."""
        return [
            issue
            for issue in found.active_on(self.namespace, self._scope, self.fingerprint)
            if self.issue_type in (None, issue.issue_type) and (self.at is None or self.at >= since(issue))
        ]

    @property
    def _scope(self) -> ScopeKey:
        return ScopeKey(self.resource_type, self.resource_name, self.resource_namespace or self.namespace)
