"""SQLite: how a connection reads, and the reads that are short enough for the event loop."""

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from models.database import Fetch, Row, Statement, Work

T = TypeVar("T")

FAILURES = (sqlite3.Error, OverflowError)

# Pages that a connection keeps, and as much of the file as it reads without a copy: a page of issues takes two thirds,
# and statistics half as long as with SQLite's own 2 MB.
READER_CACHE_KIB = 65_536
MAPPED_BYTES = 1024**3
READER_PRAGMAS = (
    "PRAGMA query_only = ON",
    f"PRAGMA cache_size = -{READER_CACHE_KIB}",
    f"PRAGMA mmap_size = {MAPPED_BYTES}",
)
# Ready to run again, of each connection.
KEPT_STATEMENTS = 256

# How many rows are read before they are counted: of those that may be long as many as seem to have so many bytes.
ROWS_AT_ONCE = 500
LONG_ROWS_AT_ONCE = 1
BYTES_AT_ONCE = 250_000
# About what a value has that cannot be long.
BYTES_OF_A_VALUE = 60

# How long the event loop may be held up by one.
SHORT_SECONDS = 0.005
# What it brings: the JSON of more is not made there.
SHORT_BYTES = 1_000_000
# Of SQLite's machine, between two looks at the clock.
STEPS_OF_SHORT_READS = 1_000
MAX_RUNS_ELSEWHERE = 64
# After so much reading since others of the event loop were let in, they are: some tasks only ever read.
UNBROKEN_SECONDS = 0.005


class Clock:
    """Ends a statement that takes too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = 0.0
        self._stops = True
        # Set by another thread than the one that reads: nobody waits for this reader any more.
        self.stopped = False

    def start(self, *, stops: bool = True) -> None:
        """A statement begins; `stops`: it may be ended because nobody waits for it."""
        self._end = time.monotonic() + self._seconds
        self._stops = stops

    def stop(self) -> None:
        """Whoever reads is to end now."""
        self.stopped = True

    def go(self) -> None:
        """Somebody else reads."""
        self.stopped = False

    def look(self) -> bool:
        """Whether it must end: SQLite asks now and then."""
        return (self.stopped and self._stops) or time.monotonic() > self._end


class NotShort(Exception):
    """A read that the event loop cannot do, or not in time."""


def fetch(connection: sqlite3.Connection, wanted: Fetch, most: int | None = None) -> list[Row]:
    """The rows, read in pieces that are counted. Raises NotShort for more than `most` bytes."""
    statement, tell = wanted.statement, wanted.tell
    # One that is not at its end keeps the connection where the database was when it began.
    with closing(connection.execute(statement.sql, statement.bind(wanted.values))) as cursor:
        if tell is None and most is None:
            return statement.decoded(cursor.fetchall())
        rows: list[Row] = []
        read = 0
        long = statement.long
        at_once = LONG_ROWS_AT_ONCE if long else ROWS_AT_ONCE
        while some := cursor.fetchmany(at_once):
            size = len(some) * len(some[0]) * BYTES_OF_A_VALUE
            if long:
                size += sum([len(text) for row in some for place in long if (text := row[place])])
            read += size
            if most is not None and read > most:
                raise NotShort
            if tell is not None:
                tell(size)
            rows += statement.decoded(some)
            if len(some) < at_once:
                break
            at_once = min(max(BYTES_AT_ONCE * len(some) // size, 1), ROWS_AT_ONCE)
        return rows


@dataclass(slots=True)
class _Elsewhere:
    """A statement that took too long: `left` runs begin in a thread yet, and twice as many if it does again."""

    runs: int
    left: int


class ShortReads:
    """Reads on the event loop itself, by a connection of their own.

    The way to a thread and back, and threads that take the interpreter from each other at every row, cost more than
    most reads. One that takes longer ends with NotShort, and is to begin anew in a thread.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._clock = Clock(SHORT_SECONDS)
        self._elsewhere: WeakKeyDictionary[Statement, _Elsewhere] = WeakKeyDictionary()
        self._unbroken = 0.0

    async def read(self, work: Work[T], statements: int) -> T:
        """What the work returns. Raises NotShort."""
        start = time.monotonic()
        result = self._read(work, statements)
        self._unbroken += time.monotonic() - start
        if self._unbroken > UNBROKEN_SECONDS:
            self._unbroken = 0.0
            await asyncio.sleep(0)
        return result

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, work: Work[T], statements: int) -> T:
        try:
            connection = self._connection or self._connect()
            self._clock.start()
            # One statement has one snapshot by itself.
            if statements <= 1:
                return self._run(connection, work)
            connection.execute("BEGIN")
            try:
                return self._run(connection, work)
            finally:
                self._clock.start()
                connection.rollback()
        except FAILURES as error:
            # What is wrong, if anything is, the thread will say.
            raise NotShort from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=0, cached_statements=KEPT_STATEMENTS)
        for pragma in READER_PRAGMAS:
            connection.execute(pragma)
        connection.set_progress_handler(self._clock.look, STEPS_OF_SHORT_READS)
        self._connection = connection
        return connection

    def _run(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        steps = work()
        try:
            step: Any = next(steps)
            while True:
                step = steps.send(self._fetch(connection, step))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    def _fetch(self, connection: sqlite3.Connection, wanted: Fetch) -> list[Row]:
        elsewhere = self._elsewhere.get(wanted.statement)
        if elsewhere is not None and elsewhere.left:
            elsewhere.left -= 1
            raise NotShort
        try:
            # SQLite asks only in long statements.
            if self._clock.look():
                raise NotShort
            rows = fetch(connection, wanted, SHORT_BYTES)
        except (NotShort, sqlite3.OperationalError):
            runs = 1 if elsewhere is None else min(2 * elsewhere.runs, MAX_RUNS_ELSEWHERE)
            self._elsewhere[wanted.statement] = _Elsewhere(runs, runs)
            raise
        if elsewhere is not None:
            del self._elsewhere[wanted.statement]
        return rows
