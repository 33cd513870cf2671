"""Sessions as administrators handle them: listed, and ended for somebody else."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import bindparam, or_, select, update

from models import Access, Session, Token
from models.base import Id, Position, Time, Word
from models.database import Database, Fetch, Row, Steps, Write
from models.dialect import ListOf, any_of
from models.values import now, parse_id
from resolvers.access.audit import AuditLog
from resolvers.access.storage import unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller

# More ids than any: where a list begins.
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that is good. Times are texts in our form."""

    id: str
    actor: Actor
    created_at: str
    expires_at: str
    # Whose business it is; `*` for what a token was signed in with.
    namespace: str


class SignedIn:
    """The sessions of one database that are good. Every method raises Unavailable.

    Other processes hear of an end as they hear of a revoked token.
    """

    def __init__(self, database: Database, audit: AuditLog) -> None:
        compile = database.compile
        self._database = database
        self._audit = audit
        columns = [Session.__table__.columns[name] for name in _COLUMNS]
        at = bindparam("at", type_=Time())
        good_token = Token.revoked_at.is_(None) & or_(Token.expires_at.is_(None), Token.expires_at > at)
        good = (
            select(*columns)
            .outerjoin(Token, Token.id == Session.token_id)
            .where(Session.revoked_at.is_(None), Session.expires_at > at, or_(Session.token_id.is_(None), good_token))
            .order_by(Session.id.desc())
        )
        page = good.where(Session.id < bindparam("before", type_=Id()))
        self._page = compile(page.limit(bindparam("size", type_=Position)))
        who = bindparam("who", type_=Word())
        self._of_id = compile(good.where(Session.actor_id == who))
        self._named = compile(good.where(Session.actor_name == who))
        self._one = compile(good.where(Session.id == bindparam("id", type_=Id())))
        self._some = compile(good.where(any_of(Session.id, bindparam("ids", type_=ListOf(Id())))))
        key = Session.id == bindparam("id_key", type_=Id())
        self._revoke = compile(update(Session).where(key).values(revoked_at=at))
        self._changed = compile(update(Access).values(version=Access.version + 1))

    async def page(self, before: str | None = None) -> list[SessionRow]:
        """Those before a session of this id, the newest first, MAX_PAGE at most."""
        with unavailable_unless("read"):
            values = {"at": now(), "before": before or _LAST_ID, "size": MAX_PAGE}
            return [_session(row) for row in await self._database.fetch(self._page, values)]

    async def of(self, who: str) -> list[SessionRow]:
        """The session with this id; else all of whoever has this id; else of those with this name. The newest first.

        People choose their names: one that is another's id hides nobody.
        """
        at, id = now(), parse_id(who)
        with unavailable_unless("read"):
            found = await self._database.fetch(self._one, {"at": at, "id": id}) if id else []
            found = found or await self._database.fetch(self._of_id, {"at": at, "who": who})
            found = found or await self._database.fetch(self._named, {"at": at, "who": who})
        return [_session(row) for row in found]

    async def revoke(self, ids: Iterable[str], caller: Caller) -> list[SessionRow]:
        """Ends these sessions; returns those of them that were still good."""
        values = {"ids": sorted(ids)}

        def work() -> Steps[list[SessionRow]]:
            at = now()
            ended = [_session(row) for row in (yield Fetch(self._some, {**values, "at": at}))]
            for session in ended:
                yield Write(self._revoke, [{"id_key": session.id, "at": at}])
                yield self._audit.add(
                    "SESSION_REVOKED",
                    caller.actor,
                    namespace=session.namespace,
                    subject=session.id,
                    details={"name": session.actor.name, "of": session.actor.id},
                )
            if ended:
                yield Write(self._changed, [{}])
            return ended

        with unavailable_unless("written"):
            return await self._database.transact(work)


_COLUMNS = ("id", "actor_kind", "actor_id", "actor_name", "grants", "created_at", "expires_at")


def _session(row: Row) -> SessionRow:
    id, kind, actor_id, name, grants, created_at, expires_at = row
    listed = [] if grants is None else orjson.loads(grants)
    namespaces = {namespace for _, namespace in listed}
    namespace = namespaces.pop() if len(namespaces) == 1 else "*"
    return SessionRow(id, Actor(ActorKind(kind), actor_id, name), created_at, expires_at, namespace)
