"""A database that was restored from a backup: its log goes on as another one; run by `issuegraph restored`."""

import secrets

from sqlalchemy import Connection, update

from models.event import EventLog
from models.migrations import on_connection

IDENTITY_BYTES = 6


def renew_log(url: str) -> None:
    """Gives the log of the database at `url` a new identity: positions given out before are positions of another log.

    Not for use inside a running event loop. Raises SQLAlchemyError or OSError when the database does not answer.
    """
    on_connection(url, _renew)


def _renew(connection: Connection) -> None:
    connection.execute(update(EventLog).values(identity=secrets.token_hex(IDENTITY_BYTES)))
    connection.commit()
