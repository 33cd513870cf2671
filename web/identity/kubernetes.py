"""People and service accounts of a Kubernetes cluster: its API server says who shows a token, and what they may do."""

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from resolvers.access import Known
from resolvers.access.secret import PREFIX, digest_of
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Unavailable
from web.identity.fetch import MAX_CONNECTIONS, NoAnswer, get_object, post_object
from web.identity.keeping import keep
from web.identity.strangers import Strangers

logger = logging.getLogger(__name__)

# What was learnt of somebody holds for so long at most; of who stays connected, it is looked at again before that.
REVIEW_SECONDS = 60.0
# All that is to be asked about one token.
TOTAL_SECONDS = 10.0
MAX_NAMESPACES = 200
MAX_REMEMBERED = 10_000
# How many tokens are asked about at once: of those that were not seen before, and of those that are looked at again.
NEW_AT_ONCE = 10
AGAIN_AT_ONCE = 10
MAX_LENGTH = 16_384
MAX_NAME_LENGTH = 253
# As roles of the cluster say it: verbs on a resource that only we know.
GROUP, RESOURCE = "issuegraph.dev", "issues"
VERBS = {
    Permission.READ: "get",
    Permission.REPORT: "create",
    Permission.RESPOND: "update",
    Permission.MANAGE: "delete",
}
# A review that names no namespace is about all of them.
EVERYWHERE = ""
# Where somebody has none of these, nothing else is asked.
FIRST = (Permission.READ, Permission.REPORT)


@dataclass(slots=True)
class _Entry:
    """What is known of a token. `caller` keeps it for a while, `held` knows whether somebody else still does.

    `at`: when that was asked for (monotonic seconds).
    """

    secret: str
    caller: Caller | None
    held: Callable[[], Caller | None]
    at: float


class Kubernetes:
    """Lets in whom the API server knows. `is_of_others` tells tokens that are none of its business.

    `on_change` is called when somebody's rights have ended or changed.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        *,
        token_file: Path,
        audiences: Iterable[str],
        selector: str,
        is_of_others: Callable[[str], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._token_file = token_file
        self._audiences = frozenset(audiences)
        self._selector = selector
        self._is_of_others = is_of_others
        self._on_change = on_change
        self._entries: dict[str, _Entry] = {}
        # Whom we let in, and of those who still has a right to be here.
        self._ours: weakref.WeakValueDictionary[int, Caller] = weakref.WeakValueDictionary()
        self._good: weakref.WeakValueDictionary[int, Caller] = weakref.WeakValueDictionary()
        self._reviewing: dict[str, asyncio.Task[Caller | None]] = {}
        self._looks: set[asyncio.Task[None]] = set()
        # Those that are to be looked at again now.
        self._due: set[str] = set()
        self._namespaces: tuple[str, ...] = ()
        self._namespaces_at = -inf
        self._listing = asyncio.Lock()
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)
        self._room_for_new = asyncio.Semaphore(NEW_AT_ONCE)
        self._room_for_others = asyncio.Semaphore(AGAIN_AT_ONCE)
        self._new = Strangers()

    async def find(self, secret: str, network: str = "") -> Known | None:
        """Who shows this token, from that network; None for nobody.

        Raises Unavailable when the API server cannot be asked, or is not, as too many come whom nobody knows.
        """
        if not 0 < len(secret) <= MAX_LENGTH or not secret.isascii() or not secret.isprintable() or " " in secret:
            return None
        if secret.startswith(PREFIX) or self._is_of_others(secret):
            return None
        digest = digest_of(secret)
        entry = self._entries.get(digest)
        if entry is not None and time.monotonic() - entry.at < REVIEW_SECONDS:
            caller = entry.held()
            if caller is None and entry.held is not _nobody:
                caller = await self._review(digest, secret, network)
        else:
            caller = await self._review(digest, secret, network)
        return None if caller is None else Known(caller, None, inf)

    def admits(self, caller: Caller) -> bool:
        """Whether somebody would still be let in, as far as the cluster goes."""
        return self._ours.get(id(caller)) is not caller or self._good.get(id(caller)) is caller

    async def keep_looking(self) -> None:
        """Looks again at the rights of everybody who stays connected, and forgets the others; for ever."""
        problem = "tokens of the cluster cannot be looked at"
        try:
            await asyncio.gather(
                keep(self._begin_to_look, REVIEW_SECONDS / 20, problem),
                keep(self._end_overdue, REVIEW_SECONDS / 60, problem),
            )
        finally:
            for look in self._looks:
                look.cancel()

    async def _begin_to_look(self) -> None:
        """Whoever becomes due waits for nobody who was due before."""
        look = asyncio.create_task(self.look_again(), name="kubernetes look")
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def look_again(self) -> None:
        """Looks at those whose rights were last looked at some time ago, side by side, the longest ago first.

        What nobody could look at for too long ends before.
        """
        await self._end_overdue()
        due = []
        for digest, entry in sorted(self._entries.items(), key=lambda item: item[1].at):
            if digest in self._due or time.monotonic() - entry.at < REVIEW_SECONDS / 2:
                continue
            entry.caller = None
            if entry.held() is None:
                self._entries.pop(digest, None)
            else:
                due.append(digest)
        self._due.update(due)
        await asyncio.gather(*map(self._look_at, due))

    async def _look_at(self, digest: str) -> None:
        try:
            async with self._room_for_others:
                # Meanwhile it may have ended.
                entry = self._entries.get(digest)
                if entry is not None:
                    await self._review(digest, entry.secret)
        except Unavailable:
            return
        except Exception:
            logger.exception("a token of the cluster cannot be looked at")
        finally:
            self._due.discard(digest)

    async def _end_overdue(self) -> None:
        """Nobody knows any more whether these have a right to be here."""
        moment = time.monotonic()
        overdue = [digest for digest, entry in self._entries.items() if moment - entry.at >= REVIEW_SECONDS]
        callers = [caller for digest in overdue if (caller := self._entries.pop(digest).held()) is not None]
        for caller in callers:
            self._good.pop(id(caller), None)
        if callers:
            self._on_change()

    async def _review(self, digest: str, secret: str, network: str = "") -> Caller | None:
        """Asks, once for all who want to know. Raises Unavailable."""
        task = self._reviewing.get(digest)
        if task is None:
            entry = self._entries.get(digest)
            if entry is None or entry.held is _nobody:
                self._new.take_a_turn(digest, network)
            task = self._reviewing[digest] = asyncio.create_task(self._ask(digest, secret), name="kubernetes review")
            task.add_done_callback(partial(self._reviewed, digest))
        try:
            return await asyncio.shield(task)
        except (NoAnswer, TimeoutError, OSError) as problem:
            raise Unavailable("the Kubernetes API server cannot be asked now") from problem

    def _reviewed(self, digest: str, task: asyncio.Task[Caller | None]) -> None:
        del self._reviewing[digest]
        self._new.give_back(digest)
        if not task.cancelled():
            # Whoever waited for it may be gone: then nobody else looks.
            task.exception()

    async def _ask(self, digest: str, secret: str) -> Caller | None:
        grants: tuple[Grant, ...] = ()
        try:
            async with asyncio.timeout(TOTAL_SECONDS), self._room_for_new if digest in self._new else nullcontext():
                at = time.monotonic()
                user = await self._user(secret)
                if user is not None:
                    grants, listed_at = await self._grants(user)
                    at = min(at, listed_at)
        except (NoAnswer, TimeoutError, OSError) as problem:
            logger.warning("the Kubernetes API server: %s", str(problem) or type(problem).__name__)
            raise
        if user is None and digest in self._new:
            self._new.is_nobody(digest)
        caller = None
        if user is not None and grants:
            name = str(user["username"])
            caller = Caller(Actor(ActorKind.PERSON, f"kubernetes:{name}", name), grants)
        return self._learn(digest, secret, caller, at)

    def _learn(self, digest: str, secret: str, caller: Caller | None, at: float) -> Caller | None:
        entry = self._entries.get(digest)
        before = entry.held() if entry else None
        if before is not None and before == caller:
            caller = before
        if entry is None and len(self._entries) >= MAX_REMEMBERED:
            # Nobody is asked about again.
            self._entries = {digest: each for digest, each in self._entries.items() if each.held() is not None}
        held: Callable[[], Caller | None] = _nobody if caller is None else weakref.ref(caller)
        self._entries[digest] = _Entry(secret, caller, held, at)
        if caller is not None:
            self._ours[id(caller)] = self._good[id(caller)] = caller
        if before is not None and before is not caller:
            self._good.pop(id(before), None)
            self._on_change()
        return caller

    async def _user(self, secret: str) -> dict[str, Any] | None:
        spec: dict[str, Any] = {"token": secret}
        if self._audiences:
            spec["audiences"] = sorted(self._audiences)
        status = await self._post("authentication.k8s.io/v1/tokenreviews", "TokenReview", spec)
        user = status.get("user")
        if status.get("authenticated") is not True or not isinstance(user, dict):
            return None
        # A server that knows nothing of audiences says nothing of them.
        if self._audiences and self._audiences.isdisjoint(_texts(status.get("audiences"))):
            return None
        name = user.get("username")
        is_name = isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()
        return user if is_name else None

    async def _grants(self, user: Mapping[str, Any]) -> tuple[tuple[Grant, ...], float]:
        """What somebody may do, and when the namespaces were asked for that this is of. Raises NoAnswer."""
        found = await self._allowed(user, [(permission, EVERYWHERE) for permission in VERBS])
        rest = [permission for permission in VERBS if (permission, EVERYWHERE) not in found]
        namespaces, listed_at = await self._all_namespaces() if rest else ((), inf)
        first = [permission for permission in rest if permission in FIRST]
        found |= await self._allowed(user, [(each, namespace) for namespace in namespaces for each in first])
        inside = {namespace for _, namespace in found if namespace != EVERYWHERE}
        if any((permission, EVERYWHERE) in found for permission in FIRST):
            inside.update(namespaces)
        then = [permission for permission in rest if permission not in FIRST]
        found |= await self._allowed(user, [(each, namespace) for namespace in sorted(inside) for each in then])
        return tuple(Grant(permission, namespace or "*") for permission, namespace in sorted(found)), listed_at

    async def _allowed(
        self, user: Mapping[str, Any], questions: Sequence[tuple[Permission, str]]
    ) -> set[tuple[Permission, str]]:
        """Which of the permissions, each in a namespace, somebody has. Raises NoAnswer."""
        who = {"user": user["username"], **{name: user[name] for name in ("uid", "groups", "extra") if name in user}}

        async def ask(permission: Permission, namespace: str) -> bool:
            what = {"namespace": namespace, "verb": VERBS[permission], "group": GROUP, "resource": RESOURCE}
            spec = {**who, "resourceAttributes": what}
            status = await self._post("authorization.k8s.io/v1/subjectaccessreviews", "SubjectAccessReview", spec)
            return status.get("allowed") is True and status.get("denied") is not True

        asked = [asyncio.ensure_future(ask(*question)) for question in questions]
        try:
            answers = await asyncio.gather(*asked)
        finally:
            # Of one that failed, nobody waits for the others.
            for each in asked:
                each.cancel()
        return {question for question, is_allowed in zip(questions, answers, strict=True) if is_allowed}

    async def _all_namespaces(self) -> tuple[tuple[str, ...], float]:
        """Those in which reviews are asked for, and when they were listed. Raises NoAnswer."""
        async with self._listing:
            if time.monotonic() - self._namespaces_at >= REVIEW_SECONDS / 20:
                at = time.monotonic()
                self._namespaces, self._namespaces_at = await self._listed(), at
            return self._namespaces, self._namespaces_at

    async def _listed(self) -> tuple[str, ...]:
        asked = {"limit": str(MAX_NAMESPACES + 1)} | ({"labelSelector": self._selector} if self._selector else {})
        url = f"{self._url}/api/v1/namespaces?{urlencode(asked)}"
        async with self._room:
            found = await get_object(self._client, url, self._headers())
        items = found.get("items")
        listed = items if isinstance(items, list) else []
        try:
            names = tuple(str(item["metadata"]["name"]) for item in listed)
        except (KeyError, TypeError):
            raise NoAnswer(f"{self._url} does not answer with namespaces") from None
        if len(names) > MAX_NAMESPACES:
            logger.warning(
                "the cluster has more than %d namespaces: ISSUEGRAPH_KUBERNETES_SELECTOR is to choose among them,"
                " until then only roles for the whole cluster count",
                MAX_NAMESPACES,
            )
            return ()
        return names

    async def _post(self, path: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        group = path.rpartition("/")[0]
        value = {"apiVersion": group, "kind": kind, "spec": spec}
        async with self._room:
            answer = await post_object(self._client, f"{self._url}/apis/{path}", value, self._headers())
        status = answer.get("status")
        return status if isinstance(status, dict) else {}

    def _headers(self) -> dict[str, str]:
        # Read each time: the cluster writes another one before it expires.
        try:
            own = self._token_file.read_text().strip()
        except UnicodeDecodeError as error:
            raise NoAnswer(f"{self._token_file} holds no token") from error
        return {"authorization": f"Bearer {own}"}


def _texts(listed: object) -> set[str]:
    return {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()


def _nobody() -> None:
    return None
