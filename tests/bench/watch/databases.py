"""Databases for the servers that are watched: a new, empty one for each start, on SQLite or on one PostgreSQL."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.__main__ import CONFIGURATION
from tests.bench.servers import Cores, Running, running
from tests.bench.watch.contestants import Watched
from tests.servers import (
    DEFAULT_POSTGRES_VERSION,
    administer,
    sqlite_url,
    start_postgres,
    start_redis,
    stop_process,
    with_database,
)


class Databases:
    """Starts servers on databases of their own; PostgreSQL and Redis run away from the server's core."""

    def __init__(self, stack: ExitStack, cores: Cores) -> None:
        self._stack = stack
        self._cores = cores
        self._directory = Path(stack.enter_context(TemporaryDirectory(prefix="issuegraph-bench-")))
        self._names = count()
        self._postgres: str | None = None

    @contextmanager
    def started(self, watched: Watched, database: str | None = None) -> Iterator[Running]:
        """The server, once it answers; on a database of its own if none is given. Raises Failed."""
        url = database or self.empty(watched.contestant.database)
        with running(watched.contestant, url, self._cores) as server:
            yield server

    def empty(self, kind: str) -> str:
        """The URL of a database of this kind; for `none`, one that nobody opens."""
        name = f"bench_{next(self._names)}"
        if kind != "postgresql":
            return sqlite_url(self._directory / f"{name}.db")
        if self._postgres is None:
            with self._cores.away():
                state = start_postgres(self._directory, DEFAULT_POSTGRES_VERSION, CONFIGURATION)
            self._stack.callback(stop_process, state | {"signal": int(signal.SIGINT)})
            self._postgres = str(state["url"])
        administer(self._postgres, f"CREATE DATABASE {name} TEMPLATE template0")
        return with_database(self._postgres, name)

    def redis(self) -> str:
        """The URL of a Redis."""
        with self._cores.away():
            state = start_redis(self._directory)
        self._stack.callback(stop_process, state)
        return str(state["url"])


@contextmanager
def databases(cores: Cores) -> Iterator[Databases]:
    """Everything is gone at the end."""
    with ExitStack() as stack:
        yield Databases(stack, cores)
