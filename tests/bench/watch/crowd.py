"""Those who watch one server: a process of their own, away from the server's core."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from tests.bench.servers import ROOT, Cores, Failed, Running
from tests.bench.watch.contestants import Watched
from tests.bench.watch.watchers import Task

KB = 1000


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a crowd came: seconds until all were subscribed, and kB of the server's memory for each."""

    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One load: milliseconds from publishing until a socket and until the last one had it; µs of the server's core."""

    messages_per_second: float
    p50: float
    p99: float
    last_p50: float
    last_p99: float
    cpu: float
    bytes: float  # of a message
    # How busy the process of the clients was: at 1 it would be measured instead of the server.
    clients_busy: float


class Crowd:
    """Sockets that watch one server."""

    def __init__(self, server: Running, process: subprocess.Popen[str], task: Task) -> None:
        """Connects them. Raises Failed."""
        self._server = server
        self._process = process
        before = memory(server)
        seconds = self._ask(asdict(task))["connected"]
        self.arrival = Arrival(seconds, (memory(server) - before) / KB / task.sockets)

    def load(self, seconds: float, *, least: int = 3, pause: float = 0.0) -> Measured:
        """One event after the other for so long, at least so many. Raises Failed."""
        before = self._server.cpu_seconds()
        found = self._ask({"seconds": seconds, "least": least, "pause": pause})
        used = self._server.cpu_seconds() - before
        return Measured(cpu=used / found.pop("messages") * 1e6, **found)

    def heard(self) -> int:
        """How many messages came without a load of ours. Raises Failed."""
        return int(self._ask({})["heard"])

    def _ask(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        # Clients that are gone have said why.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"failure": "the clients are gone"}')
        if "failure" in found:
            raise Failed(f"{self._server.contestant.name}: {found['failure']}")
        return found


@contextmanager
def watching(
    watched: Watched,
    server: Running,
    documents: Sequence[str],
    sockets: int,
    cores: Cores,
    *,
    publish_to: Running | None = None,
) -> Iterator[Crowd]:
    """So many sockets, the documents dealt out to them in turn. Raises Failed."""
    publish_port = (publish_to or server).port
    task = Task(server.port, sockets, list(documents), publish_port, watched.path, watched.body)
    with beside(cores, "watchers") as process:
        yield Crowd(server, process, task)


@contextmanager
def beside(cores: Cores, module: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that runs away from the server's core; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.watch.{module}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores.others),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def memory(server: Running) -> int:
    """Bytes of memory that a server has for itself: without files that it maps."""
    found = 0
    for each in (server.process, *server.process.children(recursive=True)):
        info = psutil.Process(each.pid).memory_info()
        found += info.rss - info.shared
    return found
