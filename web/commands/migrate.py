"""`issuegraph migrate`: brings the database up to date."""

from argparse import Namespace
from typing import TYPE_CHECKING

from web.commands.database import database_errors
from web.settings import Settings, load

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph migrate`."""
    commands.add_parser("migrate", help="bring the database up to date").set_defaults(run=_migrate)


def _migrate(arguments: Namespace) -> None:
    migrate(load())


def migrate(settings: Settings) -> None:
    """Brings the database up to date. Raises Stop when it does not answer."""
    from models.migrations import migrate

    with database_errors(settings):
        migrate(settings.database_url)
