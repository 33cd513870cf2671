"""`issuegraph erase`: removes all of a namespace, for a tenant that has left."""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from web.commands import Stop, check_namespace
from web.commands.database import on_database
from web.settings import Settings, load

if TYPE_CHECKING:
    from models.database import Database
    from resolvers.caller import Caller
    from resolvers.tenant import Counted, Erased
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph erase --namespace NAME [--yes] [--vacuum]`."""
    parser = commands.add_parser("erase", help="remove all of a namespace for good, also while a server runs")
    parser.add_argument("--namespace", required=True, metavar="NAME", help="exactly this one")
    parser.add_argument("--yes", action="store_true", help="without it, it only says what would go")
    parser.add_argument(
        "--vacuum", action="store_true", help="SQLite: then write the file anew, without what was removed"
    )
    parser.set_defaults(run=_erase)


def _erase(arguments: Namespace) -> None:
    settings, namespace = load(), arguments.namespace
    check_namespace(namespace)
    if arguments.vacuum and settings.sqlite_path is None:
        raise Stop("--vacuum is for SQLite; PostgreSQL does it by itself (autovacuum)")

    async def count(database: "Database", caller: "Caller") -> "Counted":
        from resolvers.tenant import count

        return await count(database, namespace)

    async def erase(database: "Database", caller: "Caller") -> "Erased":
        from resolvers.access import AuditLog
        from resolvers.mutation import Writer
        from resolvers.tenant import Erase

        writer = Writer(
            database,
            occurrences_kept=settings.occurrences_kept,
            run_memory_days=settings.run_memory_days,
            log_retention_days=settings.log_retention_days,
            audit_retention_days=settings.audit_retention_days,
            deployment_retention_days=settings.deployment_retention_days,
        )
        await writer.start()
        try:
            return await Erase(database, writer, AuditLog(database)).run(namespace, caller)
        finally:
            await writer.close()

    if not arguments.yes:
        there = on_database(settings, count)
        told = f"{there.issues:,} issues and {there.events:,} lines of the log"
        raise Stop(f"{told} of namespace {namespace!r} would go for good; if they are to, say --yes")
    erased = on_database(settings, erase)
    print(
        f"{namespace}: removed {erased.issues:,} issues, {erased.events:,} lines of the log and"
        f" {erased.scopes:,} scopes, {erased.records:,} deliveries, deployments, changes and issues of other trackers;"
        " tokens keep their grants",
        file=sys.stderr,
        flush=True,
    )
    if arguments.vacuum:
        _vacuum(settings)
    if erased.left:
        raise Stop(f"{erased.left:,} issues came meanwhile: revoke the tokens that report there, then run it again")


def _vacuum(settings: Settings) -> None:
    import sqlite3

    from models.vacuum import vacuum

    try:
        is_all = vacuum(settings.database_url)
    except sqlite3.Error as error:
        raise Stop(f"{settings.sqlite_path} was not written anew: {error}") from None
    if not is_all:
        raise Stop(f"{settings.sqlite_path}-wal still has what was removed, as somebody reads: run it again")
