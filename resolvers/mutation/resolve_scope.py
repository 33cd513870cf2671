"""ResolveScope: a tool saw a success."""

from dataclasses import dataclass

from resolvers.caller import Caller
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import check_may_report
from resolvers.mutation.fingerprint import has_parts
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.resolve_issues import resolve
from resolvers.mutation.rows import IssueRow, ScopeKey
from resolvers.mutation.values import PartValue
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveScope:
    """Resolves the active issues of one namespace on one scope that were not seen failing after `at`.

    `fingerprint`: only issues that have all these extra parts; an empty tuple: only those without any; None: all.
    Raises Invalid.
    """

    namespace: str
    resource_type: str
    resource_name: str
    # Defaults to the issues' namespace.
    resource_namespace: str | None = None
    issue_type: str | None = None
    fingerprint: tuple[PartValue, ...] | None = None
    at: str | None = None
    reason: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.issue_type(self.issue_type)
        checks.parts(self.fingerprint)
        checks.moment(("at",), self.at)
        checks.reason(self.reason)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the issues' namespace and in the scope's."""
        check_may_report(caller, self.namespace, self._scope.resource_namespace)

    def name_keys(self, keys: Keys) -> None:
        """The scope and the active issues on it."""
        keys.scopes.add(self._scope)
        keys.places.add((self.namespace, self._scope))

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Counts what it resolved."""
        issues = [issue for issue in found.active_on(self.namespace, self._scope) if self._repairs(issue)]
        for issue in issues:
            resolve(found, caller.actor, issue, at=self.at, reason=self.reason)
        return Outcome(position=found.end, issue_ids=tuple(issue.id for issue in issues), count=len(issues))

    @property
    def _scope(self) -> ScopeKey:
        return ScopeKey(self.resource_type, self.resource_name, self.resource_namespace or self.namespace)

    def _repairs(self, issue: IssueRow) -> bool:
        if self.issue_type is not None and issue.issue_type != self.issue_type:
            return False
        if self.at is not None and self.at < issue.last_detected_at:
            return False
        return has_parts(issue.fingerprint_parts, self.fingerprint)
