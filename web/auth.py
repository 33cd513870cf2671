"""Who the caller is: the one place where that is decided, before any route."""

from resolvers.caller import Actor, ActorKind, everywhere
from web.asgi import App, Receive, Scope, Send

WEBHOOKS = "/api/v1/webhooks/"

# There are no tokens yet, so whoever reaches the server may do everything.
LOCAL = everywhere(Actor(ActorKind.PERSON, "local", "local"))


class KnowTheCaller:
    """Sets `scope["caller"]` for everything behind it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            path: str = scope["path"]
            if path.startswith(WEBHOOKS):
                name = path.removeprefix(WEBHOOKS).strip("/")[:100]
                scope["caller"] = everywhere(Actor(ActorKind.WEBHOOK, name, name))
            else:
                scope["caller"] = LOCAL
        await self._app(scope, receive, send)
