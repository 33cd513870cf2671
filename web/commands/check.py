"""`issuegraph check`: looks whether everything is as it must be."""

import asyncio
import logging
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from web.commands.database import is_new_file
from web.commands.serve import certificate_of, check_authorities, open_to_others
from web.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph check`."""
    commands.add_parser("check", help="look whether everything is as it must be").set_defaults(run=_check)


def _check(arguments: Namespace) -> int:
    return check()


def check() -> int:
    """Prints one line for each thing that must be right; 1 if one is not."""
    try:
        settings = load()
    except SettingsError as problem:
        print(f"settings     {problem}")
        return 1
    # A line each is all there is to say.
    logging.disable()
    found = [_line(name, look, settings) for name, look in _CHECKS.items()]
    return 0 if all(found) else 1


def _line(name: str, look: Callable[[Settings], str | None], settings: Settings) -> bool:
    try:
        problem = look(settings)
    except Exception as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
    print(f"{name:12} {problem or 'ok'}")
    return problem is None


def _look_at_settings(settings: Settings) -> str | None:
    certificate_of(settings)
    check_authorities(settings)
    return open_to_others(settings)


def _look_at_database(settings: Settings) -> str | None:
    from web.house import open_database

    if is_new_file(settings):
        return f"{settings.sqlite_path} is not there yet: run `issuegraph migrate`"

    async def ping() -> None:
        database = open_database(settings)
        try:
            await database.ping()
        finally:
            await database.close()

    asyncio.run(ping())
    return None


def _look_at_migrations(settings: Settings) -> str | None:
    from models.migrations import is_current

    if not is_new_file(settings) and is_current(settings.database_url):
        return None
    return "not up to date: run `issuegraph migrate`"


def _look_at_wakeups(settings: Settings) -> str | None:
    from resolvers.subscription.wakeups import Wakeups

    async def connect() -> str | None:
        wakeups = Wakeups(settings.wakeups_url)
        wakeups.start(lambda position: None)
        try:
            for _ in range(50):
                if wakeups.status.connected:
                    return None
                await asyncio.sleep(0.1)
            return wakeups.status.problem
        finally:
            await wakeups.close()

    return asyncio.run(connect())


def _look_at_definitions(settings: Settings) -> str | None:
    from webhooks import definition

    definition.load()
    return None


_CHECKS: dict[str, Callable[[Settings], str | None]] = {
    "settings": _look_at_settings,
    "database": _look_at_database,
    "migrations": _look_at_migrations,
    "wake-ups": _look_at_wakeups,
    "definitions": _look_at_definitions,
}
