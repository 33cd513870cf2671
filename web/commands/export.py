"""`issuegraph export`: all of a namespace, for a tenant that leaves."""

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile, mkstemp
from typing import IO, TYPE_CHECKING

from web.commands import Stop, check_namespace
from web.commands.database import on_database
from web.settings import load

if TYPE_CHECKING:
    from models.database import Database
    from resolvers.caller import Caller
    from resolvers.tenant import Exported
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph export --namespace NAME [--output FILE]`."""
    parser = commands.add_parser("export", help="write all of a namespace as lines of JSON, also while a server runs")
    parser.add_argument("--namespace", required=True, metavar="NAME", help="exactly this one")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to; it must not be there yet (default: standard output)"
    )
    parser.set_defaults(run=_export)


def _export(arguments: Namespace) -> None:
    namespace, output = arguments.namespace, arguments.output
    check_namespace(namespace)

    async def export(database: "Database", caller: "Caller") -> "Exported":
        from resolvers.access import AuditLog
        from resolvers.tenant import Export, NothingThere

        try:
            with _new_file(output) if output else _for_standard_output() as file:
                return await Export(database, AuditLog(database)).write(namespace, file, caller.actor)
        except NothingThere:
            raise Stop(f"there is nothing of a namespace {namespace!r}: nothing was written") from None

    try:
        exported = on_database(load(), export)
    except FileExistsError:
        raise Stop(f"{output} is there already, and is left as it is") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Stop(f"{output or 'standard output'} was not written: {error.strerror}") from None
    told = f"{exported.issues:,} issues, {exported.relations:,} relations, {exported.events:,} lines of the log"
    print(f"{namespace}: {told}", file=sys.stderr, flush=True)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Becomes the file at `path`, for its owner alone, once it is whole and on disk. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(path)
    handle, made = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, it never replaces a file.
        os.link(made, path)
    finally:
        Path(made).unlink()


@contextmanager
def _for_standard_output() -> Iterator[IO[bytes]]:
    """Goes to standard output once it is whole: whoever reads slowly holds up no database."""
    with TemporaryFile() as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
