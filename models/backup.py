"""A copy of the embedded database, of one moment, while others write."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import mkstemp

from sqlalchemy import make_url

BUSY_TIMEOUT_SECONDS = 30.0


class DamagedCopy(Exception):
    """What was copied is not a sound database."""


def back_up(url: str, target: Path) -> int:
    """Copies the SQLite database at `url` to the new file `target`, for its owner alone, and returns its bytes.

    `target` is there only once it is whole and on disk. Raises FileExistsError, OSError, sqlite3.Error, DamagedCopy.
    """
    if target.exists():
        raise FileExistsError(target)
    handle, made = mkstemp(prefix=f".{target.name}.", dir=target.parent)
    unfinished = Path(made)
    try:
        database = make_url(url).database or ""
        with (
            closing(sqlite3.connect(database, timeout=BUSY_TIMEOUT_SECONDS)) as source,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            # In one go, as one read: a copy in pieces begins anew whenever somebody writes in between.
            source.backup(copy)
            # One file is all of it.
            copy.execute("PRAGMA journal_mode = DELETE")
            if copy.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise DamagedCopy("the copy is damaged, and so the database may be")
        os.fsync(handle)
        # Unlike a rename, it never replaces a file.
        os.link(unfinished, target)
        size = target.stat().st_size
    finally:
        os.close(handle)
        for path in (unfinished, Path(f"{made}-wal"), Path(f"{made}-shm"), Path(f"{made}-journal")):
            path.unlink(missing_ok=True)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return size
