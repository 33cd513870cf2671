"""HEAD wherever there is GET: the same answer without its body."""

from collections.abc import Awaitable

from web.asgi import App, Message, Receive, Scope, Send


class Head:
    """ASGI middleware. What would be answered to GET is made, as far as its headers; what streams ends there.

    Who is told which methods there are is told of HEAD.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or scope["method"] == "GET":
            return self._app(scope, receive, send)
        if scope["method"] == "HEAD":
            return self._serve(scope, receive, send)
        return self._app(scope, receive, _telling_of_head(send))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def receiving() -> Message:
            return {"type": "http.disconnect"} if begun else await receive()

        async def sending(message: Message) -> None:
            nonlocal begun
            if not begun:
                begun = True
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receiving, _telling_of_head(sending))
        finally:
            # Which route it was, for who counts them.
            if "endpoint" in as_get:
                scope["endpoint"] = as_get["endpoint"]


def _telling_of_head(send: Send) -> Send:
    def sending(message: Message) -> Awaitable[None]:
        if message.get("status") == 405:
            message["headers"] = [_with_head(name, value) for name, value in message["headers"]]
        return send(message)

    return sending


def _with_head(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    methods = value.split(b", ")
    if name != b"allow" or b"GET" not in methods or b"HEAD" in methods:
        return name, value
    at = methods.index(b"GET") + 1
    return name, b", ".join([*methods[:at], b"HEAD", *methods[at:]])
