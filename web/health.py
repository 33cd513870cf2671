"""Whether the server is well, and which it is, in Kite's words."""

import asyncio
import logging
import time
from importlib.metadata import version
from typing import Any

import orjson

from models.database import Database, DatabaseError
from models.values import now
from resolvers.subscription.tailer import Tailer
from resolvers.subscription.wakeups import Wakeups
from web.asgi import Receive, Scope, Send, refuse, respond

logger = logging.getLogger(__name__)

VERSION = version("issuegraph")
# Whoever asks after our health gives up about then.
PING_SECONDS = 5.0
ARRIVE, DO_NOT_ARRIVE = "Wake-ups of other processes arrive", "Wake-ups of other processes do not arrive"


class Health:
    """Kite: GET /health/. 503 when the database does not answer; `wakeups` says whether replicas hear of each other.

    Anybody may ask: why something is away, and where it is, is in the log alone.
    """

    def __init__(self, database: Database, tailer: Tailer, wakeups: Wakeups) -> None:
        self._database = database
        self._tailer = tailer
        self._wakeups = wakeups
        self._logged = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await wrong_method(scope, send):
            return
        begun = time.perf_counter()
        problem = await self._problem()
        seconds = round(time.perf_counter() - begun, 6)
        database = _component(
            problem is None,
            "Database connection successful" if problem is None else f"database ping failed: {problem}",
            {"connection_status": "Healthy", "response_time_seconds": seconds}
            if problem is None
            else {"cause_of_failure": problem, "check_duration_seconds": seconds},
        )
        has_log, has_wakeups = self._tailer.problem is None, self._wakeups.status.connected
        answer = {
            "status": database["status"],
            "message": "All systems operational" if problem is None else "One or more components are unhealthy",
            "timestamp": now(),
            "components": {
                "api": _component(True, "API server is responding", {"version": VERSION}),
                "database": database,
                "log": _component(has_log, "The log is followed" if has_log else "The log cannot be read", {}),
                "wakeups": _component(has_wakeups, ARRIVE if has_wakeups else DO_NOT_ARRIVE, {}),
                "response_time": _component(True, "Response time measurement", {"duration_seconds": seconds}),
            },
        }
        await respond(send, 200 if problem is None else 503, orjson.dumps(answer))

    async def _problem(self) -> str | None:
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._database.ping()
        except TimeoutError:
            return f"no answer within {PING_SECONDS:g} seconds"
        except DatabaseError as error:
            if str(error) != self._logged:
                self._logged = str(error)
                logger.warning("the database cannot be reached: %s", error)
            return "it cannot be reached"
        self._logged = ""
        return None


class Version:
    """Kite: GET /version/."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await wrong_method(scope, send):
            told = {"description": "A live graph of what is broken in CI/CD", "name": "issuegraph", "version": VERSION}
            await respond(send, 200, orjson.dumps(told))


def _component(is_up: bool, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"status": "UP" if is_up else "DOWN", "message": message, "details": details}


async def wrong_method(scope: Scope, send: Send) -> bool:
    """Whether the method is none that only looks; then it is answered."""
    if scope["method"] in ("GET", "HEAD"):
        return False
    await refuse(send, 405, "Method not allowed", ((b"allow", b"GET, HEAD"),))
    return True
