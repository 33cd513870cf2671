"""CreateIssue: a tool saw a failure."""

from dataclasses import dataclass
from datetime import timedelta

from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.values import LabelValue, LinkValue, PartValue


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIssue:
    """One report: makes an issue, or adds an occurrence to the active issue of the same fingerprint.

    `links` and `labels`: None keeps what is there, an empty tuple clears. `run_id` makes a repeat known.
    `reopen_within`: a resolved issue younger than that is reopened instead of a new one made.
    Raises Invalid.
    """

    namespace: str
    title: str
    description: str
    severity: str
    issue_type: str
    resource_type: str
    resource_name: str
    # Defaults to the issue's namespace.
    resource_namespace: str | None = None
    links: tuple[LinkValue, ...] | None = None
    labels: tuple[LabelValue, ...] | None = None
    detected_at: str | None = None
    source: str | None = None
    run_id: str | None = None
    fingerprint: tuple[PartValue, ...] = ()
    state: str = "ACTIVE"
    reopen_within: timedelta | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.filled(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.filled(("description",), self.description, limits.MAX_DESCRIPTION_LENGTH)
        checks.severity(self.severity)
        checks.issue_type(self.issue_type)
        checks.links(self.links)
        checks.labels(self.labels)
        checks.filled(("source",), self.source, limits.MAX_SOURCE_LENGTH)
        checks.filled(("runId",), self.run_id, limits.MAX_RUN_ID_LENGTH)
        checks.parts(self.fingerprint)
        checks.state(self.state)
        if self.reopen_within is not None and not timedelta() <= self.reopen_within <= limits.MAX_REOPEN_WITHIN:
            checks.error("INVALID", ("reopenWithin",), "reopenWithin must be between nothing and 366 days")
        checks.idempotency_key(self.idempotency_key)
        checks.done()
