"""What every part of the application needs of ASGI: its shapes, headers, and short answers."""

import orjson

from webhooks.http import (
    RETRY_AFTER,
    Answer,
    Headers,
    Message,
    Receive,
    Send,
    body_of,
    client_of,
    header,
    network_of,
    respond,
    send_answer,
    send_body,
)
from webhooks.http import AsgiApp as App
from webhooks.http import AsgiScope as Scope

__all__ = [
    "CODES",
    "App",
    "Headers",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "body_of",
    "client_of",
    "header",
    "network_of",
    "refuse",
    "respond",
    "send_body",
    "turn_away",
]


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await send_answer(send, Answer(status, {"error": message}), headers)


# GraphQL's `extensions.code` of what happens before GraphQL is reached.
CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


async def turn_away(scope: Scope, send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Refuses a request before its route is reached, in the shape in which the clients of its path read errors.

    A 503 says when to try again.
    """
    if scope["path"] == "/graphql":
        if status == 503:
            headers = (*headers, *RETRY_AFTER)
        error = {"message": message, "extensions": {"code": CODES.get(status, "BAD_REQUEST")}}
        await respond(send, status, orjson.dumps({"errors": [error]}), headers=headers)
    else:
        await refuse(send, status, message, headers)
