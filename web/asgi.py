"""What every part of the application needs of ASGI: its shapes, headers, and short answers."""

from webhooks.http import Answer, Headers, Message, Receive, Send, body_of, respond, send_answer
from webhooks.http import AsgiApp as App
from webhooks.http import AsgiScope as Scope

__all__ = ["App", "Headers", "Message", "Receive", "Scope", "Send", "body_of", "header", "refuse", "respond"]


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await send_answer(send, Answer(status, {"error": message}), headers)


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first if there are several."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
