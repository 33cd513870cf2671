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

logger = logging.getLogger(__name__)

# What was learnt of somebody holds for so long at most; of who stays connected, it is looked at again before that.
REVIEW_SECONDS = 60.0
# All that is to be asked about one token.
TOTAL_SECONDS = 10.0
MAX_NAMESPACES = 200
MAX_REMEMBERED = 10_000
# About tokens that were not seen before: how many are asked about at once, and how many may be or wait for it.
NEW_AT_ONCE = 10
NEW_WAITING = 100
# And how many of them may turn out to be nobody's, in a second and at once; then nobody is asked about another.
STRANGERS_PER_SECOND = 5.0
STRANGERS_AT_ONCE = 100
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
    """What is known of a token. `caller` keeps it for a while, `held` knows whether somebody else still does."""

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
        self._namespaces: tuple[str, ...] = ()
        self._namespaces_at = -inf
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)
        self._room_for_new = asyncio.Semaphore(NEW_AT_ONCE)
        self._new: set[str] = set()
        # When the last stranger is forgotten, one after the other.
        self._strangers_until = -inf

    async def find(self, secret: str) -> Known | None:
        """Who shows this token; None for nobody.

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
                caller = await self._review(digest, secret)
        else:
            caller = await self._review(digest, secret)
        return None if caller is None else Known(caller, None, inf)

    def admits(self, caller: Caller) -> bool:
        """Whether somebody would still be let in, as far as the cluster goes."""
        return self._ours.get(id(caller)) is not caller or self._good.get(id(caller)) is caller

    async def keep_looking(self) -> None:
        """Looks again at the rights of everybody who stays connected, and forgets the others; for ever."""
        while True:
            await asyncio.sleep(REVIEW_SECONDS / 4)
            await self.look_again()

    async def look_again(self) -> None:
        """Looks at those whose rights were last looked at some time ago."""
        for digest, entry in [*self._entries.items()]:
            age = time.monotonic() - entry.at
            if age < REVIEW_SECONDS / 2:
                continue
            entry.caller = None
            if entry.held() is None:
                self._entries.pop(digest, None)
                continue
            try:
                await self._review(digest, entry.secret)
            except Unavailable:
                if age + REVIEW_SECONDS / 4 >= REVIEW_SECONDS:
                    self._end(digest)

    async def _review(self, digest: str, secret: str) -> Caller | None:
        """Asks, once for all who want to know. Raises Unavailable."""
        task = self._reviewing.get(digest)
        if task is None:
            entry = self._entries.get(digest)
            if entry is None or entry.held is _nobody:
                self._take_a_turn(digest)
            task = self._reviewing[digest] = asyncio.create_task(self._ask(digest, secret), name="kubernetes review")
            task.add_done_callback(partial(self._reviewed, digest))
        try:
            return await asyncio.shield(task)
        except (NoAnswer, TimeoutError, OSError) as problem:
            raise Unavailable("the Kubernetes API server cannot be asked now") from problem

    def _take_a_turn(self, digest: str) -> None:
        """For one who was not seen before. Raises Unavailable."""
        strangers = (self._strangers_until - time.monotonic()) * STRANGERS_PER_SECOND
        if len(self._new) >= NEW_WAITING or strangers + 1 > STRANGERS_AT_ONCE:
            raise Unavailable("too many tokens come that nobody knows")
        self._new.add(digest)

    def _reviewed(self, digest: str, task: asyncio.Task[Caller | None]) -> None:
        del self._reviewing[digest]
        self._new.discard(digest)
        if not task.cancelled():
            # Whoever waited for it may be gone: then nobody else looks.
            task.exception()

    async def _ask(self, digest: str, secret: str) -> Caller | None:
        try:
            async with asyncio.timeout(TOTAL_SECONDS), self._room_for_new if digest in self._new else nullcontext():
                user = await self._user(secret)
                grants = () if user is None else await self._grants(user)
        except (NoAnswer, TimeoutError, OSError) as problem:
            logger.warning("the Kubernetes API server: %s", str(problem) or type(problem).__name__)
            raise
        if user is None and digest in self._new:
            self._strangers_until = max(self._strangers_until, time.monotonic()) + 1 / STRANGERS_PER_SECOND
        caller = None
        if user is not None and grants:
            name = str(user["username"])
            caller = Caller(Actor(ActorKind.PERSON, f"kubernetes:{name}", name), grants)
        return self._learn(digest, secret, caller)

    def _learn(self, digest: str, secret: str, caller: Caller | None) -> Caller | None:
        entry = self._entries.get(digest)
        before = entry.held() if entry else None
        if before is not None and before == caller:
            caller = before
        if entry is None and len(self._entries) >= MAX_REMEMBERED:
            # Nobody is asked about again.
            self._entries = {digest: each for digest, each in self._entries.items() if each.held() is not None}
        held: Callable[[], Caller | None] = _nobody if caller is None else weakref.ref(caller)
        self._entries[digest] = _Entry(secret, caller, held, time.monotonic())
        if caller is not None:
            self._ours[id(caller)] = self._good[id(caller)] = caller
        if before is not None and before is not caller:
            self._good.pop(id(before), None)
            self._on_change()
        return caller

    def _end(self, digest: str) -> None:
        """Nobody knows any more whether somebody has a right to be here."""
        entry = self._entries.pop(digest, None)
        caller = entry.held() if entry else None
        if caller is not None:
            self._good.pop(id(caller), None)
            self._on_change()

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

    async def _grants(self, user: Mapping[str, Any]) -> tuple[Grant, ...]:
        found = await self._allowed(user, [(permission, EVERYWHERE) for permission in VERBS])
        rest = [permission for permission in VERBS if (permission, EVERYWHERE) not in found]
        namespaces = await self._all_namespaces() if rest else ()
        first = [permission for permission in rest if permission in FIRST]
        found |= await self._allowed(user, [(each, namespace) for namespace in namespaces for each in first])
        inside = {namespace for _, namespace in found if namespace != EVERYWHERE}
        if any((permission, EVERYWHERE) in found for permission in FIRST):
            inside.update(namespaces)
        then = [permission for permission in rest if permission not in FIRST]
        found |= await self._allowed(user, [(each, namespace) for namespace in sorted(inside) for each in then])
        return tuple(Grant(permission, namespace or "*") for permission, namespace in sorted(found))

    async def _allowed(
        self, user: Mapping[str, Any], questions: Sequence[tuple[Permission, str]]
    ) -> set[tuple[Permission, str]]:
        """Which of the permissions, each in a namespace, somebody has. Raises NoAnswer."""
        who = {"user": user["username"], **{name: user[name] for name in ("uid", "groups", "extra") if name in user}}

        async def ask(permission: Permission, namespace: str) -> bool:
            what = {"namespace": namespace, "verb": VERBS[permission], "group": GROUP, "resource": RESOURCE}
            spec = {**who, "resourceAttributes": what}
            async with self._room:
                path = "authorization.k8s.io/v1/subjectaccessreviews"
                status = await self._post(path, "SubjectAccessReview", spec)
            return status.get("allowed") is True and status.get("denied") is not True

        answers = await asyncio.gather(*(ask(*question) for question in questions))
        return {question for question, is_allowed in zip(questions, answers, strict=True) if is_allowed}

    async def _all_namespaces(self) -> tuple[str, ...]:
        """Those in which reviews are asked for. Raises NoAnswer."""
        if time.monotonic() - self._namespaces_at < REVIEW_SECONDS:
            return self._namespaces
        asked = {"limit": str(MAX_NAMESPACES + 1)} | ({"labelSelector": self._selector} if self._selector else {})
        found = await get_object(self._client, f"{self._url}/api/v1/namespaces?{urlencode(asked)}", self._headers())
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
            names = ()
        self._namespaces, self._namespaces_at = names, time.monotonic()
        return names

    async def _post(self, path: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        group = path.rpartition("/")[0]
        value = {"apiVersion": group, "kind": kind, "spec": spec}
        answer = await post_object(self._client, f"{self._url}/apis/{path}", value, self._headers())
        status = answer.get("status")
        return status if isinstance(status, dict) else {}

    def _headers(self) -> dict[str, str]:
        # Read each time: the cluster writes another one before it expires.
        return {"authorization": f"Bearer {self._token_file.read_text().strip()}"}


def _texts(listed: object) -> set[str]:
    return {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()


def _nobody() -> None:
    return None
