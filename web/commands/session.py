"""`issuegraph session`: who is signed in with a browser, and how to end that, by those who hold the database."""

import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from web.commands import Stop
from web.commands.database import on_database
from web.settings import load

if TYPE_CHECKING:
    from models.database import Database
    from resolvers.access import SessionRow, SignedIn
    from resolvers.caller import Caller
    from web.commands import Commands

T = TypeVar("T")


def add_to(commands: "Commands") -> None:
    """`issuegraph session list|revoke`."""
    parser = commands.add_parser("session", help="list and end the browser sessions of those who are signed in")
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", help="list the sessions, the newest first").set_defaults(run=_list)
    revoke = actions.add_parser("revoke", help="end all sessions of somebody, or one; they can sign in again")
    revoke.add_argument("who", help="somebody's id, or name if only one has it, or the id of a session")
    revoke.set_defaults(run=_revoke)


def _list(arguments: Namespace) -> None:
    async def rows(signed_in: "SignedIn", caller: "Caller") -> "list[SessionRow]":
        found = page = await signed_in.page()
        while page:
            page = await signed_in.page(before=page[-1].id)
            found = found + page
        return found

    for row in _with_sessions(rows):
        print(f"{row.id} {_named(row)} since={row.created_at} until={row.expires_at}")


def _revoke(arguments: Namespace) -> None:
    async def revoke(signed_in: "SignedIn", caller: "Caller") -> "list[SessionRow]":
        found = await signed_in.of(arguments.who)
        if not found:
            raise Stop(f"nobody is signed in as {arguments.who!r}, and no session has this id")
        people = sorted({row.actor.id for row in found})
        if len(people) > 1:
            raise Stop(f"{len(people)} are named {arguments.who!r}; say who by the id: {', '.join(people)}")
        return await signed_in.revoke([row.id for row in found], caller)

    for row in _with_sessions(revoke):
        print(f"session {row.id} of {_named(row)} is over", file=sys.stderr, flush=True)


def _named(row: "SessionRow") -> str:
    return f"{row.actor.kind.lower()} {row.actor.id} {row.actor.name!r}"


def _with_sessions(act: "Callable[[SignedIn, Caller], Awaitable[T]]") -> T:
    async def with_sessions(database: "Database", caller: "Caller") -> T:
        from resolvers.access import AuditLog, SignedIn

        return await act(SignedIn(database, AuditLog(database)), caller)

    return on_database(load(), with_sessions)
