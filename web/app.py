"""The ASGI application: the table of routes, and what every request passes on its way to them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import Route, Router, WebSocketRoute

from web.asgi import App, Receive, Scope, Send, refuse
from web.auth import KnowTheCaller
from web.ending import Ending
from web.failures import Failures
from web.graphiql_page import GraphiqlPage
from web.graphql import GraphQLOverHttp
from web.graphql_request import EVENT_STREAM, MULTIPART
from web.guard import Guard
from web.health import Health, Version
from web.house import House, open_house
from web.limits import BodyLimit
from web.metrics import Metrics
from web.multipart import MULTIPART_SUBSCRIPTION
from web.result_stream import ResultStream
from web.settings import Settings
from web.sockets import SocketLimits, Sockets
from web.sse import SERVER_SENT_EVENTS
from web.static_files import Redirect, Static
from web.wire import Wires
from webhooks.definition import Definition, load
from webhooks.kite import Kite
from webhooks.receive import Receiver

STATIC = Path(__file__).parent / "static"


def routes(
    house: House, definitions: Sequence[Definition], sockets: Sockets, ending: Ending, wires: Wires
) -> list[Route | WebSocketRoute]:
    """The index of the house, as clients see it."""
    settings = house.settings
    kite = Kite(house.planner, house.writer)
    webhooks = Receiver(definitions, house.writer, kite.show_issue, logs_url=settings.logs_url)
    streams = {
        kind: ResultStream(house.executor, house.streams, house.log, ending, format)
        for kind, format in ((EVENT_STREAM, SERVER_SENT_EVENTS), (MULTIPART, MULTIPART_SUBSCRIPTION))
    }
    graphql = GraphQLOverHttp(house.planner, house.executor, streams, GraphiqlPage())
    return [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", sockets),
        *_both("/api/v1/issues", kite.collection),
        *_both("/api/v1/issues/{id}", kite.item),
        *_both("/api/v1/issues/{id}/resolve", kite.resolve),
        *_both("/api/v1/issues/{id}/related", kite.relate),
        *_both("/api/v1/issues/{id}/related/{related_id}", kite.unrelate),
        *(route for path, receive in webhooks.routes.items() for route in _both(path, receive)),
        *_both("/api/v1/health", Health(house.database, house.tailer, house.wakeups)),
        *_both("/api/v1/version", Version()),
        Route("/metrics", Metrics(house, sockets, wires)),
        Route("/", Redirect("/graphql")),
        # Where `Issue.url` leads: what REST shows of the issue.
        Route("/issues/{id}", Redirect("/api/v1/issues/{id}")),
        Route("/static/{path:path}", Static(STATIC)),
    ]


def sockets_of(house: House) -> Sockets:
    """What answers on WebSockets."""
    limits = SocketLimits(
        message_characters=house.settings.max_socket_message_bytes,
        operations=house.settings.max_socket_operations,
        init_seconds=house.settings.socket_init_seconds,
    )
    return Sockets(house.planner, house.executor, house.streams, limits=limits)


def _both(path: str, app: App) -> list[Route]:
    """The route with and without a slash at the end: clients use either, and none follows a redirect of a POST."""
    return [Route(path, app), Route(f"{path}/", app)]


def create_app(settings: Settings, ending: Ending | None = None, wires: Wires | None = None) -> App:
    """The application; its lifespan builds the house. `ending` begins when streams are to end, `wires` has counts.

    Raises webhooks.definition.DefinitionError.
    """
    ending, wires = ending or Ending(), wires or Wires()
    definitions = load()
    router = Router(default=_not_found, redirect_slashes=False)

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        async with open_house(settings) as house:
            sockets = sockets_of(house)
            router.routes.extend(routes(house, definitions, sockets, ending, wires))
            for route in router.routes:
                if isinstance(route, WebSocketRoute):
                    exact["websocket"][route.path] = route.app
                elif isinstance(route, Route) and not route.param_convertors:
                    exact["http"].setdefault(route.path, route.handle)
            last_words = asyncio.create_task(ending.say_last_words(house.streams, sockets), name="last words")
            yield
            last_words.cancel()

    # What has no parameters is found by its path, not by trying one route after the other.
    exact: dict[str, dict[str, App]] = {"http": {}, "websocket": {}, "lifespan": {}}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = exact[scope["type"]].get(scope.get("path", ""))
        if found:
            scope["path_params"] = {}
        await (found or router)(scope, receive, send)

    router.lifespan_context = lifespan
    return _guarded(app, settings, {path: each.name for each in definitions for path in each.paths})


def _guarded(app: Any, settings: Settings, webhooks: Mapping[str, str]) -> App:
    """What stands before every route, the innermost first."""
    # An address that stands for all of them is no name, and browsers take 0.0.0.0 for this machine.
    own_names = {urlsplit(settings.own_url).hostname or settings.host, settings.host} - {"0.0.0.0", "::"}
    app = KnowTheCaller(app, webhooks=webhooks)
    app = BodyLimit(app, max_bytes=settings.max_body_bytes)
    app = Guard(app, hosts={*settings.hosts, *own_names}, origins=settings.origins)
    return Failures(app)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await refuse(send, 404, "404 page not found")
