"""What every part of the application needs of ASGI: its shapes, headers, and short answers."""

from webhooks.http import Answer, Headers, Message, Receive, Send, body_of, respond, send_answer
from webhooks.http import AsgiApp as App
from webhooks.http import AsgiScope as Scope

__all__ = ["App", "Headers", "Message", "Receive", "Scope", "Send", "body_of", "header", "refuse", "respond"]

# Where a scope keeps its headers by their names.
_BY_NAME = "issuegraph.headers"


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await send_answer(send, Answer(status, {"error": message}), headers)


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first if there are several."""
    by_name = scope.get(_BY_NAME)
    if by_name is None:
        # Every layer looks for some.
        by_name = scope[_BY_NAME] = dict(reversed([*scope["headers"]]))
    value: bytes | None = by_name.get(name)
    return None if value is None else value.decode("latin-1")
