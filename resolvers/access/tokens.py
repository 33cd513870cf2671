"""Tokens as administrators handle them: made, rotated, revoked, listed; each change together with its audit."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Container, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import bindparam, exists, func, not_, or_, select, update

from models import Access, EventLog, Session, Token, TokenGrant
from models.base import Id, Time, Word
from models.database import Count, Database, Fetch, Row, Steps, Work, Write
from models.dialect import ListOf, any_of
from models.values import new_id, now, parse_id, time_of
from resolvers.access.audit import SERVER, AuditLog, whose
from resolvers.access.pages import Page, PageArguments, Pages, covered
from resolvers.access.secret import digest_of, new_secret
from resolvers.access.storage import Counting, insert_row, read, tell, unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH

T = TypeVar("T")

MAX_NAME_LENGTH = 200
MAX_GRANTS = 200
# Every process holds all of them.
MAX_TOKENS = 10_000
DEFAULT_OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that somebody wants. Raises Invalid."""

    name: str
    grants: tuple[Grant, ...]
    webhook: str | None = None
    expires_at: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.filled(("name",), self.name, MAX_NAME_LENGTH)
        if not self.name.isprintable() and "\0" not in self.name:
            checks.error("INVALID", ("name",), "name has characters that cannot be printed")
        checks.filled(("webhook",), self.webhook, MAX_NAME_LENGTH)
        if not self.grants:
            checks.error("REQUIRED", ("grants",), "a token without a grant is good for nothing")
        if len(self.grants) > MAX_GRANTS:
            checks.error("TOO_MANY", ("grants",), f"grants may have {MAX_GRANTS} items at most")
        for index, grant in enumerate(self.grants[:MAX_GRANTS]):
            field = ("grants", str(index), "namespace")
            checks.filled(field, grant.namespace, MAX_NAMESPACE_LENGTH)
            if "*" in grant.namespace[:-1]:
                checks.error("INVALID", field, "namespace is a name, a prefix such as team-*, or *")
            if self.webhook is not None and grant.permission is not Permission.REPORT:
                field = ("grants", str(index), "permission")
                checks.error("INVALID", field, "a token that is tied to a webhook can have REPORT and nothing else")
        if self.expires_at is not None and self.expires_at <= now():
            checks.error("INVALID", ("expiresAt",), "expiresAt has passed")
        checks.done()


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it stands. Times are texts in our form."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    webhook: str | None
    created_at: str
    created_by: Actor
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None

    @property
    def actor(self) -> Actor:
        """Who does what is done with it."""
        return Actor(ActorKind.TOKEN, self.id, self.name)


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a token, the secret if it got one, and the end of the log then."""

    token: TokenRow
    secret: str | None
    position: int


class Tokens:
    """The tokens of one database. Every method raises Unavailable when it cannot be reached or written.

    `on_change` is awaited after each change, before it is answered. `webhooks`: what a new token may be tied to,
    of which everybody may be told of the `known`. `most`: how many may be good at once.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        *,
        webhooks: Container[str] = (),
        known: Collection[str] = (),
        most: int = MAX_TOKENS,
        on_change: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._known = known
        self._most = most
        compile = database.compile
        self._on_change = on_change
        self._database = database
        self._audit = audit
        self._add = compile(insert_row(Token))
        self._add_grant = compile(insert_row(TokenGrant))
        self._one = compile(select(*_COLUMNS).where(Token.id == bindparam("id", type_=Id())))
        self._grants = compile(
            select(TokenGrant.token_id, TokenGrant.permission, TokenGrant.namespace)
            .where(any_of(TokenGrant.token_id, bindparam("ids", type_=ListOf(Id()))))
            .order_by(TokenGrant.token_id, TokenGrant.permission, TokenGrant.namespace)
        )
        self._any = compile(select(exists().where(Token.id.is_not(None))))
        is_good = or_(Token.expires_at.is_(None), Token.expires_at > bindparam("at", type_=Time()))
        self._count = compile(select(func.count()).select_from(Token).where(Token.revoked_at.is_(None), is_good))
        self._changed = compile(update(Access).values(version=Access.version + 1))
        self._end = compile(select(EventLog.end))
        key = Token.id == bindparam("id_key", type_=Id())
        at = bindparam("at", type_=Time())
        self._revoke = compile(update(Token).where(key).values(revoked_at=at))
        self._rotate = compile(
            update(Token)
            .where(key)
            .values(
                previous_digest=Token.digest,
                previous_expires_at=bindparam("until", type_=Time()),
                digest=bindparam("new_digest", type_=Word()),
            )
        )
        # Who signed in with the secret before stays no longer than it is good; with an older one, no longer at all.
        until = bindparam("until", type_=Time())
        of_token = Session.token_id == bindparam("id_key", type_=Id())
        newest = select(Token.digest).where(Token.id == Session.token_id).scalar_subquery()
        self._shorten = compile(
            update(Session)
            .where(of_token, or_(Session.token_digest.is_(None), Session.token_digest == newest))
            .where(Session.expires_at > until)
            .values(expires_at=until)
        )
        self._end_older = compile(
            update(Session)
            .where(of_token, Session.token_digest != newest, Session.expires_at > at)
            .values(expires_at=at)
        )
        outside = exists().where(TokenGrant.token_id == Token.id, not_(covered(TokenGrant.namespace)))
        self._pages = Pages(database, Token, _COLUMNS, not_(outside))
        self._named = compile(
            select(*_COLUMNS)
            .where(Token.name == bindparam("name", type_=Word()), Token.revoked_at.is_(None))
            .order_by(Token.id.desc())
        )

    async def create(
        self,
        new: NewToken,
        caller: Caller,
        *,
        secret: str | None = None,
        also: Callable[[TokenRow], Steps[None]] | None = None,
    ) -> Changed:
        """Makes a token; its secret is in the answer and never again. `also`: what else belongs into the transaction.

        Raises Forbidden beyond the caller's ADMIN, and Invalid for a webhook that is none, or TOO_MANY tokens.
        """
        for grant in new.grants:
            if grant.namespace not in caller.namespaces(Permission.ADMIN):
                raise Forbidden(f"no permission to admin in namespace {grant.namespace}")
        if new.webhook is not None and new.webhook not in self._webhooks:
            known = ", ".join(sorted(self._known))
            message = f"there is no webhook definition {new.webhook!r}; there are {known}, and webhooks of your own"
            raise Invalid([UserError(code="INVALID", field=("webhook",), message=message)])
        secret = secret or new_secret()

        def work() -> Steps[Changed]:
            changed = yield from self._creating(new, caller.actor, secret)
            if also is not None:
                yield from also(changed.token)
            return changed

        return await self._transact(work)

    async def create_first(self, secret: str | None = None) -> Changed | None:
        """Makes a token that may do everything, unless there ever was a token. Of several processes one makes it."""
        secret = secret or new_secret()
        new = NewToken(name="bootstrap", grants=tuple(Grant(permission, "*") for permission in Permission))

        def work() -> Steps[Changed | None]:
            ((there_are,),) = yield Fetch(self._any)
            if there_are:
                return None
            return (yield from self._creating(new, SERVER, secret))

        return await self._transact(work)

    async def rotate(self, id: str, caller: Caller, *, overlap: timedelta = DEFAULT_OVERLAP) -> Changed:
        """Gives a token another secret; the one before is good for `overlap`, and the one before that no more.

        Raises Invalid for a token that is not there, or not for the caller, or revoked, or expired.
        """
        checks = Checks()
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            seconds = int(MAX_OVERLAP.total_seconds())
            checks.error("INVALID", ("overlapSeconds",), f"overlapSeconds must be between 0 and {seconds}")
        checks.done()
        secret = new_secret()
        until = time_of(datetime.now(UTC) + overlap)

        def work() -> Steps[Changed]:
            token = yield from self._found(id, caller)
            if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now()):
                raise Invalid([UserError(code="INVALID", field=("id",), message="the token is no longer good")])
            rows = [{"id_key": token.id, "until": until, "new_digest": digest_of(secret)}]
            yield Write(self._shorten, [{"id_key": token.id, "until": until}])
            yield Write(self._end_older, [{"id_key": token.id, "at": now()}])
            yield Write(self._rotate, rows)
            yield self._audited("TOKEN_ROTATED", caller.actor, token, previousExpiresAt=until)
            return (yield from self._done(token, secret))

        return await self._transact(work)

    async def revoke(self, id: str, caller: Caller, *, also: Callable[[], Steps[None]] | None = None) -> Changed:
        """Ends a token for good, at once; again changes nothing. `also`: what else belongs into the transaction.

        Raises Invalid as `rotate` does.
        """

        def work() -> Steps[Changed]:
            token = yield from self._found(id, caller)
            if token.revoked_at is None:
                yield Write(self._revoke, [{"id_key": token.id, "at": now()}])
                yield self._audited("TOKEN_REVOKED", caller.actor, token)
            if also is not None:
                yield from also()
            is_change = token.revoked_at is None or also is not None
            return (yield from self._done(token, None, is_change=is_change))

        return await self._transact(work)

    async def page(self, caller: Caller, arguments: PageArguments, size: Counting | None = None) -> Page[TokenRow]:
        """Tokens, the newest first, all of whose grants are where the caller has ADMIN.

        Raises BadRequest; TooLarge and Overloaded by `size`.
        """
        count = None if size is None else size.count

        def work() -> Steps[Page[TokenRow]]:
            page = yield from self._pages.page(caller.namespaces(Permission.ADMIN), arguments, tell=count)
            return page.of((yield from self._with_grants(page.rows, count)))

        return await read(self._database, work, size)

    async def named(self, name_or_id: str) -> list[TokenRow]:
        """Tokens with this id, or those with this name that are not revoked; for the command line."""
        id = parse_id(name_or_id)

        def work() -> Steps[list[TokenRow]]:
            found = (yield Fetch(self._one, {"id": id})) if id else []
            found = found or (yield Fetch(self._named, {"name": name_or_id}))
            return (yield from self._with_grants(found))

        return await read(self._database, work)

    def _creating(self, new: NewToken, actor: Actor, secret: str) -> Steps[Changed]:
        ((count,),) = yield Fetch(self._count, {"at": now()})
        if count >= self._most:
            message = f"there are {self._most} tokens, which is the limit: revoke some"
            raise Invalid([UserError(code="TOO_MANY", field=("name",), message=message)])
        id = new_id()
        values = {
            **dict.fromkeys(Token.__table__.columns.keys()),
            "id": id,
            "name": new.name,
            "digest": digest_of(secret),
            "webhook": new.webhook,
            "created_at": now(),
            "created_by_kind": str(actor.kind),
            "created_by_id": actor.id,
            "created_by_name": actor.name,
            "expires_at": new.expires_at,
        }
        yield Write(self._add, [values])
        grants = sorted({(str(grant.permission), grant.namespace) for grant in new.grants})
        yield Write(self._add_grant, [{"token_id": id, "permission": p, "namespace": n} for p, n in grants])
        (row,) = yield Fetch(self._one, {"id": id})
        (token,) = yield from self._with_grants([row])
        told = [f"{permission} {namespace}" for permission, namespace in grants]
        yield self._audited("TOKEN_CREATED", actor, token, grants=told, webhook=new.webhook, expiresAt=new.expires_at)
        return (yield from self._done(token, secret))

    def _audited(self, kind: str, actor: Actor, token: TokenRow, **details: Any) -> Write:
        return self._audit.add(
            kind,
            actor,
            namespace=whose(token.grants),
            subject=token.id,
            details={"name": token.name, **{name: value for name, value in details.items() if value is not None}},
        )

    def _done(self, token: TokenRow, secret: str | None, *, is_change: bool = True) -> Steps[Changed]:
        if is_change:
            # Every replica looks through all tokens again.
            yield Write(self._changed, [{}])
        found = yield Fetch(self._one, {"id": token.id})
        (token,) = yield from self._with_grants(found)
        ((end,),) = yield Fetch(self._end)
        return Changed(token, secret, end)

    def _found(self, id: str, caller: Caller) -> Steps[TokenRow]:
        """Raises Invalid with NOT_FOUND for one that is not there or not for the caller."""
        canonical = parse_id(id)
        found = (yield Fetch(self._one, {"id": canonical})) if canonical else []
        tokens = yield from self._with_grants(found)
        administered = caller.namespaces(Permission.ADMIN)
        for token in tokens:
            if all(grant.namespace in administered for grant in token.grants):
                return token
        raise Invalid([UserError(code="NOT_FOUND", field=("id",), message="there is no such token")])

    def _with_grants(
        self, rows: Sequence[Row], tell: Count | None = None
    ) -> Generator[Fetch | Write, list[Row], list[TokenRow]]:
        # Also for none: what runs does not tell whether there is a token of an id.
        grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for token_id, permission, namespace in (yield Fetch(self._grants, {"ids": [row[0] for row in rows]}, tell)):
            grants[token_id].append(Grant(Permission(permission), namespace))
        return [_token(row, tuple(grants[row[0]])) for row in rows]

    async def _transact(self, work: Work[T]) -> T:
        with unavailable_unless("written"):
            done = await self._database.transact(work)
        if self._on_change is not None:
            await tell(self._on_change, "tokens")
        return done


_NAMES = ("id", "name", "webhook", "created_at", "created_by_kind", "created_by_id", "created_by_name")
_TIMES = ("expires_at", "revoked_at", "last_used_at")
_COLUMNS = [Token.__table__.columns[name] for name in _NAMES + _TIMES]


def _token(row: Row, grants: tuple[Grant, ...]) -> TokenRow:
    id, name, webhook, created_at, by_kind, by_id, by_name, expires_at, revoked_at, last_used_at = row
    created_by = Actor(ActorKind(by_kind), by_id, by_name)
    return TokenRow(id, name, grants, webhook, created_at, created_by, expires_at, revoked_at, last_used_at)
