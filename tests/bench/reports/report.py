"""What a run found, as tables for people and as JSON."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.bench.reports.contestants import Contestant
from tests.bench.reports.serving import Measured

FIGURES = ("requests_per_second", "p50", "p99", "cpu", "postgres_cpu", "load_cpu", "wal_bytes")
HEADINGS = (
    "requests/s, median (min to max)",
    "p50 ms",
    "p99 ms",
    "server CPU µs a request",
    "its share of the core",
    "PostgreSQL CPU µs a request",
    "longest write-ahead log MB",
)
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """That an issuegraph is so many times as fast as another contestant, or as when it is told in other words, in
    medians of single rounds."""

    ours: str
    other: str
    times: float


@dataclass(frozen=True, slots=True)
class Bound:
    """That a figure of each issuegraph of one process stays above `least` or below `most`, in medians of rounds."""

    figure: str
    title: str
    least: float = 0
    most: float = float("inf")


TARGETS = (
    Target("sqlite-full", "floor", 0.12),
    Target("postgresql", "floor", 0.10),
    Target("sqlite-full", "plain-sqlite", 10),
    Target("postgresql", "plain-postgresql", 10),
    Target("postgresql", "alerta", 30),
    *(
        Target(f"{ours}-github-{size}", ours, times)
        for ours in ("sqlite-full", "postgresql")
        for size, times in ((2_000, 0.4), (20_000, 0.1))
    ),
)
# With as many connections as the first loads have.
BOUNDS = (
    Bound("requests_per_second", "requests/s", least=4_000),
    Bound("p99", "p99 ms", most=50),
    Bound("wal_bytes", "longest write-ahead log, bytes", most=128_000_000),
)


@dataclass(frozen=True, slots=True)
class Report:
    """`measured` are the rounds, by the name of the contestant and the number of connections."""

    when: datetime
    machine: str
    command: str
    pipelines: int
    contestants: Sequence[Contestant]
    connections: Sequence[int]
    left_out: Mapping[str, str]
    measured: Mapping[tuple[str, int], Sequence[Measured]]

    def median(self, contestant: str, connections: int, figure: str) -> float | None:
        """Over the rounds; None for what was not measured."""
        rounds = self.measured.get((contestant, connections))
        return statistics.median(getattr(each, figure) for each in rounds) if rounds else None

    def ratio(self, one: str, other: str, connections: int, figure: str = "requests_per_second") -> float | None:
        """The median over the rounds of `one` by `other`, each round by itself: the machine's moods cancel out."""
        pairs = zip(
            self.measured.get((one, connections), ()), self.measured.get((other, connections), ()), strict=False
        )
        found = [getattr(mine, figure) / getattr(theirs, figure) for mine, theirs in pairs if getattr(theirs, figure)]
        return statistics.median(found) if found else None


def as_text(report: Report) -> str:
    """Markdown: the figures, the ratios, the targets."""
    lines = [
        f"{report.when:%Y-%m-%d}, {report.machine}, `{report.command}`:",
        f"{report.pipelines:,} pipelines fail in 20 namespaces; then 70 % further runs, 20 % new ones, 10 % successes",
    ]
    for connections in report.connections:
        lines += ["", f"**{connections} connections**", "", *_figures(report, connections)]
    lines += ["", *_load(report)]
    lines += ["", "**Times as many requests a second as** (server CPU, times theirs)", "", *_ratios(report)]
    lines += ["", f"**Aims, with {report.connections[0]} connections**", "", *_aims(report)]
    lines += ["", *(f"Left out: {name}: {why}" for name, why in report.left_out.items())]
    return "\n".join(lines).rstrip()


def _figures(report: Report, connections: int) -> list[str]:
    lines = [f"| | {' | '.join(HEADINGS)} |", "|---" * (len(HEADINGS) + 1) + "|"]
    for contestant in report.contestants:
        rounds = report.measured.get((contestant.name, connections))
        if rounds:
            rates = [each.requests_per_second for each in rounds]
            p50, p99, cpu, postgres_cpu = (
                statistics.median(getattr(each, figure) for each in rounds) for figure in FIGURES[1:5]
            )
            share = statistics.median(each.requests_per_second * each.cpu / 1e6 for each in rounds)
            wal_bytes = max(each.wal_bytes for each in rounds)
            lines.append(
                f"| {contestant.title} | {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
                f" | {p50:.1f} | {p99:.1f} | {cpu:,.0f} | {share:.0%}"
                f" | {f'{postgres_cpu:,.0f}' if postgres_cpu else ''}"
                f" | {f'{wal_bytes / MEGABYTE:.0f}' if wal_bytes else ''} |"
            )
    return lines


def _load(report: Report) -> list[str]:
    found = [each.load_cpu for rounds in report.measured.values() for each in rounds]
    return (
        [f"The load generator took {statistics.median(found):.0f} µs of another core for each request."]
        if found
        else []
    )


def _ratios(report: Report) -> list[str]:
    ours = [each for each in report.contestants if each.is_ours]
    lines = [f"| | {' | '.join(each.title for each in ours)} |", "|---" * (len(ours) + 1) + "|"]
    for other in report.contestants:
        if not other.is_ours:
            cells = (_cell(report, one.name, other.name) for one in ours)
            lines.append(f"| {other.title} | {' | '.join(cells)} |")
    return [*lines, "", f"In each cell: with {' and with '.join(map(str, report.connections))} connections."]


def _cell(report: Report, one: str, other: str) -> str:
    found = [
        (report.ratio(one, other, connections), report.ratio(one, other, connections, "cpu"))
        for connections in report.connections
    ]
    return ", ".join(f"{speed:.2f} ({cpu:.2f})" for speed, cpu in found if speed and cpu) or "-"


def aims(report: Report) -> list[tuple[str, str, float, bool]]:
    """What is aimed at: its name, the aim, what was found, and whether that is enough."""
    titles = {each.name: each.title for each in report.contestants}
    found = []
    for target in TARGETS:
        ratio = report.ratio(target.ours, target.other, report.connections[0])
        if ratio is not None:
            name = f"{titles[target.ours]}: times as many requests a second as {titles[target.other]}"
            found.append((name, f"at least {target.times:g}", ratio, ratio >= target.times))
    for bound in BOUNDS:
        for contestant in report.contestants:
            value = report.median(contestant.name, report.connections[0], bound.figure)
            if value and contestant.is_same_work and contestant.is_ours and contestant.processes == 1:
                aim = f"at least {bound.least:,.0f}" if bound.least else f"at most {bound.most:,.0f}"
                enough = bound.least <= value <= bound.most
                found.append((f"{contestant.title}: {bound.title}", aim, value, enough))
    return found


def _aims(report: Report) -> list[str]:
    lines = ["| | aim | found | |", "|---|---|---|---|"]
    for name, aim, value, enough in aims(report):
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
        lines.append(f"| {name} | {aim} | {shown} | {'reached' if enough else '**missed**'} |")
    return lines


def as_json(report: Report) -> dict[str, Any]:
    """All rounds, medians, ratios and aims."""
    return {
        "when": report.when.isoformat(),
        "machine": report.machine,
        "command": report.command,
        "pipelines": report.pipelines,
        "left_out": dict(report.left_out),
        "aims": [
            {"name": name, "aim": aim, "found": value, "reached": enough} for name, aim, value, enough in aims(report)
        ],
        "connections": {
            str(connections): {
                contestant.name: {
                    "median": {figure: report.median(contestant.name, connections, figure) for figure in FIGURES},
                    "rounds": [{figure: getattr(each, figure) for figure in FIGURES} for each in rounds],
                    "ratios": {
                        other.name: report.ratio(contestant.name, other.name, connections)
                        for other in report.contestants
                        if other is not contestant
                    },
                }
                for contestant in report.contestants
                if (rounds := report.measured.get((contestant.name, connections)))
            }
            for connections in report.connections
        },
    }
