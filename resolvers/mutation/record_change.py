"""RecordChange: somebody has committed something, or wants it merged."""

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


@dataclass(frozen=True, kw_only=True)
class RecordChange:
    """One change as a tool tells it now, in the place of what it told before by the same id.

    `kind`: the tool's word for it, lower case (commit, pull_request); `sha`: what deployments name it by; `system`: of
    which of the tool's systems the id is. Raises Invalid.
    """

    namespace: str
    source: str
    kind: str
    external_id: str
    system: str = ""
    sha: str = ""
    repository: str = ""
    title: str = ""
    url: str = ""
    author: str = ""
    status: str = ""
    base_ref: str = ""
    head_ref: str = ""
    authored_at: str | None = None
    merged_at: str | None = None
    closed_at: str | None = None
    labels: tuple[LabelValue, ...] = ()
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.recorded(self.namespace, self.source, self.system, self.external_id)
        checks.filled(("kind",), self.kind, limits.MAX_WORD_LENGTH)
        checks.text(("sha",), self.sha, limits.MAX_EXTERNAL_ID_LENGTH)
        for name in ("repository", "url", "base_ref", "head_ref"):
            checks.text((name,), getattr(self, name), limits.MAX_LINK_URL_LENGTH)
        checks.text(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.text(("author",), self.author, limits.MAX_TITLE_LENGTH)
        checks.text(("status",), self.status, limits.MAX_WORD_LENGTH)
        checks.moment(("authoredAt",), self.authored_at)
        checks.moment(("mergedAt",), self.merged_at)
        checks.moment(("closedAt",), self.closed_at)
        checks.labels(self.labels)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the namespace."""
        check_may_report(caller, self.namespace)

    def name_keys(self, keys: Keys) -> None:
        """The change."""
        keys.changes.add(self._key)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CREATED, UPDATED or UNCHANGED."""
        labels = orjson.dumps(self.labels).decode()
        values = {**told(self, "labels", "idempotency_key"), "key": self._key, "labels": labels}
        return Outcome(position=found.end, action=found.records.put_change(values, found.at))

    @cached_property
    def _key(self) -> str:
        return key_of(self.namespace, self.source, self.system, self.kind, self.external_id)
