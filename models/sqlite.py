"""SQLite: short reads where they are asked for, long ones on aiosqlite, and one thread of our own that writes."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Dialect, make_url

from models.database import DatabaseError, Fetch, Refused, Row, TimedOut, Together, Unavailable, Work
from models.lines import OWN
from models.sqlite_reading import FAILURES, KEPT_STATEMENTS, READER_PRAGMAS, Clock, NotShort, ShortReads, fetch
from models.sqlite_statistics import analyze
from models.turns import Turns

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 30.0
MAX_WAL_BYTES = 64 * 1024 * 1024
# Between two commits that copy the write-ahead log into the file: 16 MB. SQLite's own 1,000 copy a page more often.
WAL_PAGES = 4_000
# A batch of reports changes some 500 pages, which SQLite's own 2 MB hold without those that lead to them: it would read
# six pages a report again.
WRITER_CACHE_KIB = 16_384
# Of each index: a sample is enough, and the writer waits meanwhile.
ANALYZED_ROWS = 1_000

# Steps of SQLite's machine between two looks at the clock: some milliseconds.
STEPS_BETWEEN_LOOKS = 200_000


def _translated(error: Exception) -> DatabaseError:
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | OverflowError):
        return Refused(str(error))
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        return TimedOut("SQLite: the statement took too long")
    return Unavailable(f"SQLite: {error}")


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise _translated(error) from error


async def _call(connection: aiosqlite.Connection, call: Callable[..., T], *arguments: Any) -> T:
    """Calls in the connection's thread: aiosqlite has no public word for it, and a whole plan is to be one call."""
    result: T = await connection._execute(call, *arguments)  # type: ignore[no-untyped-call]
    return result


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Reader:
    """A connection that only reads, and the clock of its statements."""

    connection: aiosqlite.Connection
    clock: Clock


class SQLite:
    """One file: many readers, one writer."""

    def __init__(self, url: str, *, synchronous: str, readers: int, timeout_seconds: float) -> None:
        if synchronous not in ("FULL", "NORMAL"):
            raise ValueError("synchronous must be FULL or NORMAL")
        self.dialect: Dialect = make_url(url).get_dialect()()
        self._path = make_url(url).database or ":memory:"
        if self._path == ":memory:":
            raise ValueError("SQLite needs a file: several connections read it")
        self._wal = f"{self._path}-wal"
        self._synchronous = synchronous
        self._short = ShortReads(self._path)
        self._idle: list[_Reader] = []
        # What readers began and a cancelled one no longer waits for.
        self._finishing: set[asyncio.Task[Any]] = set()
        self._timeout_seconds = timeout_seconds
        self._turns = Turns(readers)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._writing: sqlite3.Connection | None = None

    @property
    def reads(self) -> tuple[int, int]:
        return self._turns.running, self._turns.waiting

    async def read(self, work: Work[T], *, statements: int, line: str = OWN) -> T:
        with suppress(NotShort):
            return await self._short.read(work, statements)
        return await self._read_in_thread(work, statements, line)

    async def _read_in_thread(self, work: Work[T], statements: int, line: str) -> T:
        turn = await self._turns.take(line)
        try:
            reader = await self._reader()
        except BaseException:
            self._turns.give_back(turn)
            raise
        try:
            result: T = await _call(reader.connection, self._snapshot, reader, work, statements)
        except asyncio.CancelledError:
            # The thread is still at it, until it looks at the clock.
            reader.clock.stop()
            ended = self._begin(_call(reader.connection, _nothing))
            ended.add_done_callback(lambda _: self._give_back(reader, turn))
            raise
        except BaseException:
            self._give_back(reader, turn)
            raise
        self._give_back(reader, turn)
        return result

    async def transact(self, work: Work[T]) -> T:
        return await self._in_thread(lambda: self._transact(work))

    async def analyze(self) -> None:
        await self._in_thread(self._analyze)

    async def ping(self) -> None:
        # Not in the queue of the readers: that they are busy does not mean that the database is away.
        await asyncio.to_thread(self._ping)

    async def close(self) -> None:
        # All that is being read comes to its end first.
        await self._turns.all_over()
        while self._finishing:
            await asyncio.wait(self._finishing)
        while self._idle:
            await self._idle.pop().connection.close()
        self._short.close()
        await self._in_thread(self._close_writing)
        self._thread.shutdown()

    async def _reader(self) -> _Reader:
        while not self._idle:
            await asyncio.shield(self._begin(self._connect()))
        reader = self._idle.pop()
        reader.clock.go()
        return reader

    async def _connect(self) -> None:
        clock = Clock(self._timeout_seconds)
        with _translating():
            connection = await aiosqlite.connect(
                self._path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS, cached_statements=KEPT_STATEMENTS
            )
            for pragma in READER_PRAGMAS:
                await connection.execute(pragma)
            await connection.set_progress_handler(clock.look, STEPS_BETWEEN_LOOKS)
        self._idle.append(_Reader(connection, clock))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Goes on to its end even if the reader that waits for it is cancelled."""
        task = asyncio.create_task(work)
        self._finishing.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._finishing.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left who wants to know

    def _give_back(self, reader: _Reader, turn: object) -> None:
        self._idle.append(reader)
        self._turns.give_back(turn)

    def _snapshot(self, reader: _Reader, work: Work[T], statements: int) -> T:
        connection = reader.connection._conn
        # One statement has one snapshot by itself.
        if statements <= 1:
            return self._run(connection, work, reader.clock)
        # SQLite may ask the clock here too: it counts the steps of a statement over all its runs.
        reader.clock.start()
        with _translating():
            connection.execute("BEGIN")
        try:
            return self._run(connection, work, reader.clock)
        finally:
            reader.clock.start(stops=False)
            connection.rollback()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _transact(self, work: Work[T]) -> T:
        with _translating():
            connection = self._writing_connection()
            connection.execute("BEGIN IMMEDIATE")
        try:
            result = self._run(connection, work)
            with _translating():
                connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._bound_wal(connection)
        return result

    def _run(self, connection: sqlite3.Connection, work: Work[T], clock: Clock | None = None) -> T:
        steps = work()
        rows: list[Row] | None = None
        failure: DatabaseError | None = None
        while True:
            try:
                # The first send starts the work and so must be None.
                step = steps.send(rows) if failure is None else steps.throw(failure)  # type: ignore[arg-type]
            except StopIteration as end:
                result: T = end.value
                return result
            failure = None
            if clock:
                if clock.stopped:
                    # Nobody waits for the rest.
                    steps.close()
                    raise TimedOut("SQLite: the reader was cancelled")
                clock.start()
            try:
                if isinstance(step, Fetch):
                    rows = fetch(connection, step)
                else:
                    for write in step.writes if isinstance(step, Together) else (step,):
                        connection.executemany(write.statement.sql, write.bound)
                    rows = []
            except FAILURES as error:
                failure = _translated(error)
                failure.__cause__ = error

    def _writing_connection(self) -> sqlite3.Connection:
        if self._writing is None:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            self._writing = connection
        return self._writing

    def _ping(self) -> None:
        with _translating(), closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            # What touches no table does not touch the file.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()

    def _analyze(self) -> None:
        with _translating():
            analyze(self._writing_connection(), ANALYZED_ROWS)

    def _bound_wal(self, connection: sqlite3.Connection) -> None:
        """Under unbroken load the log never gets to restart by itself; between two batches it can."""
        # What was committed stays committed. Without a log there is nothing to do.
        with suppress(sqlite3.Error, FileNotFoundError):
            if os.stat(self._wal).st_size <= MAX_WAL_BYTES:
                return
            # While somebody reads what is in the log, as a backup does, it stays: the next batch tries again.
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1_000:.0f}")

    def _close_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None
