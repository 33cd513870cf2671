"""ResolveScope: a tool saw a success."""

from dataclasses import dataclass

from resolvers.mutation.checks import Checks
from resolvers.mutation.values import PartValue


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
        checks.reason(self.reason)
        checks.idempotency_key(self.idempotency_key)
        checks.done()
