"""PostgreSQL 14+ on asyncpg: a pool of connections whose ids and times are the strings of `models.values`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Dialect, make_url

from models.database import Fetch, Refused, Row, Statement, Steps, Unavailable, Work
from models.values import time_of

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 10.0
# As long as SQLite waits for its lock. Beyond, whoever holds it is not merely busy.
WRITE_LOCK_TIMEOUT_SECONDS = 30.0
# A network that swallows packets gives no error by itself.
WRITE_TIMEOUT_SECONDS = 60.0
# One number for all processes of a database: holding it is the right to write (the text is "issuegr").
WRITE_LOCK = 0x69737375656772

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# A program limit is a row too wide for an index.
_REFUSALS = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.ProgramLimitExceededError)


@contextmanager
def _translated(*, in_doubt: bool = False) -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise Refused(str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable(f"PostgreSQL: {str(error) or type(error).__name__}", in_doubt=in_doubt) from error


def _select_one() -> Steps[None]:
    yield Fetch(Statement("SELECT 1", (), {}, frozenset()))


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
    """A server: a pool to read, and one connection that writes behind the advisory lock."""

    def __init__(self, url: str, *, readers: int) -> None:
        self.dialect: Dialect = make_url(url).get_dialect()()
        _, self._arguments = self.dialect.create_connect_args(make_url(url))
        self._readers = readers
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._writing: Any = None
        self._write_turn = asyncio.Lock()

    async def read(self, work: Work[T]) -> T:
        with _translated():
            pool = await self._opened_pool()
            connection = await pool.acquire(timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            with _translated():
                # By hand: asyncpg's transaction objects cost as much as a small query.
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return await self._run(connection, work)
        finally:
            # Shielded: a reader that is cancelled must not keep its connection.
            await asyncio.shield(self._end_snapshot(connection))

    async def transact(self, work: Work[T]) -> T:
        async with self._write_turn:
            with _translated():
                connection = await self._writing_connection()
                transaction = connection.transaction()
                await transaction.start()
            try:
                with _translated():
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITE_LOCK)
                result = await self._run(connection, work)
            except BaseException:
                await self._roll_back(transaction)
                raise
            with _translated(in_doubt=True):
                await transaction.commit()
            return result

    async def analyze(self) -> None:
        # Read-only snapshots cannot; a transaction of the writer would keep its lock meanwhile.
        pool = await self._opened_pool()
        with _translated():
            async with pool.acquire(timeout=CONNECT_TIMEOUT_SECONDS) as connection:
                await connection.execute("ANALYZE")

    async def ping(self) -> None:
        await self.read(_select_one)

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing.close()
        if self._pool is not None:
            await self._pool.close()

    async def _end_snapshot(self, connection: Any) -> None:
        try:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            connection.terminate()
        finally:
            await self._pool.release(connection)

    async def _run(self, connection: Any, work: Work[T]) -> T:
        steps = work()
        rows: list[Row] | None = None
        while True:
            try:
                # The first send starts the work and so must be None.
                step = steps.send(rows)  # type: ignore[arg-type]
            except StopIteration as end:
                result: T = end.value
                return result
            with _translated():
                if isinstance(step, Fetch):
                    rows = await connection.fetch(step.statement.sql, *step.statement.bind(step.values))
                else:
                    await connection.executemany(step.statement.sql, [step.statement.bind(row) for row in step.rows])
                    rows = []

    async def _roll_back(self, transaction: Any) -> None:
        try:
            await asyncio.shield(transaction.rollback())
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            # The connection is gone, and the transaction with it; the next one opens another.
            self._writing.terminate()

    async def _opened_pool(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._connect_arguments(), min_size=1, max_size=self._readers, init=set_codecs
                )
        return self._pool

    async def _writing_connection(self) -> Any:
        if self._writing is None or self._writing.is_closed():
            milliseconds = str(int(WRITE_LOCK_TIMEOUT_SECONDS * 1000))
            self._writing = await asyncpg.connect(
                **self._connect_arguments(),
                command_timeout=WRITE_TIMEOUT_SECONDS,
                server_settings={"lock_timeout": milliseconds},
            )
            await set_codecs(self._writing)
        return self._writing

    def _connect_arguments(self) -> dict[str, Any]:
        return {"timeout": CONNECT_TIMEOUT_SECONDS, **self._arguments}
