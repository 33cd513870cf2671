"""Keeps out what other web sites make a browser send: by Host, by Origin, by Sec-Fetch-Site."""

import re
from collections.abc import Awaitable, Iterable
from functools import lru_cache

from web.asgi import App, Headers, Message, Receive, Scope, Send, header, respond, turn_away
from web.entrance import refuse_socket
from web.origin import OwnPages
from web.setting_values import LOOPBACK_NAMES

# No name is longer, with its port.
_MAX_HOST_LENGTH = 261
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@/]+))(?::[0-9]*)?", re.IGNORECASE)
_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = b"Accept, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key"


class Guard:
    """Lets a request through only when it names this host, and comes from no foreign page.

    `pages`: those of this server. `hosts`: names (no ports) besides the loopback ones. `origins`: pages (scheme, host
    and port) that may read answers from elsewhere; only those get CORS headers, one by one.
    """

    def __init__(self, app: App, *, pages: OwnPages, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._app = app
        self._pages = pages
        self._hosts = LOOPBACK_NAMES | {host.lower().strip("[]") for host in hosts}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] not in ("http", "websocket"):
            return self._app(scope, receive, send)
        origin = header(scope, b"origin")
        allowed = origin is not None and origin.lower() in self._origins
        problem = self._problem(scope, origin, allowed)
        if problem:
            return _turn_away(scope, receive, send, *problem)
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            if allowed and origin is not None:
                return respond(send, 204, b"", headers=_preflight(origin))
            return self._app(scope, receive, _telling_methods(send))
        if allowed and origin is not None and scope["type"] == "http":
            return self._app(scope, receive, _with_headers(send, _cors(origin)))
        return self._app(scope, receive, send)

    def _problem(self, scope: Scope, origin: str | None, allowed: bool) -> tuple[int, str] | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope.get("http_version") == "1.1"):
            return 400, "a request has one Host"
        host = hosts[0].decode("latin-1") if hosts else ""
        name = _name(host) if len(host) <= _MAX_HOST_LENGTH else ""
        if name not in self._hosts:
            return 421, "this server does not answer to this Host; ISSUEGRAPH_HOSTS names the ones that it does"
        if allowed:
            return None
        if header(scope, b"sec-fetch-site") == "cross-site" and not _follows_a_link(scope):
            return 403, "requests that another site makes a browser send are refused"
        if origin is not None and not self._pages.has(origin, scope):
            return 403, (
                "this Origin is refused: it is not that of ISSUEGRAPH_PUBLIC_URL, nor one that ISSUEGRAPH_ORIGINS names"
            )
        return None


def _preflight(origin: str) -> Headers:
    return (
        *_cors(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", b"600"),
    )


def _telling_methods(send: Send) -> Send:
    """OPTIONS is a method that no route knows: what it then says of those that it does is the answer."""
    is_told = False

    async def sending(message: Message) -> None:
        nonlocal is_told
        if message["type"] == "http.response.start" and message["status"] == 405:
            is_told = True
            allow = [pair for pair in message["headers"] if pair[0] == b"allow"]
            message = {**message, "status": 204, "headers": allow}
        elif is_told:
            message = {**message, "body": b""}
        await send(message)

    return sending


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
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"Retry-After, X-Request-Id"),
        (b"vary", b"Origin"),
    )


def _with_headers(send: Send, headers: Headers) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sending


async def _turn_away(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await refuse_socket(scope, receive, send, status, why)
    else:
        await turn_away(scope, send, status, why)
