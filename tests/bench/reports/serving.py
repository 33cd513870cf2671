"""Contestants at work: their databases, their processes, and what a load on them found."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url

from tests.bench.reports.contestants import Contestant
from tests.bench.reports.payloads import Posted
from tests.bench.servers import ROOT, Cores, Failed, cpu_seconds, started
from tests.servers import (
    DEFAULT_POSTGRES_VERSION,
    administer,
    free_port,
    start_postgres,
    stop_process,
    with_database,
)

# As servers have it, and nothing that is acknowledged can be lost: fsync and synchronous_commit stay on.
POSTGRES_CONFIGURATION = "max_connections = 200\nshared_buffers = 512MB\n"
SHARES = (70, 20, 10)
ONLY_NEW = (0, 100, 0)
SECONDS_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one server: milliseconds, and microseconds of processors for each request.

    `wal_bytes`: how long SQLite's write-ahead log became; 0 for other databases. `load_cpu`: of the load generator.
    """

    requests_per_second: float
    p50: float
    p99: float
    cpu: float
    postgres_cpu: float
    load_cpu: float
    wal_bytes: int


@dataclass(slots=True, eq=False)
class Running:
    """A contestant that answers, and how much it was told: the pipelines `oldest` up to `newest` are failing."""

    contestant: Contestant
    processes: Sequence[psutil.Process]
    ports: Sequence[int]
    database_url: str | None
    postgres: psutil.Process | None
    oldest: int = 0
    newest: int = 0
    loads: int = 0
    acknowledged: dict[str, int] = field(default_factory=lambda: {"failure": 0, "success": 0})

    def post(self, posted: Posted, number: int, run: str) -> Any:
        """The answer to one request. Raises Failed."""
        body = json.dumps(posted.body) % {"number": number, "namespace": number % 20, "run": run}
        return json.loads(_posted(self.ports[0], posted.path, body.encode(), posted.statuses))

    def cpu_seconds(self) -> float:
        """Of all its processes."""
        return sum(cpu_seconds(process) for process in self.processes)

    def postgres_seconds(self) -> float:
        """Of PostgreSQL, which others use too, but not at the same time. Those of connections that ended included."""
        if self.postgres is None:
            return 0.0
        ended = self.postgres.cpu_times()
        return cpu_seconds(self.postgres) + ended.children_user + ended.children_system

    @property
    def sqlite_path(self) -> Path | None:
        """Its file, if its database is one."""
        path = make_url(self.database_url).database if self.database_url else None
        return Path(path) if path and self.contestant.database == "sqlite" else None

    def number(self, statement: str) -> int:
        """What one statement on its database finds."""
        if self.sqlite_path:
            with contextlib.closing(sqlite3.connect(self.sqlite_path)) as connection:
                return int(connection.execute(statement).fetchone()[0])
        assert self.database_url
        return int(administer(self.database_url, statement))


def _posted(port: int, path: str, body: bytes, statuses: Sequence[int]) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: bytes = answer.read()
    except urllib.error.HTTPError as error:
        raise Failed(f"{path} was answered with {error.code}: {error.read()[:1000]!r}") from None
    if answer.status not in statuses:
        raise Failed(f"{path} was answered with {answer.status}, not {statuses}: {found[:1000]!r}")
    return found


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server of databases; `process` if its processor time is to be told."""

    url: str
    process: psutil.Process | None = None

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty one."""
        name = f"report_{uuid.uuid4().hex}"
        administer(self.url, f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield with_database(self.url, name)
        finally:
            administer(self.url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def started_postgres(directory: Path, cores: Cores) -> Iterator[Postgres]:
    """A PostgreSQL away from the core of the server that is measured."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.others)  # its processes inherit this
    try:
        state = start_postgres(directory, DEFAULT_POSTGRES_VERSION, POSTGRES_CONFIGURATION)
    finally:
        os.sched_setaffinity(0, mine)
    try:
        yield Postgres(state["url"], psutil.Process(state["pid"]))
    finally:
        stop_process(state)


@contextmanager
def running(
    contestant: Contestant, directory: Path, postgres: Postgres | None, cores: Cores, answer: str = ""
) -> Iterator[Running]:
    """Starts it on an empty database of its own. `answer` is what the floor says. Raises Failed."""
    with ExitStack() as stack:
        url, database = None, None
        if contestant.database == "sqlite":
            url = f"sqlite+aiosqlite:///{(directory / contestant.name).resolve()}.db"
        elif contestant.database == "postgresql":
            assert postgres
            url, database = stack.enter_context(postgres.database()), postgres.process
        values: dict[str, Any] = {
            "directory": directory,
            "url": url,
            "plain_url": _without_driver(url),
            "answer": answer,
        }
        processes, ports = [], []
        for number in range(contestant.processes):
            port = free_port()
            values["port"] = port
            filled = {key: text.format(**values) for key, text in contestant.environment.items()}
            command = [text.format(**values) for text in contestant.command]
            # With two cores, all that belongs to the server shares one.
            core = cores.server if number == 0 or len(cores.others) == 1 else cores.others
            process = started(contestant.name, command, filled, core, partial(_answers, port))
            processes.append(stack.enter_context(process))
            ports.append(port)
        if contestant.prepare:
            body = json.dumps({"query": contestant.prepare}).encode()
            done = json.loads(_posted(ports[0], "/graphql", body, [200]))
            if "errors" in done or not done["data"]["createWebhook"]["webhook"]:
                raise Failed(f"{contestant.name} could not be prepared: {done}")
        yield Running(contestant, processes, ports, url, database)


def _without_driver(url: str | None) -> str | None:
    if url is None:
        return None
    made = make_url(url)
    return made.set(drivername=made.get_backend_name()).render_as_string(hide_password=False).replace("%2F", "/")


def _answers(port: int, _process: psutil.Process) -> bool:
    """Whatever it says, it is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10):
            return True
    except urllib.error.HTTPError:
        return True


def load(
    server: Running,
    cores: Cores,
    *,
    connections: int,
    seconds: float = 0,
    count: int = 0,
    shares: Sequence[int] = SHARES,
) -> Measured:
    """Posts for so many seconds, or so many; every answer must be the right one. Raises Failed."""
    server.loads += 1
    task = {
        "ports": server.ports,
        "connections": connections,
        "seconds": seconds,
        "count": count,
        "seed": server.loads,
        "shares": shares,
        "oldest": server.oldest,
        "newest": server.newest,
        **server.contestant.payloads.as_task(),
    }
    before, database_before = server.cpu_seconds(), server.postgres_seconds()
    with _longest_log(server.sqlite_path) as wal_bytes:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.reports.load"],
            cwd=ROOT,
            input=json.dumps(task).encode(),
            capture_output=True,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, cores.others),
        )
    used, database_used = server.cpu_seconds() - before, server.postgres_seconds() - database_before
    found = json.loads(done.stdout or b"{}")
    if "seconds" not in found:
        reason = found.get("failure") or done.stderr.decode(errors="replace")
        raise Failed(f"{server.contestant.name}: {reason}")
    server.oldest, server.newest = found["oldest"], found["newest"]
    for kind in server.acknowledged:
        server.acknowledged[kind] += found[kind]
    answered = found["failure"] + found["success"]
    return Measured(
        requests_per_second=answered / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        cpu=used / answered * 1e6,
        postgres_cpu=database_used / answered * 1e6,
        load_cpu=found["cpu"],
        wal_bytes=max(wal_bytes),
    )


@contextmanager
def _longest_log(path: Path | None) -> Iterator[list[int]]:
    """The lengths of SQLite's write-ahead log while this lasts."""
    found = [0]
    if path is None:
        yield found
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            with contextlib.suppress(FileNotFoundError):
                found.append(Path(f"{path}-wal").stat().st_size)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
