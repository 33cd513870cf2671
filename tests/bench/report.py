"""What a run found, as a table for people and as JSON."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.bench.contestants import Contestant
from tests.bench.data import Sizes
from tests.bench.questions import TITLES
from tests.bench.servers import Measured

FIGURES = ("requests_per_second", "p50", "p99", "cpu")


@dataclass(frozen=True, slots=True)
class Report:
    """`measured` are the rounds, by the names of contestant and question."""

    when: datetime
    machine: str
    command: str
    sizes: Sizes
    contestants: Sequence[Contestant]
    questions: Sequence[str]
    measured: Mapping[tuple[str, str], Sequence[Measured]]

    def median(self, contestant: str, question: str, figure: str) -> float | None:
        """Over the rounds; None for a question that was not asked."""
        rounds = self.measured.get((contestant, question))
        return statistics.median(getattr(each, figure) for each in rounds) if rounds else None

    def ratio(self, one: str, other: str, question: str, figure: str = "requests_per_second") -> float | None:
        """The median over the rounds of `one` by `other`, each round by itself: the machine's moods cancel out."""
        pairs = zip(self.measured.get((one, question), ()), self.measured.get((other, question), ()), strict=False)
        found = [getattr(mine, figure) / getattr(theirs, figure) for mine, theirs in pairs]
        return statistics.median(found) if found else None


def as_text(report: Report) -> str:
    """Markdown: for each question the contestants, then how many times as fast ours are."""
    sizes = report.sizes
    lines = [
        f"{report.when:%Y-%m-%d}, {report.machine}, `{report.command}`:",
        f"{sizes.issues:,} issues in {sizes.namespaces} namespaces, {sizes.relations:,} relations",
    ]
    for question in report.questions:
        lines += ["", f"**{TITLES[question]}** (`{question}`)", ""]
        lines += ["| | requests/s, median (min to max) | p50 ms | p99 ms | server CPU µs a request |"]
        lines += ["|---|---|---|---|---|"]
        for contestant in report.contestants:
            rounds = report.measured.get((contestant.name, question))
            if rounds:
                rates = [each.requests_per_second for each in rounds]
                p50, p99, cpu = (report.median(contestant.name, question, figure) for figure in FIGURES[1:])
                lines.append(
                    f"| {contestant.title} | {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
                    f" | {p50:.2f} | {p99:.2f} | {cpu:,.0f} |"
                )
    for ours in (each for each in report.contestants if each.is_ours):
        others = [each for each in report.contestants if each is not ours]
        lines += ["", f"**{ours.title}: times as many requests a second as** (server CPU as a share of theirs)", ""]
        lines += [
            "| | " + " | ".join(report.questions) + " | geometric mean |",
            "|---" * (len(report.questions) + 2) + "|",
        ]
        for other in others:
            speeds = [report.ratio(ours.name, other.name, question) for question in report.questions]
            shares = [report.ratio(ours.name, other.name, question, "cpu") for question in report.questions]
            cells = [
                f"{speed:.2f} ({share:.2f})" if speed and share else "-"
                for speed, share in zip(speeds, shares, strict=True)
            ]
            known = [speed for speed in speeds if speed]
            mean = f"{statistics.geometric_mean(known):.2f}" if known else "-"
            lines.append(f"| {other.title} | {' | '.join(cells)} | {mean} |")
    return "\n".join(lines)


def as_json(report: Report) -> dict[str, Any]:
    """All rounds, medians and ratios."""
    return {
        "when": report.when.isoformat(),
        "machine": report.machine,
        "command": report.command,
        "issues": report.sizes.issues,
        "namespaces": report.sizes.namespaces,
        "questions": {
            question: {
                contestant.name: {
                    "median": {figure: report.median(contestant.name, question, figure) for figure in FIGURES},
                    "rounds": [{figure: getattr(each, figure) for figure in FIGURES} for each in rounds],
                    "ratios": {
                        other.name: report.ratio(contestant.name, other.name, question)
                        for other in report.contestants
                        if other is not contestant
                    },
                }
                for contestant in report.contestants
                if (rounds := report.measured.get((contestant.name, question)))
            }
            for question in report.questions
        },
    }
