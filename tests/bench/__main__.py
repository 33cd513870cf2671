"""`make bench`: every contestant, every question, several rounds; prints a table and, with --json, the same as JSON."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import data
from tests.bench.answers import checked_requests
from tests.bench.contestants import Contestant, mercurius, plain, postgraphile
from tests.bench.contestants.floor import FLOOR
from tests.bench.contestants.issuegraph import BARE, ON_POSTGRESQL, ON_SQLITE, OPEN, WITH_A_TOKEN
from tests.bench.questions import questions
from tests.bench.report import Report, as_json, as_text
from tests.bench.servers import Cores, Failed, Measured, load, running
from tests.servers import (
    DEFAULT_POSTGRES_VERSION,
    POSTGRES_CONFIGURATION,
    administer,
    start_postgres,
    stop_process,
    with_database,
)

ALL: Sequence[Contestant] = (
    ON_POSTGRESQL,
    ON_SQLITE,
    FLOOR,
    postgraphile.CONTESTANT,
    mercurius.CONTESTANT,
    plain.CONTESTANT,
)
CONNECTIONS = 16
WARM_UP_SECONDS = 1.0
# As servers have it: the default is for the smallest of machines.
CONFIGURATION = "shared_buffers = 512MB\n"


def main() -> None:
    """Runs the benchmark as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    known = {contestant.name: contestant for contestant in (*ALL, WITH_A_TOKEN, OPEN, BARE)}
    parser.add_argument("--issues", type=int, default=100_000, help="how many there are (default: %(default)s)")
    parser.add_argument("--namespaces", type=int, help="in so many namespaces (default: one for each 5,000 issues)")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=known, help="these contestants", metavar="NAME")
    parser.add_argument("--questions", nargs="+", help="these questions", metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep the databases there, for the next run")
    given = parser.parse_args()
    contestants = [known[name] for name in given.only or (each.name for each in ALL)]
    in_namespace = given.issues // given.namespaces if given.namespaces else data.Sizes().in_namespace
    sizes = data.Sizes(given.issues, in_namespace)
    try:
        report = run(contestants, sizes, given)
    except Failed as failure:
        sys.exit(f"the run failed: {failure}")
    print(as_text(report))
    if given.json:
        given.json.write_text(json.dumps(as_json(report), indent=2) + "\n")


def run(contestants: Sequence[Contestant], sizes: data.Sizes, given: Any) -> Report:
    """All rounds. Raises Failed."""
    cores = Cores.of_this_machine()
    found: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    with ExitStack() as stack:
        urls = stack.enter_context(databases(sizes, {each.database for each in contestants}, given.keep, cores))
        servers = [stack.enter_context(running(each, urls[each.database], cores)) for each in contestants]
        asked = {each.name: each for each in questions(sizes) if not given.questions or each.name in given.questions}
        requests = {
            (server.contestant.name, name): made
            for name, question in asked.items()
            for server, made in checked_requests(question, servers).items()
        }
        for number in range(given.rounds + 1):
            for name in asked:
                # Each goes first as often as the others.
                for server in servers[number % len(servers) :] + servers[: number % len(servers)]:
                    key = (server.contestant.name, name)
                    if key not in requests:
                        continue
                    if number == 0:
                        load(server, requests[key], WARM_UP_SECONDS, CONNECTIONS, cores)
                    else:
                        found[key].append(load(server, requests[key], given.seconds, CONNECTIONS, cores))
            say(f"round {number} of {given.rounds}" if number else "warm")
    return Report(
        when=datetime.now(UTC),
        machine=machine(),
        command=" ".join(["make bench", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])]),
        sizes=sizes,
        contestants=contestants,
        questions=list(asked),
        measured=found,
    )


@contextmanager
def databases(sizes: data.Sizes, kinds: set[str], keep: Path | None, cores: Cores) -> Iterator[dict[str, str]]:
    """The URL of each kind of database that is wanted, with the rows in it; kept in `keep` if that is given."""
    with ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="issuegraph-bench-")))
        directory.mkdir(parents=True, exist_ok=True)
        urls = {}
        if "sqlite" in kinds:
            path = directory / f"{sizes.name}.db"
            urls["sqlite"] = f"sqlite+aiosqlite:///{path.resolve()}"
            if not path.exists():
                say(f"making {sizes.issues:,} issues on SQLite")
                made_whole(path, lambda unfinished: data.fill_sqlite(unfinished, sizes))
        if "postgresql" in kinds:
            urls["postgresql"] = stack.enter_context(postgres(directory, sizes, cores))
        yield urls


def made_whole(path: Path, make: Callable[[Path], None]) -> None:
    """A run that is broken off leaves nothing that the next one takes for whole."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    make(unfinished)
    unfinished.rename(path)


@contextmanager
def postgres(directory: Path, sizes: data.Sizes, cores: Cores) -> Iterator[str]:
    """A PostgreSQL with the rows, away from the core of the server that is measured."""
    with cores.away():
        state = start_postgres(directory, DEFAULT_POSTGRES_VERSION, POSTGRES_CONFIGURATION + CONFIGURATION)
    try:
        yield filled(state["url"], sizes)
    finally:
        # A fast shutdown, as the rows may be kept.
        stop_process(state | {"signal": int(signal.SIGINT)})


def filled(server: str, sizes: data.Sizes) -> str:
    """The URL of the database with the rows; made when the server has none."""
    if administer(server, f"SELECT count(*) FROM pg_database WHERE datname = '{sizes.name}'") == 0:
        say(f"making {sizes.issues:,} issues on PostgreSQL")
        administer(server, "DROP DATABASE IF EXISTS unfinished WITH (FORCE)")
        administer(server, "CREATE DATABASE unfinished TEMPLATE template0")
        data.fill_postgres(with_database(server, "unfinished"), sizes)
        administer(server, f"ALTER DATABASE unfinished RENAME TO {sizes.name}")
    return with_database(server, sizes.name)


def machine() -> str:
    """What the figures are of."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else platform.processor()
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def say(text: str) -> None:
    """How far it is, for who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
