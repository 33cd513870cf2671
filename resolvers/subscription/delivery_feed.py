"""Deliveries as they are kept or done again: what `deliveryEvents` follows, in one order with the log."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Any

from resolvers.caller import Caller
from resolvers.query import Operation
from resolvers.subscription.tailer import Page, Tailer
from resolvers.webhooks.history import DeliveryWhere, History, KeptDelivery, delivery_where

PAGE_DELIVERIES = 100
# Of their bodies together, but for the first: who wants them is told of no more at once than an answer may have.
PAGE_BYTES = 3_000_000

# The ExecutionResult of some deliveries, and how far was read.
Render = Callable[[Operation, Caller, Sequence[KeptDelivery], int], Awaitable[dict[str, Any]]]


class DeliveryFeed:
    """Finds the deliveries of a subscription, and renders them as it selects them."""

    def __init__(self, history: History, render: Render) -> None:
        self.history = history
        self.render = render

    def tail(self, tailer: Tailer, caller: Callable[[], Caller], arguments: Any) -> "DeliveryTail":
        """What one group follows; `caller` tells for whom, who all may do the same."""
        where = arguments.get("where") or {}
        narrowed = delivery_where(where.get("webhook"), where.get("outcome"), where.get("receivedAt"))
        return DeliveryTail(tailer, self.history, caller, narrowed)


class DeliveryTail:
    """Stands in for the tailer: the same positions, and deliveries in the place of lines."""

    def __init__(self, tailer: Tailer, history: History, caller: Callable[[], Caller], where: DeliveryWhere) -> None:
        self._tailer = tailer
        self._history = history
        self._caller = caller
        self._where = where

    @property
    def position(self) -> int:
        """How far the log was read."""
        return self._tailer.position

    def followed(self) -> AbstractContextManager[None]:
        """See Tailer."""
        return self._tailer.followed()

    async def moved_past(self, position: int) -> None:
        """See Tailer."""
        await self._tailer.moved_past(position)

    async def page(self, after: int, upto: int) -> Page:
        """The deliveries after `after`, none after `upto`. Raises Unavailable."""
        found = await self._history.since(self._caller(), after, upto, PAGE_DELIVERIES)
        at_once = sum(size <= PAGE_BYTES for size in accumulate(delivery.body_bytes for delivery in found))
        told = found[: max(1, at_once)]
        is_last = len(told) == len(found) < PAGE_DELIVERIES
        position = upto if is_last else told[-1].position
        return Page([delivery for delivery in told if self._where.holds(delivery)], position)
