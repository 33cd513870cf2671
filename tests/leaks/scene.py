"""A server with everybody's data, and beside it one with only what one caller may see, where all may be seen."""

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.routing import Router

from models.database import Database
from resolvers.errors import RequestError
from schema.problems import errors_of
from tests.leaks.oracle import may_read, visible
from tests.leaks.world import put, tables
from tests.resolvers.mutation.house import ADA
from tests.resolvers.webhooks.fake_engine import fake_services
from tests.web.client import Client
from web.app import routes, sockets_of, streams_of
from web.doors import OpenDoor
from web.ending import Ending
from web.house import House, open_house
from web.settings import Settings
from webhooks.definition import load_all

# What tells of one thing: an id, or a text that a command brought.
TRACE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|m[0-9]+m")
NO_LIMIT = 10**9
# How long what is on its way may take.
SECONDS = 20
UNLIMITED: dict[str, Any] = dict.fromkeys(
    (
        "max_document_tokens",
        "max_document_operations",
        "max_document_depth",
        "max_document_fields",
        "max_document_aliases",
        "max_document_directives",
        "max_root_fields",
        "max_query_cost",
        "max_conditions",
        "cost_burst",
    ),
    NO_LIMIT,
    # What takes long on a slow machine is owed in these, and must fit.
) | {"cost_per_second": NO_LIMIT // 1_000}


@dataclass
class Side:
    """One server: `ask` GraphQL, `client` for REST, each as `caller`."""

    house: House
    client: Client
    routes: list[Any]

    def __post_init__(self) -> None:
        self.caller = ADA

    @property
    def webhooks(self):
        """All about webhooks, by the engine of the tests."""
        return self.house.executor._webhooks

    async def ask(self, text, caller, variables=None):
        """The whole answer, as bytes."""
        try:
            operation = self.house.planner.documents.operation(text, None, variables)
        except RequestError as error:
            return orjson.dumps({"errors": errors_of(error)})
        return orjson.dumps(await self.house.executor.execute(operation, caller))

    async def rest(self, method, path, caller, body=b"", **query):
        """Status and text of an answer."""
        self.caller = caller
        answer = await self.client.request(
            method, path, body, query=query, headers={"content-type": "application/json"}
        )
        return answer.status, answer.text

    async def replay(self, text, caller, variables, *, after=0):
        """The events of a subscription from a position of the log on, until it has caught up."""
        operation = self.house.planner.documents.operation(text, None, variables)
        events = []
        async with self.house.streams.open(operation, caller, after=after) as stream:
            async for frame in stream.frames:
                (batch,) = orjson.loads(frame.text)["data"].values()
                events += batch["events"]
                if batch["caughtUp"]:
                    break
        return orjson.dumps(events)

    @asynccontextmanager
    async def following(self, text, caller):
        """`await next_events(count)`: so many events of a subscription as they come, and what came with them."""
        operation = self.house.planner.documents.operation(text, None, {})
        async with self.house.streams.open(operation, caller) as stream:
            frames = aiter(stream.frames)

            async def next_events(count):
                events = []
                while len(events) < count:
                    frame = await asyncio.wait_for(anext(frames), SECONDS)
                    (batch,) = orjson.loads(frame.text)["data"].values()
                    events += batch["events"]
                return orjson.dumps(events)

            yield next_events

    async def first(self, text, caller, variables):
        """The first value of a subscription."""
        operation = self.house.planner.documents.operation(text, None, variables)
        async with self.house.streams.open(operation, caller) as stream:
            return (await anext(stream.frames)).text


@dataclass
class Scene:
    """`world` is everybody's; `own` is what is filled with what one caller may see."""

    world: Side
    own: Side

    async def narrow(self, rows, caller):
        """Fills `own`; what is in it."""
        seen = visible(rows, may_read(caller))
        await put(self.own.house.database, seen)
        return seen


def traces(*texts):
    """All that tells of anything."""
    return {trace for text in texts for trace in TRACE.findall(text if isinstance(text, str) else text.decode())}


def texts_of(rows):
    """Rows as text, but for what of a line of the log is only for filters."""
    shown = [
        {name: value for name, value in row.items() if name not in ("before", "after")}
        for of_table in rows.values()
        for row in of_table
    ]
    return orjson.dumps(shown, default=str)


@asynccontextmanager
async def side(url):
    """A server without limits, which believes whatever `caller` says."""
    settings = Settings(database_url=url, dev=True, public_url="http://issuegraph.test", **UNLIMITED)
    async with open_house(settings) as house:
        door = OpenDoor({})
        sockets, streams = sockets_of(house, door), streams_of(house, door, Ending())
        table = routes(house, load_all(), sockets, streams, Ending(), Counter(), None)
        router = Router(table, redirect_slashes=False)

        async def app(scope, receive, send):
            scope["caller"] = found.caller
            await router(scope, receive, send)

        house.executor._webhooks = fake_services(
            house.database, house.writer, house.audit, house.webhooks.registry, house.keyring.refresh
        )
        found = Side(house, Client(app), table)
        yield found


@asynccontextmanager
async def opened(url, other_url):
    """A scene on two migrated databases; the logs bear the same name."""
    async with side(url) as world:
        log = await tables(world.house.database)
        other = Database(other_url)
        await put(other, {"event_log": log["event_log"]})
        await other.close()
        async with side(other_url) as own:
            yield Scene(world, own)
