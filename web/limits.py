"""A body has a largest size, whoever reads it."""

from collections.abc import Awaitable

from web.asgi import App, Message, Receive, Scope, Send, header, turn_away


class BodyTooLarge(Exception):
    """The body is larger than the limit."""


class BodyLimit:
    """Answers 413 to a request whose body has more than `max_bytes`, announced or not."""

    def __init__(self, app: App, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        announced = header(scope, b"content-length")
        if announced is None or not announced.isdecimal():
            return self._serve_counted(scope, receive, send)
        # The server lets no more through than was announced.
        return self._refuse(scope, send) if int(announced) > self._max_bytes else self._app(scope, receive, send)

    async def _serve_counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, answered = 0, False

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise BodyTooLarge
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, counting, sending)
        except BodyTooLarge:
            if not answered:
                await self._refuse(scope, send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        await turn_away(scope, send, 413, f"a body may have {self._max_bytes} bytes at most")
