"""AcknowledgeScope: somebody told a tool that they are on it."""

from dataclasses import dataclass

from resolvers.caller import Caller
from resolvers.mutation.acknowledge_issues import acknowledge
from resolvers.mutation.on_scope import OnScope
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.values import PartValue
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeScope(OnScope):
    """Acknowledges the active issues of one namespace on one scope that were there at `at`; who was first stays.

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
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = self._checks()
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Counts those that it is about, acknowledged before or not."""
        issues = self._issues(found, lambda issue: issue.detected_at)
        for issue in issues:
            acknowledge(found, caller.actor, issue, at=self.at)
        return Outcome(position=found.end, issue_ids=tuple(issue.id for issue in issues), count=len(issues))
