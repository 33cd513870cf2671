"""Connections: where the clients of DevLake's webhook report to, each with a token of its own."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, select, update

from models import DevlakeConnection
from models.base import Id, Position, Time, Word
from models.database import Database, Fetch, Row, Statement, Steps, Write
from models.values import now, parse_id
from resolvers.access.storage import insert_row, unavailable_unless
from resolvers.access.tokens import Changed, NewToken, TokenRow, Tokens
from resolvers.caller import Caller, Grant, Permission
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH

MAX_NAME_LENGTH = 100
MAX_CONNECTIONS = 1_000  # that are listed
# Drawn, so that nobody can tell from one how many there are, and none is ever used again.
LEAST_ID, MOST_ID = 100_000, 999_999_999


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection. Times are texts in our form."""

    id: int
    name: str
    namespace: str
    token_id: str | None
    created_at: str
    updated_at: str


class Connections:
    """Those of one database; `webhook` is what their tokens are tied to. Every method raises Unavailable when the
    database cannot be reached or written."""

    def __init__(self, database: Database, tokens: Tokens, *, webhook: str) -> None:
        compile = database.compile
        self._database = database
        self._tokens = tokens
        self._webhook = webhook
        given = bindparam("given", type_=Word())
        self._by_id = compile(_select(DevlakeConnection.id == bindparam("given", type_=Position)))
        self._by_name = compile(_select(DevlakeConnection.name == given))
        self._by_token = compile(_select(DevlakeConnection.token_id == bindparam("given", type_=Id())))
        self._all = compile(_select(DevlakeConnection.id.is_not(None)))
        self._add = compile(insert_row(DevlakeConnection))
        key = DevlakeConnection.id == bindparam("id_key", type_=Position)
        new = {"name": bindparam("new_name", type_=Word()), "updated_at": bindparam("at", type_=Time())}
        self._rename = compile(update(DevlakeConnection).where(key).values(new))
        self._delete = compile(delete(DevlakeConnection).where(key))

    async def find(self, id: int) -> ConnectionRow | None:
        """The one with this number."""
        if not 0 < id <= MOST_ID:
            return None
        return next(iter(await self._read(self._by_id, given=id)), None)

    async def named(self, name: str) -> list[ConnectionRow]:
        """Those with this name; each namespace has one at most."""
        return await self._read(self._by_name, given=name) if "\0" not in name else []

    async def of_token(self, token_id: str) -> ConnectionRow | None:
        """The one that a token was made for."""
        id = parse_id(token_id)
        return next(iter(await self._read(self._by_token, given=id)), None) if id else None

    async def managed(self, caller: Caller) -> list[ConnectionRow]:
        """Those where the caller has MANAGE, in order of their names."""
        there = await self._read(self._all)
        return [row for row in there if caller.may(Permission.MANAGE, row.namespace)][:MAX_CONNECTIONS]

    async def create(self, name: str, namespace: str, caller: Caller) -> tuple[ConnectionRow, Changed]:
        """Makes one, and a token that may REPORT there; the secret is in the answer and never again.

        Needs MANAGE and ADMIN. Raises Forbidden, and Invalid (CONFLICT for a name that is taken).
        """
        checks = Checks()
        checks.filled(("namespace",), namespace, MAX_NAMESPACE_LENGTH)
        _check_name(checks, name)
        checks.done()
        _check_may_manage(caller, namespace)
        id = secrets.randbelow(MOST_ID - LEAST_ID + 1) + LEAST_ID
        made: list[ConnectionRow] = []

        def adding(token: TokenRow) -> Steps[None]:
            yield from self._check_is_free(name, namespace)
            at = now()
            made[:] = [ConnectionRow(id, name, namespace, token.id, at, at)]
            yield Write(self._add, [{field: getattr(made[0], field) for field in ConnectionRow.__slots__}])

        token = NewToken(name=f"webhook-{id}", grants=(Grant(Permission.REPORT, namespace),), webhook=self._webhook)
        changed = await self._tokens.create(token, caller, also=adding)
        return made[0], changed

    async def rename(self, row: ConnectionRow, name: str, caller: Caller) -> ConnectionRow:
        """Gives one another name. Needs MANAGE. Raises Forbidden, and Invalid as `create` does."""
        checks = Checks()
        _check_name(checks, name)
        checks.done()
        _check_may_manage(caller, row.namespace)
        at = now()

        def work() -> Steps[None]:
            if name != row.name:
                yield from self._check_is_free(name, row.namespace)
            yield Write(self._rename, [{"id_key": row.id, "new_name": name, "at": at}])

        with unavailable_unless("written"):
            await self._database.transact(work)
        return ConnectionRow(row.id, name, row.namespace, row.token_id, row.created_at, at)

    async def delete(self, row: ConnectionRow, caller: Caller) -> None:
        """Removes one, and ends its token. Needs MANAGE and ADMIN. Raises Forbidden."""
        _check_may_manage(caller, row.namespace)

        def deleting() -> Steps[None]:
            yield Write(self._delete, [{"id_key": row.id}])

        if row.token_id is None:
            with unavailable_unless("written"):
                await self._database.transact(deleting)
        else:
            try:
                await self._tokens.revoke(row.token_id, caller, also=deleting)
            except Invalid:
                raise Forbidden(f"no permission to admin in namespace {row.namespace}") from None

    def _check_is_free(self, name: str, namespace: str) -> Steps[None]:
        rows = yield Fetch(self._by_name, {"given": name})
        if any(_row(row).namespace == namespace for row in rows):
            message = f"A webhook with name {name} already exists."
            raise Invalid([UserError(code="CONFLICT", field=("name",), message=message)])

    async def _read(self, statement: Statement, **values: Any) -> list[ConnectionRow]:
        def work() -> Steps[Sequence[Row]]:
            return (yield Fetch(statement, values))

        with unavailable_unless("read"):
            return [_row(row) for row in await self._database.read(work)]


def _select(condition: ColumnElement[bool]) -> Any:
    columns = [DevlakeConnection.__table__.columns[name] for name in ConnectionRow.__slots__]
    return select(*columns).where(condition).order_by(DevlakeConnection.name, DevlakeConnection.id)


def _row(row: Row) -> ConnectionRow:
    return ConnectionRow(*row)


def _check_name(checks: Checks, name: str) -> None:
    checks.filled(("name",), name, MAX_NAME_LENGTH)


def _check_may_manage(caller: Caller, namespace: str) -> None:
    if not caller.may(Permission.MANAGE, namespace):
        raise Forbidden(f"no permission to manage in namespace {namespace}")
