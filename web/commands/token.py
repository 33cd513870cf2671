"""`issuegraph token`: who may come, handled by those who hold the database."""

import re
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from web.commands import Stop
from web.commands.database import on_database
from web.settings import load

if TYPE_CHECKING:
    from models.database import Database
    from resolvers.access import TokenRow, Tokens
    from resolvers.caller import Caller
    from web.commands import Commands

T = TypeVar("T")

PERMISSIONS = ("read", "report", "respond", "manage", "admin")
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def add_to(commands: "Commands") -> None:
    """`issuegraph token create|list|rotate|revoke`."""
    parser = commands.add_parser("token", help="make, list, rotate and revoke the tokens that let clients in")
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    create = actions.add_parser("create", help="make a token; its secret alone goes to standard output")
    create.add_argument("--name", required=True, help="for people, such as the name of the client")
    create.add_argument(
        "--permission", required=True, action="append", choices=PERMISSIONS, help="may be given several times"
    )
    create.add_argument(
        "--namespace", required=True, action="append", help="a name, a prefix such as 'team-*', or '*'; several times"
    )
    create.add_argument(
        "--webhook",
        help="only for the paths of this webhook definition, or of another product's clients:"
        " devlake, pulse, sqibs, keep",
    )
    create.add_argument("--expires-in", metavar="TIME", help="such as 90d, 12h or 30m; without it, never")
    create.set_defaults(run=_create)
    actions.add_parser("list", help="list the tokens, the newest first").set_defaults(run=_list)
    rotate = actions.add_parser("rotate", help="give a token another secret; the one before is good for a while")
    rotate.add_argument("token", help="its id, or its name if only one has it")
    rotate.add_argument("--overlap", metavar="TIME", default="24h", help="for how long; 0 ends it now (default 24h)")
    rotate.set_defaults(run=_rotate)
    revoke = actions.add_parser("revoke", help="end a token for good")
    revoke.add_argument("token", help="its id, or its name if only one has it")
    revoke.set_defaults(run=_revoke)


def _create(arguments: Namespace) -> None:
    from models.values import time_of
    from resolvers.access import NewToken
    from resolvers.caller import Grant, Permission

    lasts = _duration("--expires-in", arguments.expires_in) if arguments.expires_in else None

    async def create(tokens: "Tokens", caller: "Caller") -> str:
        new = NewToken(
            name=arguments.name,
            grants=tuple(
                Grant(Permission(permission.upper()), namespace)
                for permission in arguments.permission
                for namespace in arguments.namespace
            ),
            webhook=arguments.webhook,
            expires_at=None if lasts is None else time_of(datetime.now(UTC) + lasts),
        )
        changed = await tokens.create(new, caller)
        _tell(f"token {changed.token.id} ({changed.token.name!r}); its secret is shown this once:")
        assert changed.secret is not None
        return changed.secret

    print(_with_tokens(create, _shipped() if arguments.webhook else None))


def _list(arguments: Namespace) -> None:
    from resolvers.access import PageArguments, cursor_of

    async def rows(tokens: "Tokens", caller: "Caller") -> "list[TokenRow]":
        found: list[TokenRow] = []
        page = await tokens.page(caller, PageArguments(first=100))
        found += page.rows
        while page.has_next:
            page = await tokens.page(caller, PageArguments(first=100, after=cursor_of(found[-1].id)))
            found += page.rows
        return found

    for row in _with_tokens(rows):
        where = f" webhook={row.webhook}" if row.webhook else ""
        grants = ",".join(f"{grant.permission.lower()}:{grant.namespace}" for grant in row.grants)
        print(f"{row.id} {_state(row):<8} used={row.last_used_at or 'never'} {row.name!r} {grants}{where}")


def _rotate(arguments: Namespace) -> None:
    from resolvers.access.tokens import MAX_OVERLAP

    overlap = timedelta(0) if arguments.overlap == "0" else _duration("--overlap", arguments.overlap)
    if overlap > MAX_OVERLAP:
        raise Stop(f"--overlap is {MAX_OVERLAP.days}d at most (it is {arguments.overlap!r})")

    async def rotate(tokens: "Tokens", caller: "Caller") -> str:
        row = await _only(tokens, arguments.token)
        changed = await tokens.rotate(row.id, caller, overlap=overlap)
        _tell(f"token {row.id} ({row.name!r}); its new secret is shown this once:")
        assert changed.secret is not None
        return changed.secret

    print(_with_tokens(rotate))


def _revoke(arguments: Namespace) -> None:
    async def revoke(tokens: "Tokens", caller: "Caller") -> None:
        row = await _only(tokens, arguments.token)
        await tokens.revoke(row.id, caller)
        _tell(f"token {row.id} ({row.name!r}) is revoked")

    _with_tokens(revoke)


async def _only(tokens: "Tokens", name_or_id: str) -> "TokenRow":
    found = await tokens.named(name_or_id)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Stop(f"there is no token {name_or_id!r}")
    raise Stop(f"{len(found)} tokens are named {name_or_id!r}; say which by its id: {', '.join(t.id for t in found)}")


def _with_tokens(act: "Callable[[Tokens, Caller], Awaitable[T]]", shipped: Collection[str] | None = None) -> T:
    """`shipped`: with those that users made, the webhooks to which a token may be tied; None: it is not to be."""

    settings = load()

    async def with_tokens(database: "Database", caller: "Caller") -> T:
        from resolvers.access import AuditLog, Tokens
        from resolvers.webhooks.registry import stored_names

        webhooks = () if shipped is None else {*shipped, *await stored_names(database)}
        audit, most = AuditLog(database), settings.max_tokens
        return await act(Tokens(database, audit, webhooks=webhooks, known=webhooks, most=most), caller)

    return on_database(settings, with_tokens)


def _shipped() -> set[str]:
    from web.webhook_paths import shipped_names
    from webhooks.definition import DefinitionError

    try:
        return shipped_names()
    except DefinitionError as error:
        raise Stop(str(error)) from None


def _duration(option: str, text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Stop(f"{option} is a number with m, h or d behind it, such as 90d (it is {text!r})")
    return int(found[1]) * _UNITS[found[2]]


def _state(row: "TokenRow") -> str:
    from models.values import now

    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "good"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
