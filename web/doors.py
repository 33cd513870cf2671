"""Doors: who comes in, and as whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from resolvers.access import Keyring, Known, Sessions
from resolvers.caller import Actor, ActorKind, Caller, everywhere
from resolvers.errors import Forbidden, Unavailable
from web import credentials
from web.asgi import Scope, network_of
from web.graphql_request import Accept, is_for_page
from web.origin import OwnPages
from web.sign_in.cookies import Cookie
from webhooks.deliver import REFUSAL, WHOLE_QUERY
from webhooks.http import TurnedAway

# On `--dev` whoever reaches the server may do everything.
LOCAL = everywhere(Actor(ActorKind.PERSON, "local", "local"))
# Who has shown nothing, where nothing need be shown (yet).
NOBODY = Caller(Actor(ActorKind.PERSON, "nobody", "nobody"), ())
# What tells nobody anything: health, the way in, and the files that pages are made of.
OPEN_PATHS = frozenset(
    {
        "/healthz",
        "/readyz",
        "/api/v1/health",
        "/api/v1/health/",
        "/sign-in",
        "/sign-in/provider",
        "/sign-in/callback",
        "/sign-out",
    }
)
OPEN_PREFIX = "/static/"
# Below this, each webhook by its name.
WEBHOOKS = "/api/v1/webhooks/"
# What a browser's cookie opens.
SESSION_PATHS = frozenset(
    {"/", "/issues", "/webhooks", "/deliveries", "/graphql", "/docs", "/openapi.json", "/schema.graphql"}
)
# And below these the page, which has no data of its own.
SESSION_PREFIXES = ("/issues/", "/graph/", "/webhooks/", "/deliveries/")
_NO_TOKEN = "A token is needed: send it as `Authorization: Bearer`"
NO_LONGER_GOOD = "This token is none, or is no longer good"


def admits_all(_caller: Caller) -> bool:
    """Nobody's right to be here ends."""
    return True


class NotAdmitted(TurnedAway):
    """Somebody does not come in."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        # As the audit has it.
        self.reason = reason


class Door(Protocol):
    """Who decides who comes in, and as whom."""

    async def let_in(self, scope: Scope) -> Caller:
        """The one who sends a request. Raises NotAdmitted."""
        ...

    async def admit(self, connected: Caller, payload: Mapping[str, Any], network: str) -> Caller:
        """The one who speaks on a socket, from the payload of connection_init and the network that it comes from.

        Raises Forbidden and Unavailable.
        """
        ...

    def admits(self, caller: Caller) -> bool:
        """Whether one who came in would still be let in."""
        ...


class Authority(Protocol):
    """Who knows somebody by a token."""

    async def find(self, secret: str, network: str) -> Known | None:
        """Who shows it, from that network; None for nobody that is known here. Raises Unavailable."""
        ...

    def admits(self, caller: Caller) -> bool:
        """Whether it has nothing against somebody who came in, by its word or another's."""
        ...


class OwnWebhook(Protocol):
    """A webhook that a user made."""

    @property
    def enabled(self) -> bool:
        """Whether deliveries are taken."""
        ...

    @property
    def has_secrets(self) -> bool:
        """Whether senders show a secret of its own, and need no token."""
        ...


class OwnWebhooks(Protocol):
    """Those that users made."""

    def find(self, name: str) -> OwnWebhook | None:
        """By its name."""
        ...


class OpenDoor:
    """Everybody may do everything. `webhooks`: the tool that reports at each path."""

    def __init__(self, webhooks: Mapping[str, str]) -> None:
        self._webhooks = webhooks
        self._tools = {path: _tool(path.rsplit("/", 1)[1], tool) for path, tool in webhooks.items()}
        # Of whole products.
        self._clients: dict[str, Caller] = {}

    async def let_in(self, scope: Scope) -> Caller:
        """Somebody local, or the tool whose path it is."""
        path = scope["path"].removesuffix("/")
        tool = self._tools.get(path)
        if tool is None:
            name = self._webhooks.get(path)
            tool = LOCAL if name is None else self._clients.setdefault(name, _tool(name, name))
        return tool

    async def admit(self, connected: Caller, payload: Mapping[str, Any], network: str) -> Caller:
        """Whoever connected."""
        return connected

    def admits(self, caller: Caller) -> bool:
        """Always."""
        return True


class TokenDoor:
    """Who shows a token comes in with its grants, and to the pages who is signed in.

    `webhooks`: the definition of each path, `own`: webhooks that users made. `cookie`: the one of `sessions`, which
    counts when one of `pages` had it sent. `others` know people by tokens that are none of ours; they are asked one
    after the other, and never about what came in a URL.
    """

    def __init__(
        self,
        keyring: Keyring,
        webhooks: Mapping[str, str],
        sessions: Sessions,
        cookie: Cookie,
        pages: OwnPages,
        others: Sequence[Authority] = (),
        own: OwnWebhooks | None = None,
    ) -> None:
        self._own = own
        self._keyring = keyring
        self._others = others
        self._definitions = webhooks
        self._sessions = sessions
        self._cookie = cookie
        self._pages = pages

    async def let_in(self, scope: Scope) -> Caller:
        """By a header, and on webhook paths by the URL. A socket may say it later."""
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return NOBODY
        definition = self._definitions.get(path.removesuffix("/"))
        is_listed, name = definition is not None, _name_of_webhook(path)
        if not is_listed and name is not None:
            definition = name
            scope[WHOLE_QUERY] = scope["query_string"]
        secret = credentials.of_headers(scope)
        is_in_url = False
        beside: tuple[str | None, ...] = ()
        if definition is not None:
            in_url = credentials.of_url(scope)
            is_in_url = secret is None
            if is_listed and name is None and not is_in_url:
                beside = (credentials.beside_authorization(scope), in_url)
            secret = in_url if is_in_url else secret
        if not is_listed and name is not None and scope["method"] == "POST":
            # Who shows no token of ours has to show a secret of the webhook, which is looked at there; whether there
            # is one of that name nobody else is told.
            own = self._own_webhook(name)
            others = () if is_in_url or own is None or own.has_secrets else self._others
            if secret is None or await self._known(scope, secret, others) is None:
                scope[REFUSAL] = partial(self._refusal, scope, secret)
                return _sender(scope)
        if secret is None:
            signed_in = await self._signed_in(scope) if is_for_people(path) else None
            if signed_in is not None:
                return signed_in
            if scope["type"] == "websocket":
                return NOBODY
            raise self._refusal(scope, None)
        known = self._keyring.known(secret)
        if known is None and any(beside):
            # `Authorization` may be what a webhook asks for beside the token: no other authority is asked about that.
            for each in (secret, *beside):
                known = known or (await self._known(scope, each, ()) if each else None)
        if known is None:
            known = await self._known(scope, secret, () if is_in_url else self._others)
        if known is None:
            raise self._refusal(scope, secret)
        if known.webhook is not None and known.webhook != definition:
            self._keyring.refused("OTHER_PATH", known.caller.actor.id)
            raise NotAdmitted(403, "This token is for another path", "OTHER_PATH")
        return known.caller

    async def admit(self, connected: Caller, payload: Mapping[str, Any], network: str) -> Caller:
        """The payload's token counts, else that of the handshake."""
        secret = credentials.of_payload(payload)
        if secret is None:
            if connected is NOBODY:
                self._keyring.refused("NO_TOKEN", network)
                raise Forbidden("A token is needed")
            return connected
        known = await self._find(secret, network, self._others)
        if known is None:
            self._keyring.refused("UNKNOWN_TOKEN", network)
            raise Forbidden(NO_LONGER_GOOD)
        if known.webhook is not None:
            self._keyring.refused("OTHER_PATH", known.caller.actor.id)
            raise Forbidden("This token is for another path")
        return known.caller

    def admits(self, caller: Caller) -> bool:
        """Until the token is revoked or expires, or the session ends."""
        is_here = self._keyring.admits(caller) and self._sessions.admits(caller)
        return is_here and all(other.admits(caller) for other in self._others)

    def _own_webhook(self, name: str) -> OwnWebhook | None:
        own = self._own.find(name) if self._own is not None else None
        return own if own is not None and own.enabled else None

    def _refusal(self, scope: Scope, secret: str | None) -> NotAdmitted:
        """What somebody is answered who showed no token (None), or one that is not good; counts them."""
        reason = "NO_TOKEN" if secret is None else "UNKNOWN_TOKEN"
        self._keyring.refused(reason, network_of(scope))
        return NotAdmitted(401, _NO_TOKEN if secret is None else NO_LONGER_GOOD, reason)

    async def _signed_in(self, scope: Scope) -> Caller | None:
        """By the cookie; one that another page may have made the browser send counts for nothing.

        Raises NotAdmitted when that cannot be known.
        """
        secrets = self._cookie.all_of(scope)
        if not secrets:
            return None
        if scope["type"] == "websocket" and not self._pages.sent(scope):
            return None
        try:
            for secret in secrets:
                caller = await self._sessions.find(secret)
                if caller is not None:
                    break
            else:
                return None
        except Unavailable as error:
            raise NotAdmitted(503, error.message) from error
        if scope["type"] == "http" and not self._is_of_no_other_page(scope):
            self._keyring.refused("OTHER_PAGE", network_of(scope))
            message = "With a session, send Origin, Sec-Fetch-Site: same-origin, or GraphQL-Require-Preflight"
            raise NotAdmitted(403, message)
        return caller

    def _is_of_no_other_page(self, scope: Scope) -> bool:
        """Whether a request may be done with a session: pages anybody may open, also from elsewhere."""
        if scope["method"] not in ("GET", "HEAD"):
            return self._pages.sent(scope)
        accept = Accept.of(scope)
        is_page = scope["path"] != "/graphql" or is_for_page(scope, accept)
        return is_page or self._pages.sent_or_opened(scope, as_page=accept.wants_page())

    async def _find(self, secret: str, network: str, others: Sequence[Authority]) -> Known | None:
        known = await self._keyring.find(secret)
        for other in others:
            known = known or await other.find(secret, network)
        return known

    async def _known(self, scope: Scope, secret: str, others: Sequence[Authority]) -> Known | None:
        try:
            return await self._find(secret, network_of(scope), others)
        except Unavailable as error:
            raise NotAdmitted(503, error.message) from error


def is_for_people(path: str) -> bool:
    """Whether a browser's cookie opens it."""
    return path in SESSION_PATHS or path.startswith(SESSION_PREFIXES)


def _sender(scope: Scope) -> Caller:
    """Somebody at an address, who may do nothing yet."""
    return Caller(Actor(ActorKind.PERSON, f"sender at {network_of(scope)}", "a sender"), ())


def _name_of_webhook(path: str) -> str | None:
    """What a webhook at this path would be called."""
    if not path.startswith(WEBHOOKS):
        return None
    name = path.removeprefix(WEBHOOKS).removesuffix("/")
    return name if name and "/" not in name else None


def _tool(name: str, tool: str) -> Caller:
    return replace(everywhere(Actor(ActorKind.WEBHOOK, name, name)), tool=tool)
