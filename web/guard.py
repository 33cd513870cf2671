"""Keeps out what other web sites make a browser send: by Host, by Origin, by Sec-Fetch-Site."""

import re
from collections.abc import Iterable
from functools import lru_cache

from web.asgi import App, Headers, Message, Receive, Scope, Send, header, refuse, respond

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@/]+))(?::[0-9]*)?", re.IGNORECASE)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_METHODS = b"GET, POST, PUT, DELETE, OPTIONS"
_HEADERS = b"Accept, Authorization, Content-Type, Idempotency-Key, Last-Event-ID"


class Guard:
    """Lets a request through only when it names this host, and comes from no foreign page.

    `hosts`: names (no ports) besides the loopback ones. `origins`: pages (scheme, host and port) that may read
    answers from elsewhere; only those get CORS headers, one by one.
    """

    def __init__(self, app: App, *, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | {host.lower().strip("[]") for host in hosts}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        origin = header(scope, b"origin")
        allowed = origin is not None and origin.lower() in self._origins
        problem = self._problem(scope, origin, allowed)
        if problem:
            await _turn_away(scope, receive, send, *problem)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await respond(send, 204, b"", headers=self._preflight(origin if allowed else None))
        elif allowed and origin is not None and scope["type"] == "http":
            await self._app(scope, receive, _with_headers(send, _cors(origin)))
        else:
            await self._app(scope, receive, send)

    def _problem(self, scope: Scope, origin: str | None, allowed: bool) -> tuple[int, str] | None:
        host = header(scope, b"host") or ""
        name = _name(host)
        if name not in self._hosts:
            return 421, "this server does not answer to this Host; ISSUEGRAPH_HOSTS names the ones that it does"
        if allowed:
            return None
        if header(scope, b"sec-fetch-site") == "cross-site" and not _follows_a_link(scope):
            return 403, "requests that another site makes a browser send are refused"
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            return 403, "this Origin is refused; ISSUEGRAPH_ORIGINS names the ones that are not"
        return None

    def _preflight(self, origin: str | None) -> Headers:
        if origin is None:
            return ((b"allow", _METHODS),)
        return (
            *_cors(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", b"600"),
        )


def _follows_a_link(scope: Scope) -> bool:
    """Whether a person went to a page of ours from elsewhere: nothing is changed by that, or read by others."""
    is_page = header(scope, b"sec-fetch-mode") == "navigate" and header(scope, b"sec-fetch-dest") == "document"
    return is_page and scope["type"] == "http" and scope["method"] == "GET"


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The name in a Host header, without port and brackets; "" when it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


def _cors(origin: str) -> Headers:
    return ((b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"))


def _with_headers(send: Send, headers: Headers) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sending


async def _turn_away(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # Before it was accepted: the server answers the handshake with 403.
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await refuse(send, status, why)
