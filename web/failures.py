"""What nobody expected: the caller gets an id, the log gets the id and everything else."""

import logging
import secrets

from web.asgi import App, Message, Receive, Scope, Send, refuse

logger = logging.getLogger(__name__)


class Failures:
    """ASGI middleware: an exception that nobody caught is a 500 with an id that is in the log."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noticed if scope["type"] == "http" else send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            id = secrets.token_hex(8)
            logger.error("error %s: %s %s", id, scope["method"], scope["path"], exc_info=error)
            if started:
                # Half an answer is out: only cutting the connection tells the client.
                raise
            await refuse(send, 500, f"Internal server error {id}")
