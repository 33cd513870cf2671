"""ResolveScope: a tool saw a success."""

from dataclasses import dataclass

from resolvers.caller import Caller
from resolvers.mutation.keys import Keys
from resolvers.mutation.on_scope import OnScope
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.resolve_issues import resolve
from resolvers.mutation.successes import place_of, success_key
from resolvers.mutation.values import PartValue
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveScope(OnScope):
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
        checks = self._checks()
        checks.reason(self.reason)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def name_keys(self, keys: Keys) -> None:
        """The scope and the active issues on it; one that has a time is remembered."""
        OnScope.name_keys(self, keys)
        if self.at is not None:
            self.name_success(keys)

    def name_success(self, keys: Keys) -> None:
        """It is to be remembered that it went well: a failure from before, told later, is over then."""
        keys.successes.add(success_key(place_of(self.namespace, self._scope), self.issue_type, self.fingerprint))

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Counts what it resolved."""
        issues = self._issues(found, lambda issue: issue.last_detected_at)
        for issue in issues:
            resolve(found, caller.actor, issue, at=self.at, reason=self.reason)
        at = min(self.at or found.at, found.at)
        found.successes.tell(place_of(self.namespace, self._scope), self.issue_type, self.fingerprint, at)
        return Outcome(position=found.end, issue_ids=tuple(issue.id for issue in issues), count=len(issues))
