"""What a process knows of the tokens, so that letting somebody in costs no way to the database."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil, inf

from sqlalchemy import bindparam, func, select, update

from models import Access, Token, TokenGrant
from models.base import Id, Time
from models.database import Database, DatabaseError, Fetch, Row, Steps, Write
from models.dialect import ListOf, any_of
from models.values import now, time_of, to_datetime
from models.words import PERMISSIONS
from resolvers.access.audit import SERVER, AuditLog, whose
from resolvers.access.secret import digest_of, is_made_here
from resolvers.access.storage import unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Unavailable
from resolvers.turns import mapped

logger = logging.getLogger(__name__)

# How often a process looks whether tokens changed elsewhere, when it is not told.
LOOK_SECONDS = 1.0
# How exact `last_used_at` is, and how often refusals are written down.
NOTE_SECONDS = 60.0
# Each is a row of the audit; the others are one together, for each reason.
MAX_REFUSED = 50


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A token that is good. `webhook`: the definition whose paths it is for, None for everything.

    Found by what was shown, it is good as long as that is.
    """

    caller: Caller
    webhook: str | None
    # Seconds of the clock.
    expires_at: float


class Keyring:
    """All good tokens, by digest. It looks every second whether that still is so; `wake` makes it look at once.

    Looking, telling of ends and writing down are three tasks: none waits for the database of another.

    Each of `on_version` is awaited when tokens, sessions or webhooks in the database have changed; `on_change` is
    called after rights came or went.
    """

    def __init__(self, database: Database, audit: AuditLog, *, on_change: Callable[[], None] | None = None) -> None:
        compile = database.compile
        self.on_change = on_change or (lambda: None)
        self.on_version: list[Callable[[], Awaitable[None]]] = []
        self._database = database
        self._audit = audit
        # Of everything, and of that what is not webhooks.
        self._versions = (-1, -1)
        self._keys: dict[str, Known] = {}
        self._by_id: dict[str, Known] = {}
        self._never_used: set[str] = set()
        self._used: dict[str, float] = {}
        self._refused: Counter[tuple[str, str]] = Counter()
        self._note_due = 0.0
        # When the minute is over that began with the first of them.
        self._refusals_due = 0.0
        # When the rights of somebody without a token end, in whole seconds of the clock.
        self._ends: set[int] = set()
        self._refreshing = asyncio.Lock()
        # How many times it has looked, and what went wrong the last time.
        self._looks = 0
        self._problem: Unavailable | None = None
        self._woken = asyncio.Event()
        self._running: tuple[asyncio.Task[None], ...] = ()
        of_webhooks = func.coalesce(Access.webhook_changes, 0)
        self._select_versions = compile(select(Access.version, Access.version - of_webhooks))
        self._select_tokens = compile(
            select(
                Token.id,
                Token.name,
                Token.digest,
                Token.previous_digest,
                Token.previous_expires_at,
                Token.webhook,
                Token.expires_at,
                Token.last_used_at.is_(None),
            ).where(Token.revoked_at.is_(None), Token.expiry_noted_at.is_(None))
        )
        self._select_grants = compile(
            select(TokenGrant.token_id, TokenGrant.permission, TokenGrant.namespace).where(
                any_of(TokenGrant.token_id, bindparam("ids", type_=ListOf(Id())))
            )
        )
        at, key = bindparam("at", type_=Time()), Token.id == bindparam("id_key", type_=Id())
        self._select_use = compile(select(Token.last_used_at, Token.expiry_noted_at).where(key))
        self._note_use = compile(update(Token).where(key).values(last_used_at=at))
        self._note_expiry = compile(update(Token).where(key).values(expiry_noted_at=at))

    async def start(self) -> None:
        """Learns the tokens, and keeps looking. Raises Unavailable."""
        await self.refresh()
        self._running = (
            asyncio.create_task(self._keep_looking(), name="keyring"),
            asyncio.create_task(self._keep_telling(), name="ends of rights"),
            asyncio.create_task(self._keep_noting(), name="uses of tokens"),
        )

    async def close(self) -> None:
        """Looks no more, and writes down what was not yet."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(DatabaseError):
            await self._note()

    def wake(self) -> None:
        """Tokens changed, somebody says."""
        self._woken.set()

    async def find(self, secret: str) -> Known | None:
        """Who shows this secret; None for nobody. Raises Unavailable when that cannot be known."""
        found = self.known(secret)
        if found is None and is_made_here(secret):
            # Perhaps another process has just made it.
            await self.refresh()
            found = self.known(secret)
        return found

    def known(self, secret: str) -> Known | None:
        """The same as far as this process has heard; None for whom it has not, or nobody."""
        return self._known(digest_of(secret))

    def admits(self, caller: Caller) -> bool:
        """Whether who came with a token would still be let in."""
        if caller.expires_at <= time.time():
            return False
        if caller.shown is not None:
            known = self._keys.get(caller.shown)
            return known is not None and known.expires_at > time.time()
        return caller.actor.kind is not ActorKind.TOKEN or self._of_token(caller.actor.id) is not None

    def of_token(self, id: str) -> Caller | None:
        """Who shows the token with this id, if it is good; that counts as a use of it."""
        known = self._of_token(id)
        if known is None:
            return None
        self._used[id] = time.time()
        return known.caller

    def of_digest(self, digest: str) -> Caller | None:
        """Who shows the secret with this digest, if it is good; that counts as a use of the token."""
        known = self._known(digest)
        return None if known is None else known.caller

    def note_end(self, moment: float) -> None:
        """Somebody's right to be here ends then (seconds of the clock): `on_change` is called within two seconds."""
        self._ends.add(ceil(moment))

    def refused(self, reason: str, who: str, times: int = 1) -> None:
        """Counts somebody who was not let in."""
        if not self._refused:
            self._refusals_due = time.monotonic() + NOTE_SECONDS
        key = (reason, who)
        is_kept = key in self._refused or len(self._refused) < MAX_REFUSED
        self._refused[key if is_kept else (reason, "others")] += times

    async def refresh(self) -> None:
        """Learns what there is now. One look is enough for all who want it before it begins. Raises Unavailable."""
        seen = self._looks
        async with self._refreshing:
            if self._looks != seen:
                # Somebody who waited too has looked.
                if self._problem is not None:
                    raise Unavailable(self._problem.message)
                return
            self._looks += 1
            self._problem = None
            try:
                await self._refresh()
            except Unavailable as problem:
                self._problem = problem
                raise
            except BaseException:
                # Cut off: it was no look.
                self._looks -= 1
                raise

    def _of_token(self, id: str) -> Known | None:
        known = self._by_id.get(id)
        return known if known is not None and known.expires_at > time.time() else None

    def _known(self, digest: str) -> Known | None:
        known, moment = self._keys.get(digest), time.time()
        if known is None or known.expires_at <= moment:
            return None
        self._used[known.caller.actor.id] = moment
        return known

    async def _refresh(self) -> None:
        before = self._by_id

        def work() -> Steps[tuple[tuple[int, int], list[Row], list[Row]]]:
            ((everything, rights),) = yield Fetch(self._select_versions)
            if rights == self._versions[1]:
                return (everything, rights), [], []
            tokens = yield Fetch(self._select_tokens)
            # What a token may do is settled once it is made.
            new = [row[0] for row in tokens if row[0] not in before]
            return (everything, rights), tokens, (yield Fetch(self._select_grants, {"ids": new}))

        with unavailable_unless("read"):
            versions, tokens, grants = await self._database.read(work)
        if versions == self._versions:
            return
        for look_again in self.on_version:
            await look_again()
        are_rights = versions[1] != self._versions[1]
        if are_rights:
            await self._learn(tokens, grants, before)
        self._versions = versions
        if are_rights:
            self.on_change()

    async def _learn(self, tokens: Sequence[Row], grants: Sequence[Row], before: Mapping[str, Known]) -> None:
        """`tokens` are all that are good, `grants` those of the ones that were not known `before`."""
        granted: dict[str, list[Grant]] = {}
        by_id: dict[str, Known] = {}
        keys: dict[str, Known] = {}
        never_used: set[str] = set()

        def grant(row: Row) -> None:
            token_id, permission, namespace = row
            # A newer version beside this one may know more of them.
            if permission in PERMISSIONS:
                granted.setdefault(token_id, []).append(Grant(Permission(permission), namespace))

        def learn(row: Row) -> None:
            id, name, digest, previous, previous_until, webhook, expires_at, is_unused = row
            known = before.get(id)
            if known is None:
                caller = Caller(Actor(ActorKind.TOKEN, id, name), tuple(sorted(granted.get(id, ()))))
                known = Known(caller, webhook, _seconds(expires_at))
            by_id[id] = known
            if is_unused:
                never_used.add(id)
            keys[digest] = self._key(known, digest, known.expires_at)
            if previous is not None:
                keys[previous] = self._key(known, previous, min(known.expires_at, _seconds(previous_until)))

        await mapped(grant, grants)
        await mapped(learn, tokens)
        self._by_id, self._keys, self._never_used = by_id, keys, never_used

    def _key(self, known: Known, digest: str, good_until: float) -> Known:
        if time.time() < good_until < inf:
            self.note_end(good_until)
        before = self._keys.get(digest)
        if before and before.expires_at == good_until:
            # Streams and readers are shared by who asks: the same one stays the same.
            return before
        return Known(replace(known.caller, shown=digest, expires_at=good_until), known.webhook, good_until)

    async def _keep_looking(self) -> None:
        problem = False
        while True:
            try:
                await self.refresh()
                problem = False
            except (DatabaseError, Unavailable) as error:
                if not problem:
                    logger.warning("tokens cannot be looked at: %s", error)
                problem = True
            except Exception:
                # Whatever it is: nobody would hear of a revoked token any more.
                logger.exception("tokens cannot be looked at")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _keep_telling(self) -> None:
        """By the clock alone: rights end whatever the database says."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._tell_of_ends()
            except Exception:
                logger.exception("the end of rights cannot be told of")

    def _tell_of_ends(self) -> None:
        moment = time.time()
        if ended := {end for end in self._ends if end <= moment}:
            self._ends -= ended
            self.on_change()

    async def _keep_noting(self) -> None:
        problem = False
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                is_over = bool(self._refused) and self._refusals_due <= time.monotonic()
                is_due = bool(self._used) and self._note_due <= time.monotonic()
                if self._expired or self._is_first_use or is_due or is_over:
                    await self._note(with_refusals=is_over)
                problem = False
            except DatabaseError as error:
                if not problem:
                    logger.warning("uses of tokens cannot be written down: %s", error)
                problem = True
            except Exception:
                logger.exception("uses of tokens cannot be written down")

    @property
    def _expired(self) -> list[Known]:
        moment = time.time()
        return [known for known in self._by_id.values() if known.expires_at <= moment]

    @property
    def _is_first_use(self) -> bool:
        return not self._never_used.isdisjoint(self._used)

    async def _note(self, *, with_refusals: bool = True) -> None:
        """Writes down who came, what has expired, and who was refused."""
        used, self._used = self._used, {}
        refused: Counter[tuple[str, str]] = Counter()
        if with_refusals:
            refused, self._refused = self._refused, refused
        expired = self._expired
        by_id = self._by_id
        self._note_due = time.monotonic() + NOTE_SECONDS

        def work() -> Steps[None]:
            for id, moment in used.items():
                found = yield Fetch(self._select_use, {"id_key": id})
                at = time_of(datetime.fromtimestamp(moment, UTC))
                if not found or (found[0][0] or "") >= at:
                    continue
                yield Write(self._note_use, [{"id_key": id, "at": at}])
                if found[0][0] is None and id in by_id:
                    yield self._about("TOKEN_FIRST_USED", by_id[id])
            for known in expired:
                id = known.caller.actor.id
                found = yield Fetch(self._select_use, {"id_key": id})
                if found and found[0][1] is None:
                    yield Write(self._note_expiry, [{"id_key": id, "at": now()}])
                    yield self._about("TOKEN_EXPIRED", known)
            for (reason, who), count in refused.items():
                details = {"reason": reason, "count": count}
                yield self._audit.add("AUTHENTICATION_REFUSED", SERVER, subject=who, details=details)

        if not used and not refused and not expired:
            return
        try:
            await self._database.transact(work)
        except BaseException:
            self._used = used | self._used
            for (reason, who), times in refused.items():
                self.refused(reason, who, times)
            raise
        self._never_used.difference_update(used)
        if expired:
            gone = {known.caller.actor.id for known in expired}
            self._by_id = {id: known for id, known in self._by_id.items() if id not in gone}

    def _about(self, kind: str, known: Known) -> Write:
        actor = known.caller.actor
        namespace = whose(known.caller.grants)
        actor_of = actor if kind == "TOKEN_FIRST_USED" else SERVER
        return self._audit.add(kind, actor_of, namespace=namespace, subject=actor.id, details={"name": actor.name})


def _seconds(at: str | None) -> float:
    return inf if at is None else to_datetime(at).timestamp()
