"""The file of an SQLite database has one server, and a note beside it of how far its log went."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from web.commands import Stop
from web.commands.database import database_errors
from web.settings import Settings

TOLD_TO_BEGIN_ANEW = "The log has a new identity: clients with older positions are told to read their lists again"
# The identity of a log, and where it ended.
_NOTE = re.compile(r"([0-9a-f]{12}) (\d+)\n")


@contextmanager
def only_server(settings: Settings) -> Iterator[TextIO | None]:
    """An SQLite file has one server: a locked file beside it says so. Raises Stop when there is one already."""
    path = settings.sqlite_path
    if path is None:
        yield None
        return
    import fcntl

    # By its own name: two links to one file are one file.
    file = Path(path).resolve()
    if file.is_dir():
        raise Stop(f"{path} is a directory; an SQLite database is a file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = Path(f"{file}.lock").open("a+")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(f"another server has {path} open; several servers need PostgreSQL") from None
        yield lock


@contextmanager
def noting_the_log(settings: Settings, lock: TextIO | None) -> Iterator[None]:
    """Notes in the locked file how far the log goes. One that ends before the note was restored, and is another one."""
    if lock is None:
        yield
        return
    from models.restored import log_end, renew_log

    lock.seek(0)
    noted = _NOTE.fullmatch(lock.read())
    with database_errors(settings):
        identity, end = log_end(settings.database_url)
        if noted and noted[1] == identity and end < int(noted[2]):
            renew_log(settings.database_url)
            print(f"{settings.sqlite_path} was restored from a backup. {TOLD_TO_BEGIN_ANEW}", flush=True)

    def note() -> None:
        # Without it only this is not noticed.
        with suppress(Stop, OSError), database_errors(settings):
            identity, end = log_end(settings.database_url)
            lock.truncate(0)
            lock.write(f"{identity} {end}\n")
            lock.flush()

    note()
    try:
        yield
    finally:
        note()
