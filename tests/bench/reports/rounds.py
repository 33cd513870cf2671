"""All rounds: every server told of the same, in turn, and what each said looked at before and after."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.__main__ import machine, say
from tests.bench.reports.answers import all_found, same_answers
from tests.bench.reports.contestants import Contestant
from tests.bench.reports.report import Report
from tests.bench.reports.serving import ONLY_NEW, Measured, Postgres, Running, load, running
from tests.bench.servers import Cores

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Length:
    """How much is done: so many pipelines fail at the start; each load lasts so long, with these connections."""

    pipelines: int
    rounds: int
    seconds: float
    connections: Sequence[int]
    warm_up_seconds: float = WARM_UP_SECONDS


def run(
    contestants: Sequence[Contestant],
    length: Length,
    *,
    directory: Path,
    postgres: Postgres | None,
    cores: Cores,
    command: str,
) -> Report:
    """What was measured; SQLite's files are made in the directory. Raises Failed."""
    found: dict[tuple[str, int], list[Measured]] = defaultdict(list)
    left_out = {each.title: each.if_missing for each in contestants if not each.is_here}
    contestants = [each for each in contestants if each.is_here]
    with ExitStack() as stack:
        at_work = [each for each in contestants if each.database]
        servers = [stack.enter_context(running(each, directory, postgres, cores)) for each in at_work]
        # The floor answers what they did.
        answer = same_answers(servers)
        at_rest = [each for each in contestants if not each.database]
        servers += [stack.enter_context(running(each, directory, postgres, cores, answer)) for each in at_rest]
        for server in servers:
            load(server, cores, connections=min(length.connections), count=length.pipelines, shares=ONLY_NEW)
        say(f"{length.pipelines:,} pipelines fail")
        for number in range(length.rounds + 1):
            for connections in length.connections:
                for server in _turned(servers, number):
                    seconds = length.seconds if number else length.warm_up_seconds
                    measured = load(server, cores, connections=connections, seconds=seconds)
                    if number:
                        found[server.contestant.name, connections].append(measured)
            say(f"round {number} of {length.rounds}" if number else "warm")
        all_found(servers)
    return Report(
        when=datetime.now(UTC),
        machine=machine(),
        command=command,
        pipelines=length.pipelines,
        contestants=contestants,
        connections=length.connections,
        left_out=left_out,
        measured=found,
    )


def _turned(servers: Sequence[Running], number: int) -> list[Running]:
    """Each goes first as often as the others."""
    first = number % len(servers)
    return [*servers[first:], *servers[:first]]
