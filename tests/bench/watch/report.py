"""What a run found, as tables for people and as JSON."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tests.bench.watch.contestants import FLOOR, Watched
from tests.bench.watch.crowd import Arrival, Measured

COLUMNS = (
    "documents",
    "bytes a message",
    "messages/s (min to max)",
    "p50 ms",
    "p99 ms",
    "to the last: p50 ms",
    "p99 ms",
    "server CPU µs a message",
    "of the floor",
    "of one document",
    "kB a subscriber",
    "subscribed in s",
)


class Cell(NamedTuple):
    """One setting of the run."""

    contestant: str
    sockets: int
    documents: int


@dataclass(frozen=True, slots=True)
class AtRest:
    """One subscriber and now and then an event: milliseconds until it is there."""

    title: str
    events: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Report:
    """`measured` are the rounds of each cell, `arrived` how its sockets came."""

    when: datetime
    machine: str
    command: str
    contestants: Sequence[Watched]
    measured: Mapping[Cell, Sequence[Measured]]
    arrived: Mapping[Cell, Arrival]
    at_rest: Sequence[AtRest]

    def median(self, cell: Cell, figure: str) -> float:
        """Over the rounds."""
        return statistics.median(getattr(each, figure) for each in self.measured[cell])

    def ratio(self, one: Cell, other: Cell, figure: str = "cpu") -> float | None:
        """The median over the rounds of `one` by `other`, each round by itself; None when either was not measured."""
        pairs = zip(self.measured.get(one, ()), self.measured.get(other, ()), strict=False)
        # A load that was too short has cost nothing, as far as clocks tell.
        found = [getattr(mine, figure) / cost for mine, theirs in pairs if (cost := getattr(theirs, figure))]
        return statistics.median(found) if found else None

    def of_floor(self, cell: Cell) -> float | None:
        """The CPU of a message, as times of the floor's."""
        return self.ratio(cell, cell._replace(contestant=FLOOR.name))

    def of_one(self, cell: Cell) -> float | None:
        """The CPU of a message, as times of what it is when all watch the same."""
        return self.ratio(cell, cell._replace(documents=1))


def as_text(report: Report) -> str:
    """Markdown: a table for each number of sockets, then the one of servers at rest."""
    lines = [f"{report.when:%Y-%m-%d}, {report.machine}, `{report.command}`:"]
    for sockets in sorted({cell.sockets for cell in report.measured}):
        lines += ["", f"**{sockets:,} sockets**", ""]
        lines += [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
        for watched in report.contestants:
            for cell in report.measured:
                if cell[:2] == (watched.name, sockets):
                    lines.append(_line(report, watched, cell))
    if report.at_rest:
        lines += ["", "**At rest: one subscriber**", "", "| | events | p50 ms | p99 ms |", "|---|---|---|---|"]
        lines += [f"| {each.title} | {each.events:,} | {each.p50:.1f} | {each.p99:.1f} |" for each in report.at_rest]
    return "\n".join(lines)


def _line(report: Report, watched: Watched, cell: Cell) -> str:
    rates = [each.messages_per_second for each in report.measured[cell]]
    times = [f"{report.median(cell, figure):.1f}" for figure in ("p50", "p99", "last_p50", "last_p99", "cpu")]
    ratios = [f"{ratio:.2f}" if ratio else "-" for ratio in (report.of_floor(cell), report.of_one(cell))]
    arrival = report.arrived[cell]
    cells = [
        watched.contestant.title,
        str(cell.documents),
        f"{report.median(cell, 'bytes'):.0f}",
        f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
        *times,
        *ratios,
        f"{arrival.memory:.0f}",
        f"{arrival.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def as_json(report: Report) -> dict[str, Any]:
    """All rounds, and the ratios."""
    return {
        "when": report.when.isoformat(),
        "machine": report.machine,
        "command": report.command,
        "fan_out": [
            {
                **cell._asdict(),
                "rounds": [asdict(each) for each in rounds],
                "arrival": asdict(report.arrived[cell]),
                "cpu_of_floor": report.of_floor(cell),
                "cpu_of_one_document": report.of_one(cell),
            }
            for cell, rounds in report.measured.items()
        ],
        "at_rest": [asdict(each) for each in report.at_rest],
    }
