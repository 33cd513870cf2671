"""`make bench-watch`: fan-out to many sockets, server by server in turn; prints tables and, with --json, JSON."""

import argparse
import json
import resource
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.__main__ import machine, say
from tests.bench.servers import Cores, Failed
from tests.bench.watch.contestants import ALL, Watched, documents, on_replicas
from tests.bench.watch.crowd import Arrival, Crowd, Measured, watching
from tests.bench.watch.databases import Databases, databases
from tests.bench.watch.report import AtRest, Cell, Report, as_json, as_text

WARM_UP_SECONDS = 0.5
REST_PAUSE_SECONDS = 0.02
# Files that a process has open beside its sockets.
OTHER_FILES = 200


def main() -> None:
    """Runs the benchmark as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-watch", description=__doc__)
    names = [watched.name for watched in ALL]
    parser.add_argument("--sockets", type=int, nargs="+", default=[100, 1_000, 5_000], help="default: %(default)s")
    parser.add_argument("--documents", type=int, nargs="+", default=[1, 50], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these contestants", metavar="NAME")
    parser.add_argument("--rest", type=int, default=500, help="events to a server at rest (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    try:
        report = run([each for each in ALL if each.name in given.only], Cores.of_this_machine(), given)
    except Failed as failure:
        sys.exit(f"the run failed: {failure}")
    print(as_text(report))
    if given.json:
        given.json.write_text(json.dumps(as_json(report), indent=2) + "\n")


def run(contestants: Sequence[Watched], cores: Cores, given: Any) -> Report:
    """All settings, all rounds. Raises Failed."""
    allow_files(max(given.sockets) + OTHER_FILES)
    measured: dict[Cell, list[Measured]] = defaultdict(list)
    arrived: dict[Cell, Arrival] = {}
    lengths: dict[Cell, float] = {}
    with databases(cores) as places:
        for sockets in given.sockets:
            for count in given.documents:
                say(f"{sockets:,} sockets, {count} documents")
                with ExitStack() as stack:
                    crowds: dict[Cell, Crowd] = {}
                    for watched in contestants:
                        cell = Cell(watched.name, sockets, count)
                        server = stack.enter_context(places.started(watched))
                        crowd = stack.enter_context(watching(watched, server, documents(count), sockets, cores))
                        crowds[cell], arrived[cell] = crowd, crowd.arrival
                        lengths[cell] = crowd.load(WARM_UP_SECONDS).bytes
                    for number in range(given.rounds):
                        turn = number % len(crowds)
                        for cell in [*crowds][turn:] + [*crowds][:turn]:
                            measured[cell].append(crowds[cell].load(given.seconds))
        at_rest = rest(places, given.rest, cores) if given.rest else []
    return Report(
        when=datetime.now(UTC),
        machine=machine(),
        command=" ".join(["make bench-watch", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])]),
        contestants=contestants,
        measured=measured,
        arrived=arrived,
        at_rest=at_rest,
    )


def rest(places: Databases, events: int, cores: Cores) -> list[AtRest]:
    """How soon a single subscriber has an event, of its own server and of another replica. Raises Failed."""
    found = []
    for watched in ALL:
        if watched.contestant.is_ours:
            with (
                places.started(watched) as server,
                watching(watched, server, documents(1), 1, cores) as crowd,
            ):
                found.append(at_rest(watched.contestant.title, crowd, events))
    for title, wakeups_url in (("Redis", places.redis()), ("PostgreSQL", None)):
        database = places.empty("postgresql")
        watched = on_replicas(wakeups_url or database)
        with (
            places.started(watched, database) as server,
            places.started(watched, database) as other,
            watching(watched, server, documents(1), 1, cores, publish_to=other) as crowd,
        ):
            found.append(at_rest(f"another replica, woken through {title}", crowd, events))
    return found


def at_rest(title: str, crowd: Crowd, events: int) -> AtRest:
    """Events come one by one, with pauses. Raises Failed."""
    say(title)
    crowd.load(0, least=20, pause=REST_PAUSE_SECONDS)
    measured = crowd.load(0, least=events, pause=REST_PAUSE_SECONDS)
    return AtRest(title, events, measured.p50, measured.p99)


def allow_files(count: int) -> None:
    """Every socket is a file, here and in the server. Raises Failed when the machine does not allow so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Failed(f"a process may open {hard:,} files here (ulimit -Hn), and {count:,} are needed")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


if __name__ == "__main__":
    main()
