"""`issuegraph backup`: a copy of the embedded database, also while a server has it."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from web.commands import Stop
from web.commands.database import is_new_file
from web.settings import Settings, load

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph backup FILE`."""
    parser = commands.add_parser("backup", help="copy the embedded database, also while the server runs")
    parser.add_argument("file", type=Path, metavar="FILE", help="where to; it must not be there yet")
    parser.set_defaults(run=_backup)


def _backup(arguments: Namespace) -> None:
    backup(load(), arguments.file)


def backup(settings: Settings, file: Path) -> None:
    """Copies the database. Raises Stop."""
    import sqlite3

    from models.backup import DamagedCopy, back_up

    if settings.sqlite_path is None:
        raise Stop("`backup` is for SQLite; PostgreSQL has `pg_dump`")
    if is_new_file(settings):
        raise Stop(f"{settings.sqlite_path} is not there")
    try:
        size = back_up(settings.database_url, file)
    except FileExistsError:
        raise Stop(f"{file} is there already, and is left as it is") from None
    except (OSError, sqlite3.Error, DamagedCopy) as error:
        raise Stop(f"{settings.sqlite_path} was not copied to {file}: {error}") from None
    print(f"{file} has all of {settings.sqlite_path}: {size:,} bytes")
