"""The shapes of ASGI, and answers small enough to need no framework."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = tuple[tuple[bytes, bytes], ...]
JSON = b"application/json; charset=utf-8"


async def respond(send: Send, status: int, body: bytes, content_type: bytes = JSON, headers: Headers = ()) -> None:
    """Sends one whole answer."""
    fixed = ((b"content-type", content_type), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await respond(send, status, orjson.dumps({"error": message}), headers=headers)


async def body_of(receive: Receive) -> bytes:
    """The whole body. Raises ConnectionResetError when the client went away."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first if there are several."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
