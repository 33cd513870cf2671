"""What the commands ask of the database, and how they say what is wrong with it."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from web.commands import Stop
from web.settings import Settings

if TYPE_CHECKING:
    from models.database import Database
    from resolvers.caller import Caller

T = TypeVar("T")


def on_database(settings: Settings, act: "Callable[[Database, Caller], Awaitable[T]]") -> T:
    """What `act` returns of an open database that is up to date, for who runs the command. Raises Stop."""
    from resolvers.errors import Problem

    if is_new_file(settings):
        raise Stop(f"{settings.sqlite_path} is not there yet: run `issuegraph migrate`")
    check_current(settings)
    try:
        return asyncio.run(_acted(settings, act))
    except Problem as problem:
        raise Stop(problem.message) from None


async def _acted(settings: Settings, act: "Callable[[Database, Caller], Awaitable[T]]") -> T:
    from resolvers.caller import Actor, ActorKind, everywhere
    from web.house import open_database

    user = user_name()
    database = open_database(settings)
    try:
        return await act(database, everywhere(Actor(ActorKind.PERSON, f"command-line:{user}", user)))
    finally:
        await database.close()


def user_name() -> str:
    """Who runs the command: the name, or the number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def is_new_file(settings: Settings) -> bool:
    return settings.sqlite_path is not None and not Path(settings.sqlite_path).exists()


def check_current(settings: Settings) -> None:
    from models.migrations import is_current

    with database_errors(settings):
        current = is_current(settings.database_url)
    if not current:
        raise Stop("the database is not up to date: run `issuegraph migrate` first")


@contextmanager
def database_errors(settings: Settings) -> Iterator[None]:
    from asyncpg import InterfaceError, PostgresError
    from sqlalchemy.exc import SQLAlchemyError

    from models.migrations import NewerDatabase

    try:
        yield
    except NewerDatabase as error:
        raise Stop(f"the database {without_password(settings)} {error}") from None
    except (SQLAlchemyError, PostgresError, InterfaceError, OSError, TypeError, ValueError) as error:  # of options too
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise Stop(f"the database {without_password(settings)} does not answer: {why}") from None


def without_password(settings: Settings) -> str:
    from sqlalchemy import make_url

    return make_url(settings.database_url).render_as_string()
