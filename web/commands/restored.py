"""`issuegraph restored`: after a backup was put back."""

from argparse import Namespace
from typing import TYPE_CHECKING

from web.commands import Stop
from web.commands.database import check_current, database_errors, is_new_file
from web.commands.sqlite_file import TOLD_TO_BEGIN_ANEW, only_server
from web.settings import Settings, load

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph restored`."""
    parser = commands.add_parser("restored", help="after a backup was restored: tell clients to begin anew")
    parser.set_defaults(run=_restored)


def _restored(arguments: Namespace) -> None:
    restored(load())


def restored(settings: Settings) -> None:
    """Gives the log of a restored database a new identity. Raises Stop when it does not answer or is in use."""
    from models.restored import renew_log

    if is_new_file(settings):
        raise Stop(f"{settings.sqlite_path} is not there")
    with only_server(settings):
        check_current(settings)
        with database_errors(settings):
            renew_log(settings.database_url)
    print(TOLD_TO_BEGIN_ANEW)
