"""Contestants as processes: started on a core of their own, asked, watched."""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import make_url

from tests.bench.contestants import Contestant
from tests.bench.contestants.reading import NODE
from tests.servers import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_SECONDS = 60
POOL = 8


class Failed(Exception):
    """A contestant did not start, or answered with something else than the others."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run: the server alone on one core, what asks it and PostgreSQL on the others."""

    server: frozenset[int]
    others: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """With one core only, nothing can be kept apart."""
        here = sorted(os.sched_getaffinity(0))
        return cls(frozenset(here[:1]), frozenset(here[1:] or here))

    @contextmanager
    def away(self) -> Iterator[None]:
        """What is started in here runs away from the server's core."""
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.others)  # its processes inherit this
        try:
            yield
        finally:
            os.sched_setaffinity(0, mine)


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A contestant that answers."""

    contestant: Contestant
    process: psutil.Process
    port: int

    def ask(self, body: bytes) -> bytes:
        """The answer to one request. Raises Failed."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", **self.contestant.headers}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            raise Failed(f"{self.contestant.name} answered {error.code}: {error.read()[:1000]!r}") from None

    def cpu_seconds(self) -> float:
        """Taken by it so far, its children included."""
        return cpu_seconds(self.process)


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one contestant: milliseconds, and microseconds of its processor for each request."""

    requests_per_second: float
    p50: float
    p99: float
    cpu: float


@contextmanager
def running(contestant: Contestant, database_url: str, cores: Cores) -> Iterator[Running]:
    """Starts it and waits until it answers. `database_url` is SQLAlchemy's. Raises Failed."""
    port = free_port()
    url = make_url(database_url)
    plain = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False).replace("%2F", "/")
    own = {name: value.format(port=port, url=database_url) for name, value in contestant.environment.items()}
    environment = {"PORT": str(port), "DATABASE_URL": plain, "POOL": str(POOL), **own}
    found: list[Running] = []

    def is_ready(process: psutil.Process) -> bool:
        found[:] = [Running(contestant, process, port)]
        with suppress(Failed):
            return bool(found[0].ask(b'{"query": "{ __typename }"}'))
        return False

    with started(contestant.name, contestant.command, environment, cores.server, is_ready):
        yield found[0]


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    cores: frozenset[int],
    is_ready: Callable[[psutil.Process], bool],
) -> Iterator[psutil.Process]:
    """A server as a process on these cores, from when it is ready; OSError means not yet. Raises Failed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            found = psutil.Process(process.pid)
            deadline = time.monotonic() + START_SECONDS
            while not _answers(found, is_ready):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise Failed(f"{name} did not start:\n{output.read().decode(errors='replace')[-4000:]}")
                time.sleep(0.1)
            yield found
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(process: psutil.Process, is_ready: Callable[[psutil.Process], bool]) -> bool:
    try:
        return is_ready(process)
    except OSError:
        return False


def cpu_seconds(process: psutil.Process) -> float:
    """Taken by it so far, its children included."""
    used = 0.0
    for one in (process, *process.children(recursive=True)):
        # A child may have ended since.
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            used += times.user + times.system
    return used


def load(
    server: Running, requests: Sequence[Mapping[str, str]], seconds: float, connections: int, cores: Cores
) -> Measured:
    """Asks the requests over and over, each with its `body`; every answer must be `expected`. Raises Failed."""
    task = {"port": server.port, "path": "/graphql", "seconds": seconds, "connections": connections}
    task["headers"] = dict(server.contestant.headers)
    before = server.cpu_seconds()
    done = subprocess.run(
        [NODE, str(HERE / "load.mjs")],
        input=json.dumps({**task, "requests": list(requests)}).encode(),
        capture_output=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, cores.others),
    )
    used = server.cpu_seconds() - before
    found = json.loads(done.stdout or b"{}")
    if "requests" not in found:
        reason = found.get("failure") or done.stderr.decode(errors="replace")
        raise Failed(f"{server.contestant.name}: {reason}")
    return Measured(
        requests_per_second=found["requests"] / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        cpu=used / found["requests"] * 1e6,
    )
