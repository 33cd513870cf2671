"""What every request passes first: it gets an id, is counted, has a line in the log when it is refused or fails."""

import logging
import re
import secrets
from asyncio import CancelledError, timeout
from collections.abc import Awaitable
from contextlib import suppress
from itertools import count
from time import perf_counter
from typing import Any

from web.asgi import App, Message, Receive, Scope, Send, client_of, header, turn_away
from web.logs import REQUEST_ID
from web.protection import Protection
from web.route_counts import RouteCounts
from web.unread import hold
from webhooks.http import HELD

logger = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# Ids only have to differ: a number behind the name of the process is cheaper than one drawn by lot.
_PROCESS = secrets.token_hex(6)
_numbers = count(1)
_LOGGED_CHARACTERS = 200


class Entrance:
    """ASGI middleware. The answer bears the id, as `X-Request-Id`; one that the client gave is kept if it is one.

    An exception that nobody caught is a 500 that says the id and nothing else; the log has the rest.
    """

    def __init__(self, app: App, counts: RouteCounts, protection: Protection) -> None:
        self._app = app
        self._protect = protection.of
        self._counts = counts

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            return self._serve(scope, receive, send)
        if scope["type"] == "websocket":
            REQUEST_ID.set(_id_of(scope))
        return self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()
        id = _id_of(scope)
        REQUEST_ID.set(id)
        own = (b"x-request-id", id.encode())
        status = 0
        held = 0

        def sending(message: Message) -> Awaitable[None]:
            nonlocal held, status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                held = message.get(HELD, 0)
                if held:
                    hold(scope, held)
                message["headers"] = [*headers, own, *self._protect(headers)]
            return send(message)

        try:
            await self._app(scope, receive, sending)
        except CancelledError:
            # Its time is over: the server stops, and waits for nobody to read what was sent before.
            if not status:
                with suppress(TimeoutError):
                    async with timeout(0):
                        await turn_away(scope, sending, 503, "The server stops: try again")
                        return
            raise
        except Exception as error:
            logger.error("error %s: %s %s", id, scope["method"], _path_of(scope), exc_info=error)
            if status:
                # Half an answer is out: only cutting the connection tells the client.
                raise
            await turn_away(scope, sending, 500, f"Internal server error {id}")
        finally:
            if held:
                hold(scope, -held)
            seconds = perf_counter() - begun
            self._counts.count(scope, status, seconds)
            if status >= 400 or logger.isEnabledFor(logging.DEBUG):
                _log(scope, status, seconds)


async def refuse_socket(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Does not accept a WebSocket: the server answers the handshake with 403. The log has `status` and why."""
    await receive()
    logger.info("refused socket", extra={**_told(scope), "status": status, "why": why})
    await send({"type": "websocket.close", "code": 1008, "reason": ""})


def _id_of(scope: Scope) -> str:
    given = header(scope, b"x-request-id")
    return given if given and _ID.fullmatch(given) else f"{_PROCESS}-{next(_numbers):x}"


def _log(scope: Scope, status: int, seconds: float) -> None:
    level = logging.WARNING if status >= 500 else logging.INFO if status >= 400 else logging.DEBUG
    about = {**_told(scope), "method": scope["method"], "status": status, "seconds": round(seconds, 6)}
    logger.log(level, "request", extra=about)


def _told(scope: Scope) -> dict[str, Any]:
    """Never the query, which may hold a token."""
    return {"path": _path_of(scope), "client": client_of(scope)}


def _path_of(scope: Scope) -> str:
    path = str(scope["path"])
    # As one line, whatever a client puts into it.
    return path[:_LOGGED_CHARACTERS].encode("unicode_escape").decode()
