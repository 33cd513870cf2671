"""What Prometheus asks for: counters of this process since its start.

The library is read at the first question: it would lengthen every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from web.asgi import Receive, Scope, Send, header, refuse, respond
from web.house import House
from web.sockets import Sockets
from web.wire import Wires

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class Metrics:
    """The ASGI callable of `/metrics`, in the text format that the caller wants."""

    def __init__(self, house: House, sockets: Sockets, wires: Wires) -> None:
        self._house = house
        self._sockets = sockets
        self._wires = wires
        self._registry: CollectorRegistry | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", ((b"allow", b"GET, HEAD"),))
            return
        from prometheus_client.exposition import choose_encoder

        if self._registry is None:
            self._registry = _registry(self._counted)
        encode, content_type = choose_encoder(header(scope, b"accept") or "")
        await respond(send, 200, encode(self._registry), content_type.encode())

    def _counted(self) -> Iterator[Metric]:
        yield from _counted(self._house)
        yield from _counted_of_sockets(self._sockets, self._wires)


def _registry(counted: Callable[[], Iterator[Metric]]) -> CollectorRegistry:
    """One of the house's own: there may be several houses in a process."""
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.registry import Collector

    class OfHouse(Collector):
        def collect(self) -> Iterator[Metric]:
            return counted()

    registry = CollectorRegistry()
    registry.register(OfHouse())
    ProcessCollector(registry=registry)
    return registry


def _counted(house: House) -> Iterator[Metric]:
    """The counters, read where they are counted."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    planner = house.planner
    for name, what, kept in (
        ("documents", "GraphQL documents that were read and validated", planner.documents.kept),
        ("plans", "plans of operations", planner.kept_plans),
    ):
        yield CounterMetricFamily(f"issuegraph_{name}_hits", f"How often {what} were used again", kept.hits)
        yield CounterMetricFamily(f"issuegraph_{name}_misses", f"How often {what} had to be made", kept.misses)
        yield GaugeMetricFamily(f"issuegraph_{name}_kept", f"How many {what} are kept", len(kept))
    unplannable = "How many fields were refused as UNPLANNABLE: mistakes of issuegraph"
    yield CounterMetricFamily("issuegraph_unplannable", unplannable, planner.unplannable)
    yield CounterMetricFamily("issuegraph_timeouts", "How many fields ended as TIMEOUT", planner.timeouts)
    arrive = "Whether wake-ups of other processes arrive (1) or the log is only looked at every second (0)"
    yield GaugeMetricFamily("issuegraph_wakeups_connected", arrive, float(house.wakeups.status.connected))


def _counted_of_sockets(sockets: Sockets, wires: Wires) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    yield GaugeMetricFamily("issuegraph_sockets", "How many WebSockets are open", len(sockets))
    stalled = "How many WebSockets were closed because their client took nothing"
    yield CounterMetricFamily("issuegraph_sockets_stalled", stalled, wires.stalled)
