"""The database behind one interface: one moment to read, one locked transaction at a time to write."""

# Annotations of inner functions would be made anew in every run.
from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson
from sqlalchemy import Dialect, LargeBinary, Select, make_url
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from models.base import LongJson, LongWord
from models.dialect import ListOf
from models.given import Given
from models.lines import OWN
from models.shown import Records

T = TypeVar("T")
Row = Sequence[Any]
Values = Mapping[str, Any]

NO_VALUES: Values = MappingProxyType({})


class DatabaseError(Exception):
    """Something the database said no to."""


class Refused(DatabaseError):
    """A constraint stands against it; nothing of the transaction was written."""


class Unavailable(DatabaseError):
    """The database cannot be reached or written now. `in_doubt`: the commit was sent, its answer was lost."""

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class TimedOut(DatabaseError):
    """A statement that reads took longer than the limit. Work that catches it may go on, on the same moment."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Statement:
    """SQL that was compiled once: its text, the names of its parameters in order, and the values it came with."""

    sql: str
    names: tuple[str, ...]
    constants: Values
    # Parameters that are lists and go as one JSON text, and columns that are rows and come as one (SQLite).
    json_lists: frozenset[str] = frozenset()
    json_rows: tuple[int, ...] = ()
    # Columns of which a row may have very much (SQLite).
    long: tuple[int, ...] = ()
    # All rows of a Write go in one run, each parameter an array of their values (PostgreSQL).
    at_once: bool = False

    def bind(self, values: Values) -> list[Any]:
        """The driver's positional parameters. Raises KeyError for a parameter without a value."""
        constants, json_lists = self.constants, self.json_lists
        bound = [values[name] if name in values else constants[name] for name in self.names]
        if json_lists:
            for place, name in enumerate(self.names):
                if name in json_lists:
                    bound[place] = orjson.dumps(bound[place]).decode()
        return bound

    def decoded(self, rows: list[Row]) -> list[Row]:
        """The driver's rows with rows within them as lists."""
        if not self.json_rows:
            return rows
        return [self._decoded(list(row)) for row in rows]

    def _decoded(self, row: list[Any]) -> Row:
        for place in self.json_rows:
            row[place] = orjson.loads(row[place])
        return row


# Is told of so many bytes more that were read; what it raises ends the reading, and the work.
Count = Callable[[int], None]


class Fetch(NamedTuple):
    """Yielded by a transaction's work: wants the rows of a statement, as a list of tuples, their bytes counted."""

    statement: Statement
    values: Values = NO_VALUES
    tell: Count | None = None


class Write(NamedTuple):
    """Yielded by a transaction's work: runs a statement once for each of `rows`.

    They are all mappings, or all tuples of positional parameters in the order of the statement's names.
    """

    statement: Statement
    rows: Sequence[Values] | Sequence[tuple[Any, ...]]

    @property
    def bound(self) -> Sequence[Sequence[Any]]:
        """The rows as the driver takes them."""
        if isinstance(self.rows[0], tuple):
            return self.rows  # type: ignore[return-value]
        return [self.statement.bind(row) for row in self.rows]  # type: ignore[arg-type]


class Together(NamedTuple):
    """Yielded by a transaction's work: writes that the database may do at once.

    No row is in two of them, and none has to make room for another's. Foreign keys from one to another hold.
    """

    writes: Sequence[Write]


# Work yields what it wants of the database, is sent the rows, and returns its result. It never waits for anything else:
# on SQLite it runs in a thread, as a whole.
Steps = Generator[Fetch | Write | Together, list[Row], T]
Work = Callable[[], Steps[T]]


class Driver(Protocol):
    """One kind of database, on its own driver."""

    dialect: Dialect

    @property
    def reads(self) -> tuple[int, int]: ...

    async def read(self, work: Work[T], *, statements: int, line: str = OWN) -> T: ...

    async def transact(self, work: Work[T]) -> T: ...

    async def analyze(self) -> None: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class Database:
    """SQLite or PostgreSQL, by URL: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user@host/name`.

    `synchronous` (SQLite: FULL or NORMAL) says whether a commit waits for the disk. `readers` is how many
    reads run at once; more wait. By default that is 8 on PostgreSQL and 2 on SQLite, whose readers are threads of this
    process: more of them take the interpreter from each other. A statement that reads may take `timeout_seconds`. A
    connection to PostgreSQL keeps `kept_statements` prepared; `pooled` says that a pooler stands in between.
    Opens connections when they are first needed.
    """

    def __init__(
        self,
        url: str,
        *,
        synchronous: str = "FULL",
        readers: int | None = None,
        timeout_seconds: float = 10.0,
        kept_statements: int = 500,
        pooled: bool = False,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        backend = make_url(url).get_backend_name()
        self.driver: Driver
        if backend == "sqlite":
            from models.sqlite import SQLite

            self.driver = SQLite(url, synchronous=synchronous, readers=readers or 2, timeout_seconds=timeout_seconds)
        elif backend == "postgresql":
            from models.postgresql import PostgreSQL

            self.driver = PostgreSQL(
                url,
                readers=readers or 8,
                timeout_seconds=timeout_seconds,
                kept_statements=kept_statements,
                pooled=pooled,
            )
        else:
            raise ValueError(f"{backend} is not a database that issuegraph knows: sqlite and postgresql are")
        self.name = backend

    @property
    def dialect(self) -> Dialect:
        """For compiling; `dialect.name` is `sqlite` or `postgresql`."""
        return self.driver.dialect

    @property
    def reads(self) -> tuple[int, int]:
        """How many readers are in use, and how many reads wait for one. On SQLite short reads need none."""
        return self.driver.reads

    def compile(self, statement: ClauseElement) -> Statement:
        """A SQLAlchemy statement as SQL to keep. Bind parameters are named; lists are `ListOf`."""
        compiled = statement.compile(dialect=self.dialect)
        binds: Mapping[str, Any] = getattr(compiled, "binds", {})
        lists = {name for name, bind in binds.items() if isinstance(bind.type, ListOf)}
        return Statement(
            sql=str(compiled),
            names=tuple(getattr(compiled, "positiontup", None) or ()),
            constants={name: bind.value for name, bind in binds.items() if not bind.required},
            json_lists=frozenset(lists) if self.name == "sqlite" else frozenset(),
            json_rows=tuple(_places_of(statement, Records)) if self.name == "sqlite" else (),
            long=tuple(_places_of(statement, Records, LongWord, LongJson, LargeBinary))
            if self.name == "sqlite"
            else (),
        )

    def compile_write(self, build: Callable[[Given], ClauseElement], types: Mapping[str, TypeEngine[Any]]) -> Statement:
        """The statement that `build` makes of the rows of a `Write`; `types` are those of the parameters, in order."""
        at_once = self.name == "postgresql"
        return replace(self.compile(build(Given(types, at_once=at_once))), at_once=at_once)

    def read(self, work: Work[T], *, statements: int = 2, line: str = OWN) -> Coroutine[Any, Any, T]:
        """Runs `work`, which only reads, on one moment of the database, and returns what it returned.

        Work of one statement, or none, is told of by `statements`: it needs no transaction to see one moment. Rows are
        tuples of what the JSON shows. Work may be begun twice, and so changes nothing outside of it. `line` is whose
        work it is: where reads wait, lines take turns, and none of them holds all readers. When the reader is
        cancelled, so is what the database does for it. Raises TimedOut, and Unavailable when the database cannot be
        reached.
        """
        return self.driver.read(work, statements=statements, line=line)

    async def fetch(self, statement: Statement, values: Values = NO_VALUES) -> list[Row]:
        """The rows of one statement. Raises TimedOut and Unavailable."""

        def work() -> Steps[list[Row]]:
            return (yield Fetch(statement, values))

        return await self.read(work, statements=1)

    async def transact(self, work: Work[T]) -> T:
        """Runs `work` as one transaction behind the write lock, commits, and returns what it returned.

        The lock comes before the first statement, so nothing that `work` reads can change before it commits; one
        transaction runs at a time, over all processes. An exception inside rolls back. Raises Refused or Unavailable.
        """
        return await self.driver.transact(work)

    async def analyze(self) -> None:
        """Takes statistics of the tables for the planner of the database. Raises Unavailable."""
        await self.driver.analyze()

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        await self.driver.ping()

    async def close(self) -> None:
        """Closes every connection."""
        await self.driver.close()


def _places_of(statement: ClauseElement, *types: type[TypeEngine[Any]]) -> Iterator[int]:
    if isinstance(statement, Select):
        for place, column in enumerate(statement.selected_columns):
            if isinstance(column.type, types):
                yield place
