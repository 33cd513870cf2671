"""One fault's scene: servers, load, watchers; and the count of what came of every report and every event."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.database import Database
from tests.faults.load import Load, Told
from tests.faults.watch import FILTERS, Watcher
from tests.resolvers.mutation.house import House
from tests.resolvers.mutation.replay import rebuilt, tables
from tests.serving import Server

CATCH_UP_SECONDS = 40.0
ALL_KEPT = "1000000"


@dataclass
class Counts:
    """What a fault did: reports on the left, events at the watchers on the right."""

    acknowledged: int = 0
    found: int = 0
    lost: int = 0
    repeated: int = 0
    unanswered: int = 0
    refused: int = 0
    events: int = 0
    missed: int = 0
    twice: int = 0
    resumed: int = 0

    def told(self) -> dict[str, int]:
        """By the words above."""
        return asdict(self)


class Scene:
    """Servers on one database, with a load and watchers on each."""

    def __init__(self, url: str, servers: list[Server]) -> None:
        self.url = url
        self.servers = servers
        self.watchers: list[Watcher] = []
        self.loads: list[Load] = []
        self.log: list[dict[str, Any]] = []  # as it was when everything had settled
        self._begun = 0

    @property
    def server(self) -> Server:
        """The first one."""
        return self.servers[0]

    async def begin(self, *, ports: Sequence[int] | None = None, **load: Any) -> Load:
        """A load on these servers or all, after watchers of every filter at every server if there are none."""
        if not self.watchers:
            await self.watch(*(Watcher(server.port, each) for server in self.servers for each in FILTERS.values()))
        self._begun += 1
        made = Load(ports or [server.port for server in self.servers], name=f"load-{self._begun}", **load)
        self.loads.append(made)
        return made

    async def watch(self, *watchers: Watcher) -> None:
        """Returns when they follow."""
        self.watchers += watchers
        async with asyncio.timeout(CATCH_UP_SECONDS):
            await asyncio.gather(*(watcher.began() for watcher in watchers))

    async def settle(self) -> Counts:
        """Ends the load, waits for the watchers, and counts. Asserts that nothing is missing or too much."""
        for load in self.loads:
            await load.stop()
        self.log = log = await self._log()
        until = time.monotonic() + CATCH_UP_SECONDS
        while any(len(watcher.seen) < len(_expected(watcher, log)) for watcher in self.watchers):
            for watcher in self.watchers:
                watcher.look()
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.05)
        counts = Counts()
        await self._count_reports(counts, log)
        self._count_events(counts, log)
        assert (counts.lost, counts.repeated, counts.missed, counts.twice) == (0, 0, 0, 0), counts
        assert counts.acknowledged
        assert counts.events
        for server in self.servers:
            assert "Traceback" not in server.log(), server.log()
        return counts

    def lags(self, watcher: Watcher, load: Load) -> list[tuple[float, float]]:
        """Of each acknowledged report: when (of the monotonic clock), and how much later the watcher saw it."""
        told = load.acknowledged
        return [
            (told[marker].at, watcher.seen_at[position] - told[marker].at)
            for position, _, marker in _markers(self.log)
            if marker in told and position in watcher.seen_at and told[marker].action != "unchanged"
        ]

    def markers(self) -> list[str]:
        """Of every report in the log, in order."""
        return [marker for _, _, marker in _markers(self.log)]

    async def _log(self) -> list[dict[str, Any]]:
        database = Database(self.url)
        try:
            return await House(database, None).log()
        finally:
            await database.close()

    async def _count_reports(self, counts: Counts, log: list[dict[str, Any]]) -> None:
        database = Database(self.url)
        try:
            found = await tables(House(database, None))
        finally:
            await database.close()
        # Row for row what the log tells, and at no moment two active issues of one fingerprint.
        told_by_log = rebuilt(log)
        for name, rows in found.items():
            assert told_by_log[name] == rows, name
        in_log = Counter(marker for _, _, marker in _markers(log))
        in_table = Counter(row["run_id"] for row in found["occurrence"].values())
        issue_of = {marker: issue_id for _, issue_id, marker in _markers(log)}
        for load in self.loads:
            counts.acknowledged += len(load.acknowledged)
            counts.unanswered += len(load.unanswered)
            counts.refused += load.refused
            for marker, told in load.acknowledged.items():
                is_there = in_log[marker] and in_table[marker] and _is_of(told, issue_of[marker])
                counts.found += bool(is_there)
                counts.lost += not is_there
        counts.repeated = sum(count - 1 for times in (in_log, in_table) for count in times.values())
        resolved = sum(line["kind"] == "RESOLVED" for line in log)
        surely = sum(load.resolved for load in self.loads)
        assert surely <= resolved <= surely + sum(load.unanswered_successes for load in self.loads)

    def _count_events(self, counts: Counts, log: list[dict[str, Any]]) -> None:
        for watcher in self.watchers:
            expected = _expected(watcher, log)
            counts.events += len(watcher.seen)
            counts.missed += len(set(expected) - set(watcher.seen))
            counts.twice += len(watcher.seen) - len(set(watcher.seen))
            counts.resumed += watcher.connections - 1
            if not counts.missed and not counts.twice:
                # In order, and nothing else.
                assert watcher.seen == expected


def _is_of(told: Told, issue_id: str) -> bool:
    # A report that was known is answered with the issue as it is now, which may be a later one.
    return told.action == "unchanged" or told.issue_id == issue_id


def _expected(watcher: Watcher, log: list[dict[str, Any]]) -> list[tuple[int, str]]:
    lines = ((line["position"], watcher.filter.match(line)) for line in log if line["position"] > watcher.begin)
    return [(position, match) for position, match in lines if match]


def _markers(log: list[dict[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """Position, issue and run of every report; its reason says the same."""
    for line in log:
        for change in line["changes"]:
            if change["field"] == "occurrences":
                marker = change["new"]["runId"]
                assert f": {marker} " in change["new"]["description"]
                yield line["position"], line["issue_id"], marker


@asynccontextmanager
async def scene(url: str, directory: Path, *, replicas: int = 1, **settings: str):
    """Servers that run, until the end of the block; then everything is stopped."""
    servers = [Server(url, directory, OCCURRENCES_KEPT=ALL_KEPT, **settings) for _ in range(replicas)]
    made = Scene(url, servers)
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        yield made
    finally:
        for load in made.loads:
            await load.end()
        try:
            await asyncio.gather(*(watcher.stop() for watcher in made.watchers))
        finally:
            await asyncio.gather(*(asyncio.to_thread(server.stop) for server in servers))
