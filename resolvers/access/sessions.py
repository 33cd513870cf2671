"""Browser sessions: made when somebody signs in, ended when they sign out or when their time has come."""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import orjson
from sqlalchemy import bindparam, case, delete, literal_column, or_, select, update

from models import Access, Token
from models import Session as SessionTable
from models.base import Id, Time, Word
from models.database import Database, Fetch, Row, Steps, Work, Write
from models.dialect import ListOf, any_of
from models.values import new_id, now, time_of, to_datetime
from resolvers.access.audit import SERVER, AuditLog, whose
from resolvers.access.keyring import Keyring
from resolvers.access.lookup import Lookup
from resolvers.access.secret import digest_of
from resolvers.access.storage import insert_row, tell, unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Forbidden

T = TypeVar("T")

_RANDOM_BYTES = 32
# What the random bytes come to in base64: anything else is no cookie of ours, whatever the database says.
_SECRET_LENGTH = 43
# Of one caller; with one more, the oldest ends.
MAX_SESSIONS = 100
# Behind every time in the form of our rows.
_NEVER = "~"


@dataclass(slots=True)
class _Session:
    """One that somebody used here. `own` is who came, `shown` the same as it goes through the house.

    `ends`: seconds of the clock; what was shown at the sign-in may end before.
    """

    id: str
    token_id: str | None
    token_digest: str | None
    own: Caller
    ends: float
    shown: Caller


class Sessions:
    """The sessions of one database; those used in this process cost no way to it. Every method raises Unavailable.

    `on_change` is awaited after one was ended, before that is answered. `mapping`: the digest of the settings by which
    those have their rights who come without a token; what was given by others is good no more. None: by no settings.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        keyring: Keyring,
        *,
        on_change: Callable[[], Awaitable[None]],
        lifetime: timedelta,
        mapping: str | None = None,
    ) -> None:
        compile = database.compile
        self._mapping = mapping
        self.lifetime = lifetime
        self._database = database
        self._audit = audit
        self._keyring = keyring
        self._on_change = on_change
        self._by_digest: dict[str, _Session] = {}
        self._by_id: dict[str, _Session] = {}
        # Grows whenever sessions may have ended: what was read before is read again.
        self._generation = 0
        table = SessionTable.__table__
        columns = [table.columns[name] for name in _COLUMNS]
        self._add = compile(insert_row(SessionTable))
        digest = SessionTable.digest == bindparam("digest_key", type_=Word())
        self._one = compile(select(*columns).where(digest, SessionTable.revoked_at.is_(None)))
        among = any_of(SessionTable.digest, bindparam("keys", type_=ListOf(Word())))
        several = select(SessionTable.digest, *columns).where(among, SessionTable.revoked_at.is_(None))
        self._lookup = Lookup(database, compile(several))
        at = bindparam("at", type_=Time())
        is_newest = Token.digest == bindparam("shown", type_=Word())
        is_previous = (Token.previous_digest == bindparam("shown", type_=Word())) & (Token.previous_expires_at > at)
        self._good_until = compile(
            select(Token.expires_at, case((is_newest, None), else_=Token.previous_expires_at))
            .where(Token.id == bindparam("id", type_=Id()), Token.revoked_at.is_(None), or_(is_newest, is_previous))
            .where(or_(Token.expires_at.is_(None), Token.expires_at > at))
        )
        ids = any_of(SessionTable.id, bindparam("ids", type_=ListOf(Id())))
        still = select(SessionTable.id, SessionTable.expires_at)
        self._still = compile(still.where(ids, SessionTable.revoked_at.is_(None)))
        self._revoke = compile(update(SessionTable).where(digest).values(revoked_at=at))
        self._too_many = compile(
            select(SessionTable.id, SessionTable.digest)
            .where(SessionTable.actor_kind == bindparam("kind", type_=Word()))
            .where(SessionTable.actor_id == bindparam("who", type_=Word()))
            .where(SessionTable.revoked_at.is_(None), SessionTable.expires_at > at)
            .order_by(SessionTable.id.desc())
            .offset(literal_column(str(MAX_SESSIONS)))
        )
        self._forget = compile(delete(SessionTable).where(SessionTable.expires_at < bindparam("before", type_=Time())))
        self._changed = compile(update(Access).values(version=Access.version + 1))
        keyring.on_version.append(self._look_again)

    async def start(self, caller: Caller, instead_of: Sequence[str] = ()) -> str:
        """Signs somebody in: the secret for the cookie, which is good for `lifetime`, or as long as what was shown.

        `instead_of`: the cookies that the browser had, whose sessions end; so do the oldest of who has too many.
        Raises Forbidden for a token that meanwhile is not good, or by another secret than the one that was shown.
        """
        secret = secrets.token_urlsafe(_RANDOM_BYTES)
        id, actor = new_id(), caller.actor
        is_token = actor.kind is ActorKind.TOKEN
        ends = datetime.now(UTC) + self.lifetime
        if caller.expires_at < ends.timestamp():
            ends = datetime.fromtimestamp(caller.expires_at, UTC)
        grants = [[str(grant.permission), grant.namespace] for grant in caller.grants]
        values = {
            "id": id,
            "digest": digest_of(secret),
            "token_id": actor.id if is_token else None,
            "actor_kind": str(actor.kind),
            "actor_id": actor.id,
            "actor_name": actor.name,
            "grants": None if is_token else orjson.dumps(grants).decode(),
            "created_at": now(),
            "expires_at": time_of(ends),
            "revoked_at": None,
            "mapping_digest": None if is_token else self._mapping,
            "token_digest": caller.shown if is_token else None,
        }

        def work() -> Steps[list[str]]:
            at = now()
            if is_token:
                found = yield Fetch(self._good_until, {"id": actor.id, "shown": caller.shown, "at": at})
                if not found:
                    raise Forbidden("the token is no longer good")
                values["expires_at"] = min(time_of(ends), *found[0], key=lambda until: until or _NEVER)
            yield Write(self._forget, [{"before": at}])
            yield Write(self._add, [values])
            yield self._told("SIGNED_IN", id, caller)
            ended = []
            for digest in map(digest_of, filter(_is_ours, instead_of)):
                if (yield from self._signing_out(digest)):
                    ended.append(digest)
            ended += yield from self._ending_oldest(caller)
            if ended:
                yield Write(self._changed, [{}])
            return ended

        await self._tell(await self._transact(work))
        return secret

    async def find(self, secret: str) -> Caller | None:
        """Who is signed in with this cookie; None for nobody."""
        if not _is_ours(secret):
            return None
        digest = digest_of(secret)
        session = self._by_digest.get(digest) or await self._read(digest)
        if session is None or session.shown.expires_at <= time.time():
            return None
        if session.token_id is not None:
            own = self._of_token(session.token_id, session.token_digest)
            if own is None:
                return None
            if own is not session.own:
                session.own, session.shown = own, _shown(own, session.id, session.ends)
        return session.shown

    def admits(self, caller: Caller) -> bool:
        """Whether who came with a session would still be let in, as far as the session goes."""
        if caller.session is None:
            return True
        session = self._by_id.get(caller.session)
        return session is not None and session.shown.expires_at > time.time()

    async def end(self, secret: str) -> None:
        """Signs out, in every replica; of a session that is none, does nothing."""
        if await self.find(secret) is None:
            return
        digest = digest_of(secret)

        def work() -> Steps[list[str]]:
            if not (yield from self._signing_out(digest)):
                return []
            yield Write(self._changed, [{}])
            return [digest]

        await self._tell(await self._transact(work))

    def _signing_out(self, digest: str) -> Steps[bool]:
        """Ends the session with this digest; returns whether it was good."""
        for row in (yield Fetch(self._one, {"digest_key": digest})):
            session = self._of(row)
            if session is not None:
                yield Write(self._revoke, [{"digest_key": digest, "at": now()}])
                yield self._told("SIGNED_OUT", session.id, session.own)
                return True
        return False

    def _ending_oldest(self, caller: Caller) -> Steps[list[str]]:
        """Leaves room for the session that was just added."""
        actor, at = caller.actor, now()
        rows = yield Fetch(self._too_many, {"kind": str(actor.kind), "who": actor.id, "at": at})
        for id, digest in rows:
            yield Write(self._revoke, [{"digest_key": digest, "at": at}])
            details = {"name": actor.name, "of": actor.id}
            namespace = whose(caller.grants)
            yield self._audit.add("SESSION_REVOKED", SERVER, namespace=namespace, subject=id, details=details)
        return [digest for _, digest in rows]

    async def _tell(self, ended: list[str]) -> None:
        if ended:
            self._generation += 1
            for digest in ended:
                self._drop(digest)
            await tell(self._on_change, "sessions")

    def _told(self, kind: str, id: str, caller: Caller) -> Write:
        actor, namespace = caller.actor, whose(caller.grants)
        return self._audit.add(kind, actor, namespace=namespace, subject=id, details={"name": actor.name})

    async def _read(self, digest: str) -> _Session | None:
        has_looked = False
        while True:
            generation = self._generation
            row = await self._lookup.find(digest)
            if generation != self._generation:
                continue
            session = None if row is None else self._of(row)
            is_of_token = row is not None and row[_COLUMNS.index("token_id")] is not None
            if session is not None or not is_of_token or has_looked:
                break
            # Perhaps another process has just made its token.
            has_looked = True
            await self._keyring.refresh()
        if session is not None and session.shown.expires_at > time.time():
            self._drop_expired()
            self._by_digest[digest] = self._by_id[session.id] = session
            self._keyring.note_end(session.shown.expires_at)
        return session

    def _of(self, row: Row) -> _Session | None:
        """The session of a row, unless what it came from is no longer good: a token, or settings."""
        id, token_id, actor_kind, actor_id, actor_name, grants, expires_at, mapping, token_digest = row
        own: Caller | None
        if token_id is None:
            if mapping is None or mapping != self._mapping:
                return None
            listed = tuple(Grant(Permission(permission), namespace) for permission, namespace in orjson.loads(grants))
            own = Caller(Actor(ActorKind(actor_kind), actor_id, actor_name), listed)
        else:
            own = self._of_token(token_id, token_digest)
        if own is None:
            return None
        ends = to_datetime(expires_at).timestamp()
        return _Session(id, token_id, token_digest, own, ends, _shown(own, id, ends))

    def _of_token(self, id: str, digest: str | None) -> Caller | None:
        return self._keyring.of_token(id) if digest is None else self._keyring.of_digest(digest)

    async def _look_again(self) -> None:
        """Forgets the sessions that have ended."""
        self._generation += 1
        self._drop_expired()
        known = {session.id: digest for digest, session in self._by_digest.items()}
        if not known:
            return
        with unavailable_unless("read"):
            rows = await self._database.fetch(self._still, {"ids": [*known]})
        still = {id: to_datetime(expires_at).timestamp() for id, expires_at in rows}
        for id, digest in known.items():
            session = self._by_digest.get(digest)
            if id not in still:
                self._drop(digest)
            elif session is not None and session.ends != still[id]:
                # Its token was rotated.
                session.ends = still[id]
                session.shown = _shown(session.own, id, session.ends)
                self._keyring.note_end(session.ends)

    def _drop_expired(self) -> None:
        moment = time.time()
        for digest in [digest for digest, each in self._by_digest.items() if each.shown.expires_at <= moment]:
            self._drop(digest)

    def _drop(self, digest: str) -> None:
        session = self._by_digest.pop(digest, None)
        if session is not None:
            del self._by_id[session.id]

    async def _transact(self, work: Work[T]) -> T:
        with unavailable_unless("written"):
            return await self._database.transact(work)


_COLUMNS = (
    "id",
    "token_id",
    "actor_kind",
    "actor_id",
    "actor_name",
    "grants",
    "expires_at",
    "mapping_digest",
    "token_digest",
)


def _is_ours(secret: str) -> bool:
    return len(secret) == _SECRET_LENGTH


def _shown(own: Caller, id: str, expires_at: float) -> Caller:
    return replace(own, session=id, expires_at=min(expires_at, own.expires_at))
