"""Who the caller is: the one place where that is decided, before any route."""

from collections.abc import Iterable
from functools import partial

import orjson

from resolvers.caller import Caller, Permission
from web.asgi import App, Headers, Receive, Scope, Send, header, refuse, respond, turn_away
from web.bodies import Bodies, Body, GaveWay
from web.doors import NO_LONGER_GOOD, Door, NotAdmitted, is_for_people
from web.entrance import refuse_socket
from web.sign_in.way import leads_to_sign_in, to_sign_in
from webhooks.devlake import PREFIXES as DEVLAKE
from webhooks.devlake import turned_away as turned_away_of_devlake
from webhooks.http import RETRY_AFTER

DEVLAKE_PATHS = tuple(f"{prefix}/" for prefix in DEVLAKE)
_CHALLENGE: Headers = ((b"www-authenticate", b'Bearer realm="issuegraph"'),)
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOO_MUCH = "Too much is on its way at once: try again"
# Of all bodies on their way whose senders have not shown who they are.
STRANGERS_BYTES = 16_000_000
# Whoever sends them: reading a query takes a moment for each.
MAX_PARAMETERS = 200


class KnowTheCaller:
    """Sets `scope["caller"]` for everything behind it. Its `door` is there once the server has started.

    `bodies`: those of callers who have shown who they are; all others have their own room.
    """

    def __init__(self, app: App, bodies: Bodies) -> None:
        self._app = app
        self.door: Door | None = None
        self._bodies = bodies
        self._of_strangers = Bodies(STRANGERS_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        assert self.door is not None
        body: Body | None = None
        try:
            if scope["query_string"].count(b"&") >= MAX_PARAMETERS:
                raise NotAdmitted(400, f"The URL's query may have {MAX_PARAMETERS} parameters at most")
            caller = scope["caller"] = await self.door.let_in(scope)
            if scope["type"] == "http" and scope["method"] not in _BODILESS:
                if caller.grants:
                    body = Body(self._bodies, caller.line, receive, partial(_check_still_admitted, self.door, caller))
                else:
                    body = Body(self._of_strangers, caller.line, receive)
                receive = body.receive
            await self._app(scope, receive, send)
        except GaveWay:
            await _turn_away(scope, receive, send, NotAdmitted(503, _TOO_MUCH))
        except NotAdmitted as refusal:
            await _turn_away(scope, receive, send, refusal)
        finally:
            if body is not None:
                body.end()


class Everywhere:
    """Lets through who has one of the permissions everywhere."""

    def __init__(self, app: App, permissions: Iterable[Permission]) -> None:
        self._app = app
        self._permissions = tuple(permissions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["caller"]
        if any(caller.namespaces(permission).everywhere for permission in self._permissions):
            await self._app(scope, receive, send)
        else:
            await refuse(send, 403, f"{' or '.join(self._permissions)} in all namespaces is needed")


class Readers:
    """Lets through who may read in some namespace."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["caller"]
        if any(grant.permission is Permission.READ for grant in caller.grants):
            await self._app(scope, receive, send)
        else:
            await turn_away(scope, send, 403, "READ is needed")


def _check_still_admitted(door: Door, caller: Caller) -> None:
    """A body may be on its way for long: when it is whole, who sent it must still be let in. Raises NotAdmitted."""
    if not door.admits(caller):
        raise NotAdmitted(401, NO_LONGER_GOOD)


async def _turn_away(scope: Scope, receive: Receive, send: Send, refusal: NotAdmitted) -> None:
    if scope["type"] == "websocket":
        await refuse_socket(scope, receive, send, refusal.status, refusal.message)
        return
    if refusal.status == 401 and is_for_people(scope["path"]) and leads_to_sign_in(scope):
        await to_sign_in(scope, send)
        return
    if scope["path"].startswith(DEVLAKE_PATHS):
        shown = header(scope, b"authorization")
        status, told = turned_away_of_devlake(refusal.status, refusal.reason, refusal.message, shown)
        headers = _CHALLENGE if status == 401 else RETRY_AFTER if status == 503 else ()
        await respond(send, status, orjson.dumps(told), headers=headers)
        return
    headers = _CHALLENGE if refusal.status == 401 else ()
    await turn_away(scope, send, refusal.status, refusal.message, headers)
