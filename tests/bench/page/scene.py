"""Where a part plays: a server on rows of its own, a browser, and processes of ours beside it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import data
from tests.bench.__main__ import databases
from tests.bench.contestants.issuegraph import ON_SQLITE
from tests.bench.contestants.reading import NODE
from tests.bench.servers import ROOT, Cores, Failed, Running, running

SCRIPT = ROOT / "tests" / "node" / "load.mjs"
WARM_UP = b'{"query": "{ issues(search: \\"is:active\\") { totalCount nodes { id } } }"}'
WARM_UP_REQUESTS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of everything; rates are of a second."""

    issues: int
    rounds: int
    seconds: float
    rate: float
    dashboards: int
    dashboard_rate: float
    directory: Path


class Process:
    """Takes lines, and answers by lines of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, line: str = "") -> None:
        """A line to it."""
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def said(self) -> dict[str, Any]:
        """The next line that it says. Raises Failed."""
        assert self._process.stdout
        found: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"failure": "a process is gone"}')
        if problem := found.get("failure") or found.get("problems"):
            raise Failed(str(problem))
        return found


class Scene:
    """The databases are made in `asked.directory`, and kept there for the next part."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        # A browser wants more than what the server leaves of two cores, so that none is set apart.
        here = frozenset(os.sched_getaffinity(0))
        self._cores = Cores(here, here)

    @contextmanager
    def server(self, issues: int) -> Iterator[Running]:
        """With so many issues; what is written is gone afterwards. Raises Failed."""
        with databases(data.Sizes(issues), {"sqlite"}, self.asked.directory, self._cores) as urls:
            whole = Path(urls["sqlite"].partition("///")[2])
            copy = whole.with_suffix(".copy")
            shutil.copyfile(whole, copy)
            try:
                with running(ON_SQLITE, f"sqlite+aiosqlite:///{copy}", self._cores) as server:
                    for _ in range(WARM_UP_REQUESTS):
                        server.ask(WARM_UP)
                    yield server
            finally:
                for each in copy.parent.glob(f"{copy.name}*"):
                    each.unlink()

    @contextmanager
    def browser(self, server: Running, part: str, **options: Any) -> Iterator[Process]:
        """Does one part of `tests/node/load.mjs` with the page of this server."""
        url = f"http://127.0.0.1:{server.port}/"
        with _started([NODE, str(SCRIPT), url, part, json.dumps(options)]) as process:
            yield process

    @contextmanager
    def beside(self, module: str, task: Any) -> Iterator[Process]:
        """A module of ours, which is told its task."""
        with _started([sys.executable, "-m", module]) as process:
            process.tell(json.dumps(task))
            yield process


@contextmanager
def _started(command: Sequence[str]) -> Iterator[Process]:
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Process(process)
    finally:
        # Not killed: a browser is to remove its files.
        process.terminate()
        process.communicate()
