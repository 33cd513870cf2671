"""A database that was restored from a backup: its log goes on as another one."""

import secrets

from sqlalchemy import Connection, select, update

from models.event import EventLog
from models.migrations import on_connection

IDENTITY_BYTES = 6


def log_end(url: str) -> tuple[str, int]:
    """The identity of the log of the database at `url`, and the position of its newest line. Like `renew_log`."""
    return on_connection(url, _log_end)


def renew_log(url: str) -> None:
    """Gives the log of the database at `url` a new identity: positions given out before are positions of another log.

    Not for use inside a running event loop. Raises SQLAlchemyError or OSError when the database does not answer.
    """
    on_connection(url, _renew)


def _log_end(connection: Connection) -> tuple[str, int]:
    identity, end = connection.execute(select(EventLog.identity, EventLog.end)).one()
    return identity, end


def _renew(connection: Connection) -> None:
    connection.execute(update(EventLog).values(identity=secrets.token_hex(IDENTITY_BYTES)))
    connection.commit()
