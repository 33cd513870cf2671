"""What every part of the application needs of ASGI: its shapes, headers, and short answers."""

import orjson

from webhooks.http import AsgiApp as App
from webhooks.http import AsgiScope as Scope
from webhooks.http import Headers, Message, Receive, Send, body_of, respond

__all__ = ["App", "Headers", "Message", "Receive", "Scope", "Send", "body_of", "header", "refuse", "respond"]


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await respond(send, status, orjson.dumps({"error": message}), headers=headers)


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first if there are several."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
