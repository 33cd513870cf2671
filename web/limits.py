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
        # A socket may be open for days: what is not needed does not wait with it.
        serve = self._serve if scope["type"] == "http" else self._app
        return serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = header(scope, b"content-length")
        if announced is not None and announced.isdecimal():
            # The server lets no more through than was announced.
            if int(announced) > self._max_bytes:
                await self._refuse(scope, send)
            else:
                await self._app(scope, receive, send)
            return
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
