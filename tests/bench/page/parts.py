"""The parts of the benchmark: each brings a server up, loads it, and tells what was found."""

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from tests.bench.page.dashboards import Task as DashboardsTask
from tests.bench.page.scene import Scene
from tests.bench.page.storm import Task as StormTask
from tests.bench.watch.mixed import Load, kinds
from web.dashboard_page import page_documents

FEW_ISSUES = 500
REPORTS_IN_ONE = 20
ALERTS = 2_000
REST_SECONDS = 5.0
SETTLE_SECONDS = 1.5
CONNECTIONS = 8
MB = 1_000_000
LIST, OVERVIEW = "/issues?q=is%3Aactive", "/"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; without an aim it only explains another."""

    title: str
    found: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the aim is, if there is one."""
        return (self.most is None or self.found <= self.most) and (self.least is None or self.found >= self.least)


def scroll(scene: Scene) -> list[Figure]:
    """Through the whole list to its end."""
    issues = scene.asked.issues
    with scene.server(issues) as server, scene.browser(server, "scroll") as page:
        found = page.said()
    return [
        Figure("issues in the list, scrolled to its end", found["issues"], least=issues, most=issues),
        Figure("rows in the DOM, at most", found["rows"], most=150),
        Figure("rows that moved when a page came", found["jumps"], most=0),
        Figure("heap at the end", found["after"]["bytes"] / MB, "MB", most=64),
        Figure("heap at the beginning", found["before"]["bytes"] / MB, "MB"),
        Figure("time to the end", found["seconds"], "s"),
        Figure("pages and rows asked for", found["requests"], "requests"),
    ]


def first(scene: Scene) -> list[Figure]:
    """The first rows of the list after a navigation, of few issues and of many."""
    figures = []
    for issues in sorted({min(FEW_ISSUES, scene.asked.issues), scene.asked.issues}):
        with scene.server(issues) as server, scene.browser(server, "first", rounds=scene.asked.rounds) as page:
            said = page.said()
        for kind, words in (("cold", "nothing of the page in the browser"), ("warm", "its files in the browser")):
            title = f"first rows of {issues:,} issues, {words}: median of {scene.asked.rounds}"
            figures.append(Figure(title, statistics.median(said[kind]), "ms", most=300))
    return figures


def soak(scene: Scene) -> list[Figure]:
    """The list and the overview open in a storm of events."""
    asked = scene.asked
    rest = min(REST_SECONDS, asked.seconds)
    with scene.server(asked.issues) as server:
        # A little longer than the browser looks.
        task = StormTask(server.port, asked.rate, REPORTS_IN_ONE, asked.seconds + 3 * rest, ALERTS)
        with (
            scene.beside("tests.bench.page.storm", asdict(task)) as storm,
            scene.browser(server, "soak", seconds=asked.seconds, paths=[LIST, OVERVIEW], restSeconds=rest) as page,
        ):
            storm.said()
            page.said()
            cpu, begun = server.cpu_seconds(), time.monotonic()
            storm.tell()
            page.tell()
            sent = storm.said()["per_second"]
            share = (server.cpu_seconds() - cpu) / (time.monotonic() - begun)
            tabs = page.said()["pages"]
    figures = [
        Figure("events a second that the machine carried", sent, least=0.95 * asked.rate),
        Figure("the server was busy for", 100 * share, "% of a core"),
    ]
    for title, tab in zip(("list", "overview"), tabs, strict=True):
        before, after, at_rest = tab["before"], tab["after"], tab["atRest"]
        dropped = 100 * tab["frames"]["dropped"] / tab["frames"]["due"]
        grown = (after["bytes"] - before["bytes"]) / MB
        figures += [
            Figure(f"{title}: frames dropped", dropped, "%", most=5),
            Figure(f"{title}: frames dropped at rest before", 100 * at_rest["dropped"] / at_rest["due"], "%"),
            Figure(f"{title}: heap grown, from {before['bytes'] / MB:.1f} MB", grown, "MB", most=2),
            Figure(
                f"{title}: its thread was busy for", 100 * (after["worked"] - before["worked"]) / asked.seconds, "%"
            ),
        ]
    return figures


def dashboards(scene: Scene) -> list[Figure]:
    """Many dashboards of one group on one server, and the same reports without any."""
    asked = scene.asked
    ids = {name: id for id, text in page_documents().items() for name in re.findall(r"subscription (\w+)", text)}
    operations = [
        {"query": "", "documentId": ids["Counts"], "variables": {"search": "is:active"}},
        {"query": "", "documentId": ids["Watch"], "variables": {"where": {"search": "is:active"}}},
    ]
    reports = [asdict(kind) for kind in kinds(Load(0, asked.dashboard_rate, 0, 0))[:2]]
    with scene.server(asked.issues) as server:

        def busy(run: str) -> tuple[float, float]:
            """While reports of runs so named come: the share of a core, and how long it was."""
            own = [{**kind, "bodies": [body.replace("run-", run) for body in kind["bodies"]]} for kind in reports]
            task = {"port": server.port, "kinds": own, "connections": CONNECTIONS, "seconds": asked.seconds}
            cpu, begun = server.cpu_seconds(), time.monotonic()
            with scene.beside("tests.bench.watch.steady", task) as reporting:
                reporting.said()
            elapsed = time.monotonic() - begun
            return (server.cpu_seconds() - cpu) / elapsed, elapsed

        alone, _ = busy("alone-")
        opened = DashboardsTask(server.port, asked.dashboards, operations)
        with scene.beside("tests.bench.page.dashboards", asdict(opened)) as sockets:
            sockets.said()
            # The first batch of each is not what is measured.
            time.sleep(SETTLE_SECONDS)
            sockets.tell()
            sockets.said()
            share, elapsed = busy("watched-")
            time.sleep(SETTLE_SECONDS)
            sockets.tell()
            heard = sockets.said()
    return [
        Figure("events that each dashboard heard", heard["events"], least=asked.dashboard_rate * asked.seconds),
        Figure(f"server CPU with {asked.dashboards} dashboards", 100 * share, "% of a core", most=20),
        Figure("server CPU for the reports alone", 100 * alone, "% of a core"),
        Figure("messages to all of them", heard["messages"] / elapsed, "a second"),
    ]


ALL: Mapping[str, Callable[[Scene], list[Figure]]] = {
    "scroll": scroll,
    "first": first,
    "soak": soak,
    "dashboards": dashboards,
}
