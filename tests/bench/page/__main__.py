"""`make bench-page`: the live page in a real browser under load; prints what was found beside what was asked for."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.__main__ import machine, say
from tests.bench.page.parts import ALL, Figure
from tests.bench.page.scene import Asked, Scene
from tests.bench.servers import Failed


def main() -> None:
    """Runs the benchmark as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-page", description=__doc__)
    parser.add_argument("--issues", type=int, default=100_000, help="how many there are (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="of the storm, and of many (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1_000, help="events a second in the storm (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="navigations of each kind (default: %(default)s)")
    parser.add_argument("--dashboards", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--dashboard-rate", type=float, default=50, help="events a second (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=ALL, default=list(ALL), help="these parts", metavar="PART")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep the rows there, for the next run")
    given = parser.parse_args()
    command = " ".join(["make bench-page", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])])
    with ExitStack() as stack:
        directory = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="issuegraph-bench-")))
        asked = Asked(
            issues=given.issues,
            rounds=given.rounds,
            seconds=given.seconds,
            rate=given.rate,
            dashboards=given.dashboards,
            dashboard_rate=given.dashboard_rate,
            directory=directory,
        )
        try:
            found = run(asked, given.only)
        except Failed as failure:
            sys.exit(f"the run failed: {failure}")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, others' work on it {os.getloadavg()[2]:.1f}, `{command}`:\n")
    print(as_text(found))
    if given.json:
        figures = {part: [asdict(each) for each in figures] for part, figures in found.items()}
        given.json.write_text(json.dumps({"command": command, **figures}, indent=2) + "\n")


def run(asked: Asked, parts: Sequence[str]) -> dict[str, list[Figure]]:
    """The figures of each part. Raises Failed."""
    scene = Scene(asked)
    found = {}
    for part in parts:
        say(part)
        found[part] = ALL[part](scene)
    return found


def as_text(found: Mapping[str, Sequence[Figure]]) -> str:
    """Markdown."""
    lines = ["| | aim | found | |", "|---|---|---|---|"]
    for figures in found.values():
        for each in figures:
            verdict = "" if _aim(each) == "" else "reached" if each.is_reached else "**missed**"
            lines.append(f"| {each.title} | {_aim(each)} | {_number(each.found)} {each.unit} | {verdict} |")
    return "\n".join(lines).replace("  |", " |")


def _aim(figure: Figure) -> str:
    if figure.least is not None and figure.least == figure.most:
        return _number(figure.least)
    if figure.least is not None:
        return f"at least {_number(figure.least)}"
    return "" if figure.most is None else f"at most {_number(figure.most)}"


def _number(number: float) -> str:
    return f"{number:,.1f}" if number % 1 and number < 1_000 else f"{number:,.0f}"


if __name__ == "__main__":
    main()
