"""What Prometheus asks for: counters of this process since its start, read where they are counted.

The library is read at the first question: it would lengthen every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolvers.mutation.counts import Counts
from resolvers.mutation.writer import MAX_BATCH_COMMANDS
from resolvers.query.census import Census, Count
from web.asgi import Receive, Scope, Send, header, refuse, respond
from web.house import House
from web.route_counts import RouteCounts
from web.sockets import Sockets
from web.wire import Wires

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

# What a counted part tells: name, help, names of the labels, and the labels' values with the number.
Samples = Iterable[tuple[Sequence[str], float]]


@dataclass(frozen=True, slots=True)
class Measured:
    """All that counts; `webhooks` by (path, outcome)."""

    house: House
    sockets: Sockets
    wires: Wires
    counts: RouteCounts
    webhooks: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Metrics:
    """The ASGI callable of `/metrics`, in the text format that the caller wants."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._census = Census(measured.house.database)
        self._issues: Sequence[Count] = ()
        self._registry: CollectorRegistry | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", ((b"allow", b"GET, HEAD"),))
            return
        from prometheus_client.exposition import choose_encoder

        if self._registry is None:
            self._registry = self._new_registry()
        self._issues = await self._census.counts()
        encode, content_type = choose_encoder(header(scope, b"accept") or "")
        await respond(send, 200, encode(self._registry), content_type.encode())

    def _new_registry(self) -> CollectorRegistry:
        """One of the house's own: there may be several houses in a process."""
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.registry import Collector

        class OfHouse(Collector):
            def __init__(self, metrics: Metrics) -> None:
                self._metrics = metrics

            def collect(self) -> Iterator[Metric]:
                return self._metrics.collect()

        registry = CollectorRegistry()
        registry.register(OfHouse(self))
        ProcessCollector(registry=registry)
        return registry

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now. A test compares them with docs/operating.md."""
        measured = self._measured
        yield from _of_requests(measured.counts, measured.webhooks)
        replays = measured.house.webhooks.replays.outcomes
        yield _counter("replays", "What deliveries were that were done again", replays.items(), ("webhook", "outcome"))
        yield from _of_commands(measured.house.writer.counts)
        yield from _of_queries(measured.house)
        yield from _of_watching(measured.house, measured.sockets, measured.wires)
        yield from _of_waiting(measured.house)
        issues = ((found[:3], found[3]) for found in self._issues)
        yield _gauge("issues", "Issues, those of the smaller namespaces under none", issues, _OF_ISSUES)


_OF_ISSUES = ("namespace", "severity", "state")


def _of_requests(counts: RouteCounts, webhooks: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    requests = ((labels, times) for *labels, times in counts)
    yield _counter("requests", "Requests that were answered", requests, ("route", "outcome"))
    seconds = (((route,), total) for route, total in counts.seconds.items())
    yield _counter("requests_seconds", "How long answers took, streams as long as they were open", seconds, ("route",))
    yield _counter("deliveries", "What came of deliveries", webhooks.items(), ("webhook", "outcome"))


def _of_commands(counts: Counts) -> Iterator[Metric]:
    from prometheus_client.core import HistogramMetricFamily

    yield _counter("commands", "Commands that were answered", counts.commands.items(), ("kind", "outcome"))
    sizes = HistogramMetricFamily("issuegraph_batch_commands", "Commands that were committed together")
    buckets, sum_of = [], 0
    for power in range((MAX_BATCH_COMMANDS - 1).bit_length() + 1):
        sum_of += counts.batches[power]
        buckets.append((str(float(2**power)), float(sum_of)))
    sizes.add_metric([], [*buckets, ("+Inf", float(sum_of))], counts.batched)
    yield sizes
    yield _counter("events", "Lines that were written to the log", _one(counts.events))


def _of_queries(house: House) -> Iterator[Metric]:
    planner = house.planner
    for name, what, kept in (
        ("documents", "GraphQL documents that were read and validated", planner.documents.kept),
        ("plans", "plans of operations", planner.plans.kept),
    ):
        yield _counter(f"{name}_hits", f"How often {what} were used again", _one(kept.hits))
        yield _counter(f"{name}_misses", f"How often {what} had to be made", _one(kept.misses))
        yield _gauge(f"{name}_kept", f"How many {what} are kept", _one(len(kept)))
    unplannable = "How many fields were refused as UNPLANNABLE: mistakes of issuegraph"
    yield _counter("unplannable", unplannable, _one(planner.plans.unplannable))
    yield _counter("timeouts", "How many fields ended as TIMEOUT", _one(planner.timeouts))


def _of_watching(house: House, sockets: Sockets, wires: Wires) -> Iterator[Metric]:
    arrive = "Whether wake-ups of other processes arrive (1) or the log is only looked at every second (0)"
    yield _gauge("wakeups_connected", arrive, _one(float(house.wakeups.status.connected)))
    yield _gauge("tailer_lag_seconds", "Since when the log was not read to its end", _one(house.tailer.lag_seconds))
    yield _gauge("subscribers", "How many subscriptions are open", _one(house.streams.subscribers))
    yield _gauge("groups", "How many different subscriptions there are among them", _one(house.streams.groups))
    yield _gauge("sockets", "How many WebSockets are open", _one(len(sockets)))
    unread = "Bytes that are there for clients which have not read them yet"
    yield _gauge("unread_bytes", unread, _one(wires.unread.held))
    buffered = "Bytes of results that subscribers have yet to take"
    yield _gauge("buffered_bytes", buffered, _one(house.streams.frames.held))
    stalled = "How many WebSockets were closed because their client took nothing, or too slowly"
    yield _counter("sockets_stalled", stalled, _one(wires.stalled))
    stalled = "How many HTTP answers were cut because their client took nothing, or too slowly"
    yield _counter("answers_stalled", stalled, _one(wires.stalled_answers))


def _of_waiting(house: House) -> Iterator[Metric]:
    commands, size = house.writer.waiting
    yield _gauge("waiting_commands", "Commands that wait to be written", _one(commands))
    yield _gauge("waiting_bytes", "Bytes that the commands that wait have together", _one(size))
    answers = "Bytes of large answers that are being made"
    yield _gauge("answers_bytes", answers, _one(house.planner.answers.held))
    running, waiting = house.database.reads
    yield _gauge("readers", "Readers of the database that are in use", _one(running))
    yield _gauge("waiting_reads", "Reads that wait for a reader", _one(waiting))


def _one(value: float) -> Samples:
    return [((), value)]


def _counter(name: str, help: str, samples: Samples, labels: Sequence[str] = ()) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"issuegraph_{name}", help, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _gauge(name: str, help: str, samples: Samples, labels: Sequence[str] = ()) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"issuegraph_{name}", help, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family
