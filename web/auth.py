"""Who the caller is: the one place where that is decided, before any route."""

from collections.abc import Mapping
from dataclasses import replace

from resolvers.caller import Actor, ActorKind, Caller, everywhere
from web.asgi import App, Receive, Scope, Send

# There are no tokens yet, so whoever reaches the server may do everything.
LOCAL = everywhere(Actor(ActorKind.PERSON, "local", "local"))


class KnowTheCaller:
    """Sets `scope["caller"]` for everything behind it; `webhooks`: the tool that reports at each path."""

    def __init__(self, app: App, *, webhooks: Mapping[str, str]) -> None:
        self._app = app
        self._tools = {path: _tool(path.rsplit("/", 1)[1], tool) for path, tool in webhooks.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["caller"] = self._tools.get(scope["path"].removesuffix("/"), LOCAL)
        await self._app(scope, receive, send)


def _tool(name: str, tool: str) -> Caller:
    return replace(everywhere(Actor(ActorKind.WEBHOOK, name, name)), tool=tool)
