"""The ASGI application: the table of routes, and what every request passes on its way to them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from socket import socket
from urllib.parse import urlsplit

from starlette.routing import Route, Router, WebSocketRoute

from resolvers.caller import Permission
from web import api_docs
from web.asgi import App, Receive, Scope, Send, refuse
from web.auth import Everywhere, KnowTheCaller, Readers
from web.bodies import Bodies
from web.dashboard_page import PAGE_PATHS, DashboardPage, ForPeople
from web.doors import Door, OpenDoor, TokenDoor
from web.ending import Ending
from web.entrance import Entrance, refuse_socket
from web.first_token import make_first_token
from web.graphiql_page import GraphiqlPage
from web.graphql import GraphQLOverHttp
from web.graphql_request import EVENT_STREAM, MULTIPART
from web.guard import Guard
from web.head import Head
from web.health import Health, Version
from web.house import House, open_house
from web.limits import BodyLimit
from web.logs import passwords_of
from web.metrics import Measured, Metrics
from web.metrics_server import serving_metrics
from web.multipart import MULTIPART_SUBSCRIPTION
from web.origin import OwnPages
from web.other_products import other_products
from web.probes import Alive, Probes, Ready
from web.protection import Protection
from web.proxies import behind
from web.rate_limit import Charged
from web.result_stream import ResultStream
from web.route_counts import RouteCounts
from web.settings import Settings
from web.settings_told import note_settings
from web.sign_in.index import session_cookie, sign_in_routes
from web.sockets import SocketLimits, Sockets
from web.sse import SERVER_SENT_EVENTS
from web.static_files import Redirect, Static
from web.traces import traces_wanted
from web.webhook_paths import CLIENTS, WebhookPaths
from web.wire import Wires
from webhooks.definition import PREFIX, Shipped, ours
from webhooks.deliver import Webhooks
from webhooks.kite import Kite
from webhooks.receive import Receiver

STATIC = Path(__file__).parent / "static"


def routes(
    house: House,
    shipped: Shipped,
    sockets: Sockets,
    streams: Mapping[str, ResultStream],
    ending: Ending,
    deliveries: Counter[tuple[str, str]],
    metrics: Metrics | None,
) -> list[Route | WebSocketRoute]:
    """The index of the house, as clients see it; `metrics` if they are told here, `deliveries` counts for them."""
    settings = house.settings
    charged = partial(Charged, buckets=house.buckets)
    kite = Kite(house.planner, house.writer)
    listed = Receiver(shipped.listed, house.writer, kite.show_issue, logs_url=settings.logs_url, outcomes=deliveries)
    webhooks = Webhooks(
        house.catalog,
        house.webhooks.deliveries,
        house.verifier,
        public_url=settings.own_url,
        logs_url=settings.logs_url,
        outcomes=deliveries,
    )
    dashboard = DashboardPage()
    graphiql = Readers(GraphiqlPage(is_open=settings.dev))
    graphql = GraphQLOverHttp(house.operations, house.executor, streams, graphiql, admits=sockets.admits)
    return [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", sockets),
        # Before all that have no parameters: those are found without looking here.
        *_both(PREFIX + "{name}", charged(webhooks)),
        *_both("/api/v1/issues", charged(kite.collection)),
        *_both("/api/v1/issues/{id}", charged(kite.item)),
        *_both("/api/v1/issues/{id}/resolve", charged(kite.resolve)),
        *_both("/api/v1/issues/{id}/related", charged(kite.relate)),
        *_both("/api/v1/issues/{id}/related/{related_id}", charged(kite.unrelate)),
        *(route for path, receive in listed.routes.items() for route in _both(path, charged(receive))),
        *other_products(house, charged, webhooks, deliveries),
        *_both("/api/v1/health", Health(house.database, house.tailer, house.wakeups)),
        *_both("/api/v1/version", Version()),
        Route("/healthz", Alive()),
        Route("/readyz", Ready(house.database, house.tailer, house.wakeups, ending)),
        *((Route("/metrics", Everywhere(metrics, (Permission.READ, Permission.ADMIN))),) if metrics else ()),
        Route("/openapi.json", api_docs.openapi(shipped, settings.own_url)),
        Route("/docs", api_docs.page()),
        Route("/schema.graphql", Readers(api_docs.graphql_schema())),
        *(Route(path, dashboard) for path in PAGE_PATHS),
        *sign_in_routes(house),
        # Where `Issue.url` leads; programs are shown what REST shows of the issue.
        Route("/issues/{id}", ForPeople(dashboard, Redirect("/api/v1/issues/{id}"))),
        Route("/static/{path:path}", Static(STATIC)),
    ]


def sockets_of(house: House, door: Door) -> Sockets:
    """What answers on WebSockets."""
    limits = SocketLimits(
        message_bytes=house.settings.max_socket_message_bytes,
        operations=house.settings.max_socket_operations,
        sockets=house.settings.max_caller_sockets,
        init_seconds=house.settings.socket_init_seconds,
    )
    return Sockets(house.operations, house.executor, house.streams, limits=limits, admit=door.admit, admits=door.admits)


def streams_of(house: House, door: Door, ending: Ending) -> dict[str, ResultStream]:
    """What answers as a stream over HTTP, by media type."""
    return {
        kind: ResultStream(
            house.operations, house.executor, house.streams, house.log, ending, format, admits=door.admits
        )
        for kind, format in ((EVENT_STREAM, SERVER_SENT_EVENTS), (MULTIPART, MULTIPART_SUBSCRIPTION))
    }


def _both(path: str, app: App) -> list[Route]:
    """The route with and without a slash at the end: clients use either, and none follows a redirect of a POST."""
    return [Route(path, app), Route(f"{path}/", app)]


def create_app(
    settings: Settings, ending: Ending | None = None, wires: Wires | None = None, metrics_on: socket | None = None
) -> App:
    """The application; its lifespan builds the house. `ending` begins when streams are to end, `wires` has counts.
    With `metrics_on`, a socket that listens, /metrics is there and nowhere else.

    Raises webhooks.definition.DefinitionError.
    """
    ending, wires, counts = ending or Ending(), wires or Wires(), RouteCounts()
    deliveries: Counter[tuple[str, str]] = Counter()
    traces = traces_wanted(passwords_of(settings))
    shipped = ours()
    router = Router(default=_not_found, redirect_slashes=False)

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        async with open_house(settings, traces) as house, AsyncExitStack() as stack:
            if not settings.dev:
                await make_first_token(house.tokens, settings)
            await note_settings(house.audit, settings, house.log.identity)
            door = OpenDoor(paths) if settings.dev else _door(house, paths)
            entrance.door = door
            sockets, streams = sockets_of(house, door), streams_of(house, door, ending)
            house.keyring.on_change = partial(_turn_away, door, (sockets, *streams.values()))
            metrics = Metrics(Measured(house, sockets, wires, counts, deliveries))
            if metrics_on:
                await stack.enter_async_context(serving_metrics(metrics, metrics_on, wires))
            here = None if metrics_on else metrics
            table = routes(house, shipped, sockets, streams, ending, deliveries, here)
            router.routes.extend(table)
            counts.know(table)
            for route in router.routes:
                if isinstance(route, WebSocketRoute):
                    exact["websocket"][route.path] = route.app
                elif isinstance(route, Route) and not route.param_convertors:
                    exact["http"].setdefault(route.path, route.handle if route.methods else route.app)
            last_words = asyncio.create_task(ending.say_last_words(house.streams, sockets), name="last words")
            yield
            last_words.cancel()
        if traces:
            await traces.close()

    paths = WebhookPaths(shipped.paths, CLIENTS)
    # What has no parameters is found by its path, not by trying one route after the other.
    exact: dict[str, dict[str, App]] = {"http": {}, "websocket": {}, "lifespan": {}}

    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        found = exact[scope["type"]].get(scope.get("path", ""))
        if found:
            scope["path_params"] = {}
        return (found or router)(scope, receive, send)

    router.lifespan_context = lifespan
    entrance = KnowTheCaller(Head(app), Bodies(settings.max_bodies_bytes))
    guarded = _guarded(entrance, counts, settings)
    return behind(settings.trusted_proxies, traces.of_requests(guarded, counts) if traces else guarded)


def _door(house: House, webhooks: Mapping[str, str]) -> TokenDoor:
    others = [other for other in (house.issuer, house.kubernetes) if other is not None]
    settings = house.settings
    cookie, pages = session_cookie(settings), OwnPages(settings.own_url)
    return TokenDoor(house.keyring, webhooks, house.sessions, cookie, pages, others, own=house.catalog)


def _turn_away(door: Door, doors: Iterable[Sockets | ResultStream]) -> None:
    """Ends the connections of those who would not be let in any more."""
    for each in doors:
        each.turn_away(lambda caller: not door.admits(caller))


def _guarded(app: App, counts: RouteCounts, settings: Settings) -> App:
    """What stands before every route, the innermost first."""
    # An address that stands for all of them is no name, and browsers take 0.0.0.0 for this machine.
    own_names = {urlsplit(settings.own_url).hostname or settings.host, settings.host} - {"0.0.0.0", "::"}
    app = BodyLimit(app, max_bytes=settings.max_body_bytes)
    inner = app
    app = Guard(app, hosts={*settings.hosts, *own_names}, origins=settings.origins, pages=OwnPages(settings.own_url))
    protection = Protection(https=settings.is_https)
    return Entrance(Probes(inner, app), counts, protection)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await refuse_socket(scope, receive, send, 404, "page not found")
    else:
        await refuse(send, 404, "404 page not found")
