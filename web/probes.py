"""What an orchestrator asks: whether the process lives, and whether it can be sent work.

It asks by address, so these paths answer to any Host; they tell nobody anything but which part is down.
"""

import asyncio
from collections.abc import Awaitable, Mapping

import orjson

from models.database import Database, DatabaseError
from models.migrations import is_old
from resolvers.subscription.tailer import Tailer
from resolvers.subscription.wakeups import Wakeups
from web import health
from web.asgi import App, Receive, Scope, Send, respond
from web.ending import Ending
from web.health import wrong_method

PATHS = frozenset({"/healthz", "/readyz"})


class Probes:
    """ASGI middleware: leads the probes around what keeps foreign hosts out (`guarded`)."""

    def __init__(self, app: App, guarded: App) -> None:
        self._app = app
        self._guarded = guarded

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_probe = scope["type"] == "http" and scope["path"] in PATHS
        return (self._app if is_probe else self._guarded)(scope, receive, send)


class Alive:
    """The ASGI callable of `/healthz`: 200 while the process answers. It asks no database: a restart mends none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await wrong_method(scope, send):
            await respond(send, 200, b'{"status":"UP"}')


class Ready:
    """The ASGI callable of `/readyz`: 503 when a component that requests need is DOWN, and which.

    `wakeups` is told and decides nothing: without them a replica hears of the others a second later.
    """

    def __init__(self, database: Database, tailer: Tailer, wakeups: Wakeups, ending: Ending) -> None:
        self._database = database
        self._tailer = tailer
        self._wakeups = wakeups
        self._ending = ending
        self._is_migrated = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await wrong_method(scope, send):
            return
        needed = {
            "server": not self._ending.begun.is_set(),
            **await self._of_database(),
            "log": self._tailer.problem is None,
        }
        ready = all(needed.values())
        told = {
            "status": _word(ready),
            "components": _words({**needed, "wakeups": self._wakeups.status.connected}),
        }
        await respond(send, 200 if ready else 503, orjson.dumps(told), headers=((b"cache-control", b"no-store"),))

    async def _of_database(self) -> Mapping[str, bool]:
        try:
            async with asyncio.timeout(health.PING_SECONDS):
                await self._database.ping()
                # Once is enough: migrations go one way.
                self._is_migrated = self._is_migrated or not await is_old(self._database)
        except (TimeoutError, DatabaseError):
            return {"database": False}
        return {"database": True, "migrations": self._is_migrated}


def _word(is_up: bool) -> str:
    return "UP" if is_up else "DOWN"


def _words(components: Mapping[str, bool]) -> dict[str, str]:
    return {name: _word(is_up) for name, is_up in components.items()}
