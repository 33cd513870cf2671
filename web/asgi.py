"""What every part of the application needs of ASGI: its shapes, headers, and short answers."""

from webhooks.http import Answer, Headers, Message, Receive, Send, body_of, header, respond, send_answer
from webhooks.http import AsgiApp as App
from webhooks.http import AsgiScope as Scope

__all__ = ["App", "Headers", "Message", "Receive", "Scope", "Send", "body_of", "header", "refuse", "respond"]


async def refuse(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Sends `{"error": message}`."""
    await send_answer(send, Answer(status, {"error": message}), headers)
