"""Alembic migrations, for both databases from empty; run by `issuegraph migrate` and at every start."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.postgresql import WRITE_LOCK

T = TypeVar("T")


def migrate(url: str) -> None:
    """Brings the database at `url` to the newest revision; several processes may do so at once.

    Not for use inside a running event loop. Raises SQLAlchemyError or OSError when the database does not answer.
    """
    path = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    _on_connection(url, _upgrade)


def is_current(url: str) -> bool:
    """Whether the database at `url` is at the newest revision. Not for use inside a running event loop."""
    return _on_connection(url, _current)


def _on_connection(url: str, call: Callable[[Connection], T]) -> T:
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


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({WRITE_LOCK})")
        connection.commit()
    else:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.commit()
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    command.upgrade(_config(connection), "head")
    connection.commit()


def _current(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest
