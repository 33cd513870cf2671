"""The embedded database written anew: what was deleted is in no page of the file any more."""

import sqlite3
from contextlib import closing

from sqlalchemy import make_url

BUSY_TIMEOUT_SECONDS = 30.0


def vacuum(url: str) -> bool:
    """Writes the SQLite database at `url` anew, also while a server has it; nobody else can write meanwhile.

    Whether its write-ahead log is empty as well: not while somebody reads what was before. Raises sqlite3.Error.
    """
    path = make_url(url).database or ""
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        ((is_busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not is_busy
