"""RecordDeployment: a tool has put something somewhere, or has tried to."""

from dataclasses import dataclass
from functools import cached_property

import orjson

from resolvers.caller import Caller
from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import check_may_report
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.records import key_of, told
from resolvers.mutation.values import LabelValue
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedChange:
    """A change that a deployment brought: a commit, or what a tool calls it by."""

    sha: str
    repository: str = ""
    ref_name: str = ""
    title: str = ""
    message: str = ""
    result: str = ""
    requested_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordDeployment:
    """One deployment as a tool tells it now, in the place of what it told before by the same id.

    `system`: of which of the tool's systems the id is; `environment` and `result` in the tool's words. Raises Invalid.
    """

    namespace: str
    source: str
    external_id: str
    system: str = ""
    name: str = ""
    title: str = ""
    environment: str = ""
    result: str = ""
    requested_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    labels: tuple[LabelValue, ...] = ()
    changes: tuple[DeployedChange, ...] = ()
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.recorded(self.namespace, self.source, self.system, self.external_id)
        checks.text(("name",), self.name, limits.MAX_TITLE_LENGTH)
        checks.text(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.text(("environment",), self.environment, limits.MAX_WORD_LENGTH)
        checks.text(("result",), self.result, limits.MAX_WORD_LENGTH)
        _check_times(checks, (), self)
        checks.labels(self.labels)
        if len(self.changes) > limits.MAX_DEPLOYED_CHANGES:
            checks.error("TOO_MANY", ("changes",), f"changes may have {limits.MAX_DEPLOYED_CHANGES} items at most")
        for index, change in enumerate(self.changes[: limits.MAX_DEPLOYED_CHANGES]):
            field = ("changes", str(index))
            checks.filled((*field, "sha"), change.sha, limits.MAX_EXTERNAL_ID_LENGTH)
            for name in ("repository", "ref_name", "title"):
                checks.text((*field, name), getattr(change, name), limits.MAX_LINK_URL_LENGTH)
            checks.text((*field, "message"), change.message, limits.MAX_REASON_LENGTH)
            checks.text((*field, "result"), change.result, limits.MAX_WORD_LENGTH)
            _check_times(checks, field, change)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the namespace."""
        check_may_report(caller, self.namespace)

    def name_keys(self, keys: Keys) -> None:
        """The deployment."""
        keys.deployments.add(self._key)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CREATED, UPDATED or UNCHANGED."""
        values = {
            **told(self, "labels", "changes", "idempotency_key"),
            "key": self._key,
            "labels": orjson.dumps(self.labels).decode(),
        }
        action = found.records.put_deployment(values, map(told, self.changes), found.at)
        return Outcome(position=found.end, action=action)

    @cached_property
    def _key(self) -> str:
        return key_of(self.namespace, self.source, self.system, self.external_id)


def _check_times(checks: Checks, field: tuple[str, ...], value: RecordDeployment | DeployedChange) -> None:
    checks.moment((*field, "requestedAt"), value.requested_at)
    checks.moment((*field, "startedAt"), value.started_at)
    checks.moment((*field, "finishedAt"), value.finished_at)
