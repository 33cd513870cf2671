"""Alembic migrations, for both databases from empty; run by `issuegraph migrate` and `issuegraph serve --dev`.

Alembic itself is read only when there is something to do: it would take a fifth of a start.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
from sqlalchemy import URL, Connection, column, create_engine, inspect, make_url, select, table, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.database import Database
from models.postgresql import WRITE_LOCK

T = TypeVar("T")

HERE = Path(__file__).parent


class NewerDatabase(Exception):
    """The tables are none that this version knows."""


def migrate(url: str) -> None:
    """Brings the database at `url` to the newest revision; several processes may do so at once.

    Not for use inside a running event loop. Raises NewerDatabase, and SQLAlchemyError or OSError when the database does
    not answer.
    """
    path = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not is_current(url):
        on_connection(url, _upgrade)


def is_current(url: str) -> bool:
    """Whether the database at `url` is at the newest revision. Like `migrate`, and asyncpg's errors."""
    if make_url(url).get_backend_name() == "postgresql":
        found = asyncio.run(_revision_in_postgresql(make_url(url)))
    else:
        found = on_connection(url, _revision)
    if found is not None and found not in revisions():
        raise NewerDatabase(f"was made by another, newer version of issuegraph (revision {found})")
    return found == revisions()[-1]


async def is_old(database: Database) -> bool:
    """Whether `issuegraph migrate` is to run first, for a server that is running; one migrated by a newer version is
    not old. Raises DatabaseError."""
    version = table("alembic_version", column("version_num"))
    rows = await database.fetch(database.compile(select(version.c.version_num)))
    found = rows[0][0] if rows else ""
    return found in revisions()[:-1] or not found


async def _revision_in_postgresql(url: URL) -> str | None:
    """Through a pooler too, which SQLAlchemy's named statements would not get through."""
    _, arguments = url.get_dialect()().create_connect_args(url)
    connection = await asyncpg.connect(**arguments, statement_cache_size=0)
    try:
        # One transaction is one session, whoever stands in between.
        async with connection.transaction(readonly=True):
            if await connection.fetchval("SELECT to_regclass('alembic_version') IS NULL"):
                return None
            found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
            return found
    finally:
        await connection.close()


def on_connection(url: str, call: Callable[[Connection], T]) -> T:
    """What `call` returns on a connection of its own to the database at `url`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        # Without aiosqlite: its thread complains aloud about a file that cannot be opened.
        with create_engine(parsed.set(drivername="sqlite"), poolclass=NullPool).connect() as connection:
            return call(connection)
    return asyncio.run(_over_asyncpg(parsed, call))


async def _over_asyncpg(url: URL, call: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(call)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({WRITE_LOCK})")
        connection.commit()
    else:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.commit()
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    command.upgrade(config, "head")
    connection.commit()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    (found,) = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() or (None,)
    return found


def revisions() -> list[str]:
    """All, the newest last, as the names of their files say: `0001_first_tables.py` is 0001."""
    return sorted(path.name.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*.py"))
