"""`make bench-mixed`: watchers, webhooks and queries at once, at steady rates: what they take, what memory does."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.__main__ import machine, say
from tests.bench.questions import CONNECTION, PAGE
from tests.bench.servers import Cores, Failed, Running
from tests.bench.watch.__main__ import OTHER_FILES, allow_files
from tests.bench.watch.contestants import ON_POSTGRESQL, ON_SQLITE, WATCH
from tests.bench.watch.crowd import beside, memory, watching
from tests.bench.watch.databases import databases
from tests.bench.watch.steady import Kind
from tests.bench.watch.watchers import NUMBER

NAMESPACES = [f"team-{number:02}" for number in range(20)]
PIPELINES = 1_000
CONNECTIONS = 64
SUCCESSES = 0.1  # of all webhooks
SAMPLE_SECONDS = 1.0
MB = 1_000_000
SERVERS = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for: how many watch, and how many webhooks and queries come a second."""

    watchers: int
    webhooks: float
    queries: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of each kind of request, bytes of memory from second to second, the server's share of a core."""

    kinds: Mapping[str, Mapping[str, float]]
    messages_per_second: float
    memory: Sequence[int]
    cpu: float

    @property
    def early(self) -> float:
        """MB in the second fifth: when caches are warm."""
        fifth = max(1, len(self.memory) // 5)
        return statistics.median(self.memory[fifth : 2 * fifth] or self.memory) / MB

    @property
    def late(self) -> float:
        """MB in the last fifth."""
        return statistics.median(self.memory[-max(1, len(self.memory) // 5) :]) / MB


def main() -> None:
    """Runs as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-mixed", description=__doc__)
    parser.add_argument("--watchers", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument("--webhooks", type=float, default=2_000, help="a second (default: %(default)s)")
    parser.add_argument("--queries", type=float, default=200, help="a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=300, help="default: %(default)s")
    parser.add_argument("--database", choices=SERVERS, default="sqlite", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    load = Load(given.watchers, given.webhooks, given.queries, given.seconds)
    try:
        found = run(load, given.database, Cores.of_this_machine())
    except Failed as failure:
        sys.exit(f"the run failed: {failure}")
    command = " ".join(["make bench-mixed", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])])
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, `{command}`:\n")
    print(as_text(SERVERS[given.database].contestant.title, load, found))
    if given.json:
        given.json.write_text(json.dumps({"command": command, **asdict(load), **asdict(found)}, indent=2) + "\n")


def run(load: Load, database: str, cores: Cores) -> Found:
    """All of it at once. Raises Failed."""
    allow_files(load.watchers + CONNECTIONS + OTHER_FILES)
    documents = [WATCH.format(name="Watch").replace("watched", name) for name in NAMESPACES]
    with databases(cores) as places, places.started(SERVERS[database]) as server:
        say(f"{load.watchers:,} watchers are coming")
        with (
            watching(SERVERS[database], server, documents, load.watchers, cores) as crowd,
            beside(cores, "steady") as steady,
        ):
            say(f"{load.seconds:g} seconds of {load.webhooks:g} webhooks and {load.queries:g} queries a second")
            assert steady.stdin
            assert steady.stdout
            task = {"port": server.port, "kinds": [asdict(kind) for kind in kinds(load)], "seconds": load.seconds}
            cpu, begun = server.cpu_seconds(), time.monotonic()
            steady.stdin.write(json.dumps(task | {"connections": CONNECTIONS}) + "\n")
            steady.stdin.flush()
            samples = sampled(server, steady)
            said = json.loads(steady.stdout.readline() or '{"failure": "the clients are gone"}')
            if "failure" in said:
                raise Failed(said["failure"])
            elapsed = time.monotonic() - begun
            return Found(said, crowd.heard() / elapsed, samples, (server.cpu_seconds() - cpu) / elapsed)


def kinds(load: Load) -> list[Kind]:
    """The requests: each pipeline fails over and over, and sometimes succeeds."""
    names = [(NAMESPACES[number % len(NAMESPACES)], f"pipeline-{number}") for number in range(PIPELINES)]
    failures = [
        {"namespace": namespace, "pipelineName": name, "failureReason": "again", "runId": f"run-{NUMBER}"}
        for namespace, name in names
    ]
    successes = [{"namespace": namespace, "pipelineName": name} for namespace, name in names]
    queries = [
        {"query": document, "variables": {"namespace": namespace, "severity": "MAJOR", "first": 20}}
        for namespace in NAMESPACES
        for document in (PAGE, CONNECTION)
    ]
    path = "/api/v1/webhooks/pipeline-"
    return [
        Kind("failures", load.webhooks * (1 - SUCCESSES), f"{path}failure", [json.dumps(each) for each in failures]),
        Kind("successes", load.webhooks * SUCCESSES, f"{path}success", [json.dumps(each) for each in successes]),
        Kind("queries", load.queries, "/graphql", [json.dumps(each) for each in queries]),
    ]


def sampled(server: Running, until: subprocess.Popen[str]) -> list[int]:
    """The server's memory from second to second, while the process runs."""
    samples = []
    while until.poll() is None:
        samples.append(memory(server))
        time.sleep(SAMPLE_SECONDS)
    return samples


def as_text(title: str, load: Load, found: Found) -> str:
    """Markdown."""
    asked = {kind.name: kind.rate for kind in kinds(load)}
    lines = [f"**{title}: {load.watchers:,} watchers, {load.seconds:g} seconds**", ""]
    lines += ["| | asked a second | answered a second | p50 ms | p99 ms |", "|---|---|---|---|---|"]
    for name, each in found.kinds.items():
        lines.append(
            f"| {name} | {asked[name]:,.0f} | {each['per_second']:,.0f} | {each['p50']:,.1f} | {each['p99']:,.1f} |"
        )
    lines += ["", f"{found.messages_per_second:,.0f} messages/s reached the watchers, "]
    lines[-1] += f"the server was busy for {found.cpu:.0%} of a core."
    lines.append(f"Its memory: {found.early:.0f} MB in the second fifth of the time, {found.late:.0f} MB in the last.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
