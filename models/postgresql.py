"""PostgreSQL 14+ on asyncpg: a pool of connections whose ids and times are the strings of `models.values`."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Dialect, make_url

from models.database import (
    DatabaseError,
    Fetch,
    Refused,
    Row,
    Statement,
    Steps,
    TimedOut,
    Together,
    Unavailable,
    Work,
    Write,
)
from models.deadlines import Deadlines
from models.lines import OWN
from models.places import Places
from models.received import Connection, Received
from models.values import time_of

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 10.0
# For one of the connections that read.
WAIT_SECONDS = 10.0
SILENCE_SECONDS = 5.0
# As long as SQLite waits for its lock. Beyond, whoever holds it is not merely busy.
WRITE_LOCK_TIMEOUT_SECONDS = 30.0
# A process that stands still, or is cut off, in the middle of a transaction holds the lock up for all others.
WRITE_SILENCE_SECONDS = 5.0
# A network that swallows packets gives no error by itself.
WRITE_TIMEOUT_SECONDS = 60.0
# Of large tables it takes minutes, and nobody waits for it.
ANALYZE_TIMEOUT_SECONDS = 1_800.0
# One number for all processes of a database: holding it is the right to write (the text is "issuegr").
WRITE_LOCK = 0x69737375656772

_PARAMETER = re.compile(r"\$([0-9]+)")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# A program limit is a row too wide for an index.
_REFUSALS = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.ProgramLimitExceededError)
# asyncpg's internal error is a connection that PostgreSQL is just closing: its last word has come, its end not yet.
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

# A savepoint, so that a statement that takes too long ends alone and the snapshot stays.
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SAVEPOINT beginning"


def _translated(error: Exception, *, in_doubt: bool = False) -> DatabaseError:
    if isinstance(error, _REFUSALS):
        return Refused(str(error))
    return Unavailable(f"PostgreSQL: {str(error) or type(error).__name__}", in_doubt=in_doubt)


@contextmanager
def _translating(*, in_doubt: bool = False) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise _translated(error, in_doubt=in_doubt) from error


def _begin_writing() -> str:
    """Begins a transaction and waits for the lock, in one message; what comes after sees all that was committed."""
    limits = {
        "lock_timeout": WRITE_LOCK_TIMEOUT_SECONDS,
        "idle_in_transaction_session_timeout": WRITE_SILENCE_SECONDS,
    }
    set_limits = "".join(f"SET LOCAL {name} = {int(seconds * 1000)}; " for name, seconds in limits.items())
    return f"BEGIN ISOLATION LEVEL READ COMMITTED; {set_limits}SELECT pg_advisory_xact_lock({WRITE_LOCK})"


def _columns(write: Write) -> Iterator[tuple[Any, ...]]:
    """The rows of a write as the arrays that its statement takes."""
    return zip(*write.bound, strict=True)


@lru_cache(maxsize=500)
def _in_one_statement(statements: tuple[str, ...]) -> str:
    """Statements that write as one, whose parameters are theirs one after the other."""
    numbered: list[str] = []
    counts = [max(map(int, _PARAMETER.findall(sql))) for sql in statements]
    for sql, before in zip(statements, accumulate(counts, initial=0), strict=False):
        texts = _PARAMETER.split(sql)
        texts[1::2] = (f"${int(number) + before}" for number in texts[1::2])
        numbered.append("".join(texts))
    *others, last = numbered
    if not others:
        return last
    return f"WITH {', '.join(f'write_{place} AS ({sql})' for place, sql in enumerate(others))} {last}"


def _silent(received: Received) -> None:
    received.cut(Unavailable("PostgreSQL: it says nothing any more"))


def _select_one() -> Steps[None]:
    yield Fetch(Statement("SELECT 1", (), {}))


def _encode_time(text: str) -> tuple[int]:
    return ((datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND,)


def _decode_time(parts: tuple[int]) -> str:
    return time_of(_EPOCH + timedelta(microseconds=parts[0]))


def _encode_uuid(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def _decode_uuid(raw: bytes) -> str:
    return str(UUID(bytes=raw))


def _encode_jsonb(text: str) -> bytes:
    return b"\x01" + text.encode()


def _decode_jsonb(raw: bytes) -> str:
    return raw[1:].decode()


async def set_codecs(connection: Any) -> None:
    """Makes an asyncpg connection take and give our strings. Binary: text codecs would see bytes inside records."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=_encode_time, decoder=_decode_time
    )
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", format="binary", encoder=_encode_uuid, decoder=_decode_uuid
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )


class PostgreSQL:
    """A server: connections that read, and one that writes behind the advisory lock.

    `pooled` is for a pooler in between that gives a server connection for one transaction at a time (PgBouncer): then
    nothing outlives a transaction, no prepared statement and no setting.
    """

    def __init__(
        self, url: str, *, readers: int, timeout_seconds: float, kept_statements: int, pooled: bool = False
    ) -> None:
        self.dialect: Dialect = make_url(url).get_dialect()()
        _, self._arguments = self.dialect.create_connect_args(make_url(url))
        self._pooled = pooled
        self._kept_statements = 0 if pooled else kept_statements
        self._reading_settings = {
            "default_transaction_read_only": "on",
            # 0 would be no limit.
            "statement_timeout": str(max(1, int(timeout_seconds * 1000))),
            # Compiling costs more than it brings where rows are counted in hundreds.
            "jit": "off",
        }
        self._begin = _BEGIN
        if pooled:
            local = (f"SET LOCAL {name} = '{value}'" for name, value in self._reading_settings.items())
            self._begin = "; ".join(["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", *local, "SAVEPOINT beginning"])
        elif kept_statements:
            # Planned once a connection, not once a run: planning takes several times what running does.
            self._reading_settings["plan_cache_mode"] = "force_generic_plan"
        # The server ends what takes too long; this is for a server that says nothing any more.
        self._replies = Deadlines(timeout_seconds + SILENCE_SECONDS, _silent)
        self._readers = readers
        self._places = Places(readers, WAIT_SECONDS)
        self._idle: list[Any] = []
        self._writing: Any = None
        self._write_turn = asyncio.Lock()

    @property
    def reads(self) -> tuple[int, int]:
        return self._places.taken, self._places.waiting

    async def read(self, work: Work[T], *, statements: int, line: str = OWN) -> T:
        try:
            await self._places.take(line)
        except TimeoutError:
            raise Unavailable("PostgreSQL: all readers are busy") from None
        try:
            # The one used last is the warmest.
            connection = self._idle.pop() if self._idle else None
            if connection is None or connection.is_closed():
                connection = await self._new_reader()
            try:
                # One statement has one snapshot by itself.
                if statements > 1 or self._pooled:
                    with _translating():
                        # By hand: asyncpg's transaction objects cost as much as a small query.
                        await self._tell_reader(connection, self._begin)
                    result = await self._run(connection, work)
                    await self._roll_back(connection)
                    return result
                return await self._run(connection, work)
            except Exception:
                if not connection.is_closed() and connection.is_in_transaction():
                    await self._roll_back(connection)
                raise
            except BaseException:
                # Nobody waits for what the server still does for a reader that was cancelled.
                connection.terminate()
                raise
            finally:
                if not connection.is_closed():
                    self._idle.append(connection)
        finally:
            self._places.give_back(line)

    async def transact(self, work: Work[T]) -> T:
        async with self._write_turn:
            try:
                return await self._transact(work)
            except Unavailable:
                # A new connection may find what this one never will: a server that became a standby goes on reading.
                if self._writing is not None:
                    self._writing.terminate()
                raise

    async def _transact(self, work: Work[T]) -> T:
        with _translating():
            connection = await self._writing_connection()
        try:
            with _translating():
                await connection.execute(_begin_writing())
            result = await self._run(connection, work)
        except BaseException:
            await self._roll_back_writing(connection)
            raise
        with _translating(in_doubt=True):
            await connection.execute("COMMIT")
        return result

    async def analyze(self) -> None:
        # Readers may not, and a transaction of the writer would keep its lock meanwhile.
        with _translating():
            connection = await asyncpg.connect(command_timeout=ANALYZE_TIMEOUT_SECONDS, **self._connect_arguments())
            try:
                await connection.execute("ANALYZE")
            finally:
                await connection.close()

    async def ping(self) -> None:
        await self.read(_select_one, statements=1)

    async def close(self) -> None:
        # What is being read comes to its end first.
        ended = 0
        while ended < self._readers:
            with suppress(TimeoutError):
                await self._places.take()
                ended += 1
        connections = [*self._idle, *([self._writing] if self._writing is not None else [])]
        self._idle.clear()
        await asyncio.gather(*(connection.close() for connection in connections))

    async def _new_reader(self) -> Any:
        settings = {} if self._pooled else {"server_settings": self._reading_settings}
        with _translating():
            return await self._connect(**settings)

    async def _connect(self, **arguments: Any) -> Any:
        connection = await asyncpg.connect(
            **self._connect_arguments(),
            connection_class=Connection,
            statement_cache_size=self._kept_statements,
            # Otherwise everything would be planned again every five minutes, and long statements each time.
            max_cacheable_statement_size=0,
            max_cached_statement_lifetime=0,
            **arguments,
        )
        try:
            # In a transaction, as what it asks of the catalogue is several messages.
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS), connection.transaction():
                await set_codecs(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _roll_back(self, connection: Any) -> None:
        try:
            await self._tell_reader(connection, "ROLLBACK")
        except BaseException as error:
            # Nobody may be given a connection that is still in a transaction.
            connection.terminate()
            if not isinstance(error, _FAILURES):
                raise

    async def _run(self, connection: Any, work: Work[T]) -> T:
        steps = work()
        received = connection.received
        # asyncpg's own time-outs are a timer for each statement. The writer has them, a statement is many rows there.
        replies = None if connection is self._writing else self._replies
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
            try:
                if isinstance(step, Fetch):
                    received.count = step.tell
                    if replies is not None:
                        replies.begin(received)
                    try:
                        rows = await connection.fetch(step.statement.sql, *step.statement.bind(step.values))
                    finally:
                        received.count = None
                        if replies is not None:
                            replies.end(received)
                elif isinstance(step, Together):
                    sql = _in_one_statement(tuple(write.statement.sql for write in step.writes))
                    await connection.execute(sql, *chain.from_iterable(map(_columns, step.writes)))
                    rows = []
                else:
                    if step.statement.at_once:
                        await connection.execute(step.statement.sql, *_columns(step))
                    else:
                        await connection.executemany(step.statement.sql, step.bound)
                    rows = []
            except _FAILURES as error:
                if received.end is not None:
                    connection.terminate()
                    raise received.end from None
                if isinstance(error, asyncpg.InternalClientError):
                    connection.terminate()
                # Somebody's word may end a statement that writes as well: that is no limit of ours.
                if isinstance(error, asyncpg.QueryCanceledError) and connection is not self._writing:
                    failure = TimedOut("PostgreSQL: the statement took too long")
                    await self._back_to_the_beginning(connection)
                else:
                    failure = _translated(error)
                failure.__cause__ = error

    async def _back_to_the_beginning(self, connection: Any) -> None:
        """Work may go on after a statement that took too long, in the same snapshot."""
        if connection.is_in_transaction():
            with _translating():
                await self._tell_reader(connection, "ROLLBACK TO SAVEPOINT beginning")

    async def _tell_reader(self, connection: Any, command: str) -> None:
        self._replies.begin(connection.received)
        try:
            await connection.execute(command)
        finally:
            self._replies.end(connection.received)

    async def _roll_back_writing(self, connection: Any) -> None:
        try:
            await asyncio.shield(connection.execute("ROLLBACK"))
        except _FAILURES:
            # The connection is gone, and the transaction with it; the next one opens another.
            self._writing.terminate()

    async def _writing_connection(self) -> Any:
        if self._writing is None or self._writing.is_closed():
            self._writing = await self._connect(command_timeout=WRITE_TIMEOUT_SECONDS)
        return self._writing

    def _connect_arguments(self) -> dict[str, Any]:
        return {"timeout": CONNECT_TIMEOUT_SECONDS, **self._arguments}
