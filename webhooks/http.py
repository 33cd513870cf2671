"""HTTP as bare ASGI has it: the shapes, a request's body and query, and answers small enough to need no framework."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from resolvers.errors import Forbidden, Invalid, Overloaded, Unavailable
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH

log = logging.getLogger(__name__)

AsgiScope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

# What is handed to the connection at once: it keeps what the client does not take.
PIECE_BYTES = 262_144
# In the start of an answer: how many bytes of it are held until the client has taken them.
HELD = "issuegraph.held"

Headers = tuple[tuple[bytes, bytes], ...]
JSON = b"application/json; charset=utf-8"
# Where a scope keeps its headers by their names.
_BY_NAME = "issuegraph.headers"
# What waits is written by then, and a database that is away is asked again soon enough.
RETRY_AFTER_SECONDS = 2
RETRY_AFTER: Headers = ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),)


class Answer(NamedTuple):
    """Status and JSON of an answer."""

    status: int
    body: Mapping[str, Any]

    def with_notices(self, notices: Sequence[str]) -> "Answer":
        """The answer that also tells what was done to values that could not be kept as they came."""
        return Answer(self.status, {**self.body, "notices": notices}) if notices else self


class TurnedAway(Exception):
    """Somebody does not come in after all; whoever let them come so far answers."""


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, error: str, details: str | None = None) -> None:
        super().__init__(error)
        self.answer = Answer(status, {"error": error} if details is None else {"details": details, "error": error})


def client_of(scope: AsgiScope) -> str:
    """The address that a request comes from; "" where there is none."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else ""


def network_of(scope: AsgiScope) -> str:
    """Who a request comes from, as far as an address tells: of IPv6 the /64, as one machine has all of those."""
    return _network(client_of(scope))


@lru_cache(maxsize=1_024)
def _network(client: str) -> str:
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if not isinstance(address, IPv6Address):
        return client
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


async def respond(
    send: Send, status: int, body: bytes, content_type: bytes = JSON, headers: Headers = (), *, is_shared: bool = False
) -> None:
    """Sends one whole answer, whose bytes are its own unless it `is_shared` with others."""
    fixed = ((b"content-type", content_type), (b"content-length", str(len(body)).encode()))
    start: Message = {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]}
    if len(body) > PIECE_BYTES and not is_shared:
        start[HELD] = len(body)
    await send(start)
    await send_body(send, body)


async def send_body(send: Send, body: bytes, *, more: bool = False) -> None:
    """Sends a body, or a piece of one, no faster than the client takes it."""
    if len(body) <= PIECE_BYTES:
        await send({"type": "http.response.body", "body": body, "more_body": more})
        return
    for start in range(0, len(body), PIECE_BYTES):
        end = start + PIECE_BYTES
        await send({"type": "http.response.body", "body": body[start:end], "more_body": more or end < len(body)})


async def send_answer(send: Send, answer: Answer, headers: Headers = ()) -> None:
    """Sends an answer as JSON; a 503 says when to try again."""
    await send_json(send, answer.status, orjson.dumps(answer.body), headers)


async def send_json(send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
    """The same, of an answer that is JSON already."""
    await respond(send, status, body, headers=(*headers, *RETRY_AFTER) if status == 503 else headers)


async def answer_from(work: Coroutine[Any, Any, Answer], what: str, *, failed: str = "internal error") -> Answer:
    """What the work answers, or the answer for what it raises; `what` it is about stands in the log.

    Raises TurnedAway.
    """
    try:
        return await work
    except TurnedAway:
        raise
    except Refused as refused:
        return refused.answer
    except Forbidden as forbidden:
        return Answer(403, {"error": forbidden.message})
    except Invalid as invalid:
        return Answer(422, {"error": invalid.message})
    except (Overloaded, Unavailable) as problem:
        return Answer(503, {"error": problem.message})
    except Exception:
        log.exception(what)
        return Answer(500, {"error": failed})


async def body_of(receive: Receive) -> bytes:
    """The whole body. Raises ConnectionResetError when the client went away."""
    # Not a list of pieces: tiny ones would take many times as much as they hold.
    whole = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away")
        piece: bytes = message.get("body", b"")
        if not whole and not message.get("more_body"):
            return piece
        whole += piece
        if not message.get("more_body"):
            return bytes(whole)


async def posted(scope: AsgiScope, receive: Receive, send: Send) -> bytes | None:
    """The whole body of a POST; None: it is another method, which was answered, or the client went away."""
    if scope["method"] != "POST":
        await send_answer(send, Answer(405, {"error": "Method not allowed"}), ((b"allow", b"POST"),))
        return None
    try:
        return await body_of(receive)
    except ConnectionResetError:
        return None


def again(body: bytes) -> Receive:
    """A request whose body was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def headers_of(scope: AsgiScope) -> dict[str, str]:
    """The first of every name, in lower case."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def header(scope: AsgiScope, name: bytes) -> str | None:
    """A header by its lower-case name; the first if there are several."""
    by_name = scope.get(_BY_NAME)
    if by_name is None:
        by_name = dict(reversed([*scope["headers"]]))
        if scope["type"] == "http":
            # Every layer looks for some. A socket's are looked at once, and it may stay for days.
            scope[_BY_NAME] = by_name
    value: bytes | None = by_name.get(name)
    return None if value is None else value.decode("latin-1")


def query_of(scope: AsgiScope) -> dict[str, str]:
    """The first value of every name in the query."""
    return parameters_of(scope["query_string"])


def parameters_of(query: bytes) -> dict[str, str]:
    """The same of a query as it came."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ():
        found.setdefault(name, value)
    return found


def namespace_of(query: Mapping[str, str], given: Any) -> str:
    """The namespace that a body gives, else the one in the query. Raises Refused for none, and for two."""
    asked = query.get("namespace", "")
    if not isinstance(given, str) or not given:
        given = asked
    if not given:
        raise Refused(400, "Missing namespace")
    if asked and asked != given:
        raise Refused(400, "Namespace mismatch")
    if len(given) > MAX_NAMESPACE_LENGTH:
        details = f"namespace may have {MAX_NAMESPACE_LENGTH} characters at most"
        raise Refused(400, "Validation failed", details)
    return str(given)
