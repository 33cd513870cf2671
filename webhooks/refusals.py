"""Of a sender that was turned away: what is kept of the delivery, so that its owner can mend it, and how often."""

from collections.abc import Callable, Iterator, Mapping

from webhooks.credentials import HIDDEN, without_tokens
from webhooks.definition import SingleDefinition
from webhooks.definition.parts import expressions_in
from webhooks.verification.signature import Hmac
from webhooks.verification.standard_webhooks import ID, TIMESTAMP, StandardWebhooks

# Anybody can send them: this many of each webhook are kept by this process, and of all webhooks.
KEPT_A_MINUTE = 60
KEPT_A_DAY = 1_000
KEPT_A_DAY_OF_ALL = 20_000
MAX_VALUE_LENGTH = 300
MAX_HEADERS = 20
_MINUTE, _DAY = 60.0, 86_400.0
_COMMON = ("content-type", "user-agent")


class Refusals:
    """Counts those that are kept. `clock`: seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._day = -1
        self._kept: dict[str, int] = {}
        self._all = 0
        self._minute = -1
        self._in_minute: dict[str, int] = {}

    def keeps(self, webhook: str) -> bool:
        """Whether one more of this webhook is kept; then it is counted."""
        at = self._clock()
        if self._day != at // _DAY:
            self._day, self._kept, self._all = int(at // _DAY), {}, 0
        if self._minute != at // _MINUTE:
            self._minute, self._in_minute = int(at // _MINUTE), {}
        of_day, of_minute = self._kept.get(webhook, 0), self._in_minute.get(webhook, 0)
        if of_minute >= KEPT_A_MINUTE or of_day >= KEPT_A_DAY or self._all >= KEPT_A_DAY_OF_ALL:
            return False
        self._kept[webhook], self._in_minute[webhook] = of_day + 1, of_minute + 1
        self._all += 1
        return True


def headers_of_refused(definition: SingleDefinition | None, headers: Mapping[str, str]) -> dict[str, str]:
    """Those by which the definition verifies, hidden where they prove something, and those that tell what came."""
    hidden = definition.secret_headers if definition else frozenset()
    names = [*_COMMON, *_looked_at(definition)] if definition else _COMMON
    kept = {name: HIDDEN for name in sorted(hidden) if name in headers}
    for name in names:
        if name in headers and name not in hidden:
            kept[name] = without_tokens(headers[name])[:MAX_VALUE_LENGTH]
    return dict([*kept.items()][:MAX_HEADERS])


def query_of_refused(definition: SingleDefinition | None, query: Mapping[str, str]) -> dict[str, str]:
    """That a secret was there, and nothing else."""
    hidden = definition.secret_parameters if definition else frozenset()
    return {name: HIDDEN for name in sorted(hidden) if name in query}


def _looked_at(definition: SingleDefinition) -> Iterator[str]:
    for way in definition.verify:
        if isinstance(way, Hmac):
            yield from (name for name in (way.timestamp, way.id) if name)
        elif isinstance(way, StandardWebhooks):
            yield from (ID, TIMESTAMP)
    for expression in expressions_in((definition.event,)):
        yield from (path[1].lower() for path in expression.compiled.paths if path[0] == "headers" and len(path) > 1)
