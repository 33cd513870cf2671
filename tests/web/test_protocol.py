"""graphql-transport-ws case by case, beside the server of the npm package graphql-ws: same words, same answers."""

import asyncio
import json
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from resolvers.errors import Forbidden
from resolvers.subscription import stats_group
from tests.conftest import migrate
from tests.resolvers.mutation.house import ADA, report
from tests.resolvers.subscription.test_clients import NODE, SCRIPTS
from tests.serving import Server
from web.house import open_house
from web.settings import Settings
from web.socket_messages import SUBPROTOCOL
from web.sockets import Sockets

SECONDS = 20
INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}
EVENTS = "subscription { issueEvents { position } }"
TYPENAME = "{ __typename }"
TWO = "query One { viewer { __typename } } query Two { __typename }"


def subscribe(query=TYPENAME, id: Any = "1", **payload):
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


def answered(id="1"):
    return [{"id": id, "type": "next", "payload": {"data": {"__typename": "Query"}}}, {"id": id, "type": "complete"}]


BEGUN = {"id": "1", "type": "next", "payload": "a batch"}
MISTAKE = {"id": "1", "type": "error", "payload": "errors"}
PONG = {"type": "pong"}
# Shows that the socket goes on.
LAST = {"type": "ping", "payload": {"last": "word"}}
LAST_PONG = {"type": "pong", "payload": {"last": "word"}}
COMPLETE = {"id": "1", "type": "complete"}
BOTH = "subscription { issueEvents { position } issueStats { __typename } }"


@dataclass(frozen=True)
class Case:
    """What a client says, each word after the answers to the last, and what it hears; a number is a close code."""

    name: str
    said: list[Any]
    heard: list[Any]
    subprotocols: tuple[str, ...] = (SUBPROTOCOL,)
    # Where we mean to differ: what the reference does, and why.
    reference: list[Any] = field(default_factory=list)
    because: str = ""


def well(name, said, heard):
    """The socket is acknowledged, and goes on afterwards."""
    return Case(name, [INIT, *said, LAST], [ACK, *heard, LAST_PONG])


def closed(name, code, *said, heard=()):
    return Case(name, [INIT, *said], [ACK, *heard, code])


BROKEN = {
    "no JSON": "no json",
    "nothing": "",
    "an array": "[]",
    "a string": '"ping"',
    "null": "null",
    "a number": "1",
    "an object without a type": "{}",
    "a type that is null": {"type": None},
    "a type that is a list": {"type": ["ping"]},
    "the type of the old protocol": {"type": "start"},
    "connection_init with a string": {"type": "connection_init", "payload": "text"},
    "connection_init with an array": {"type": "connection_init", "payload": []},
    "ping with a string": {"type": "ping", "payload": "text"},
    "pong with a number": {"type": "pong", "payload": 1},
    "complete without an id": {"type": "complete"},
    "complete with an empty id": {"type": "complete", "id": ""},
    "complete with a number": {"type": "complete", "id": 1},
    "subscribe without an id": {"type": "subscribe", "payload": {"query": TYPENAME}},
    "subscribe with an empty id": subscribe(id=""),
    "subscribe with a number": subscribe(id=1),
    "subscribe without a payload": {"type": "subscribe", "id": "1"},
    "subscribe with a string": {"type": "subscribe", "id": "1", "payload": TYPENAME},
    "subscribe without a query": {"type": "subscribe", "id": "1", "payload": {}},
    "a query that is a number": subscribe(1),
    "variables that are a list": subscribe(variables=[]),
    "an operationName that is a number": subscribe(operationName=1),
    "extensions that are text": subscribe(extensions="x"),
}

CASES = [
    Case("no subprotocol", [], [4406], subprotocols=()),
    Case("the old subprotocol", [], [4406], subprotocols=("graphql-ws",)),
    Case("silence", [], [4408]),
    Case("pings alone", [{"type": "ping"}], [PONG, 4408]),
    Case("subscribe before connection_init", [subscribe()], [4401]),
    closed("a second connection_init", 4429, INIT),
    closed("an id that runs", 4409, subscribe(EVENTS), subscribe(EVENTS), heard=[BEGUN]),
    *(Case(f"{name}, first", [message], [4400]) for name, message in BROKEN.items()),
    *(closed(name, 4400, message) for name, message in BROKEN.items()),
    Case("connection_init with null", [{**INIT, "payload": None}, LAST], [ACK, LAST_PONG]),
    Case("connection_init with an object", [{**INIT, "payload": {"token": "x"}}, LAST], [ACK, LAST_PONG]),
    Case("ping before connection_init", [{"type": "ping"}, INIT, LAST], [PONG, ACK, LAST_PONG]),
    well(
        "ping and pong",
        [{"type": "ping"}, {"type": "ping", "payload": {"at": 1}}],
        [PONG, {**PONG, "payload": {"at": 1}}],
    ),
    well("ping with null", [{"type": "ping", "payload": None}], [PONG]),
    well("ping with an empty object", [{"type": "ping", "payload": {}}], [{**PONG, "payload": {}}]),
    well("a pong that nobody asked for", [{"type": "pong"}, {"type": "pong", "payload": {}}], []),
    well("complete of what does not run", [{"type": "complete", "id": "unknown"}], []),
    well("a query", [subscribe()], answered()),
    well("an id again when it is done", [subscribe(), subscribe()], answered() * 2),
    well(
        "an id again when the client is done",
        [subscribe(EVENTS), COMPLETE, subscribe()],
        [BEGUN, *answered()],
    ),
    well("a subscription beside a query", [subscribe(EVENTS), subscribe(id="2")], [BEGUN, *answered("2")]),
    well("members that may be null", [subscribe(variables=None, operationName=None, extensions=None)], answered()),
    well("extensions", [subscribe(extensions={"any": 1})], answered()),
    well("an operation by its name", [subscribe(TWO, operationName="Two")], answered()),
    well("two operations and no name", [subscribe(TWO)], [MISTAKE]),
    well("a name that is unknown", [subscribe(TWO, operationName="Three")], [MISTAKE]),
    well("a document without an operation", [subscribe("fragment F on Query { __typename }")], [MISTAKE]),
    well("a field that is unknown", [subscribe("{ nothing }")], [MISTAKE]),
    well("two subscriptions in one operation", [subscribe(BOTH)], [MISTAKE]),
    Case(
        "a document that cannot be parsed",
        [INIT, subscribe("{ __typename"), LAST],
        [ACK, MISTAKE, LAST_PONG],
        reference=[ACK, 4500],
        because="a typing mistake in one operation would end the others on the socket",
    ),
    Case(
        "an empty document",
        [INIT, subscribe(""), LAST],
        [ACK, MISTAKE, LAST_PONG],
        reference=[ACK, 4500],
        because="a typing mistake in one operation would end the others on the socket",
    ),
    Case(
        "a binary message",
        [INIT, b'{"type":"ping"}'],
        [ACK, 4400],
        reference=[ACK, PONG],
        because="the protocol speaks of text; its npm server happens to decode both",
    ),
    Case(
        "a message that is too big",
        [INIT, {"type": "ping", "payload": {"text": "x" * 100_000}}],
        [ACK, 1009],
        reference=[ACK, {"type": "pong", "payload": {"text": "x" * 100_000}}],
        because="what a client may send is bounded",
    ),
]


@pytest.fixture(scope="module")
def ours(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("protocol")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, SOCKET_INIT_SECONDS="1", MAX_SOCKET_MESSAGE_BYTES="100000") as server:
        yield server.port


@pytest.fixture(scope="module")
def theirs():
    command = [NODE, SCRIPTS / "reference-server.mjs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


@asynccontextmanager
async def connected(port, subprotocols):
    uri = f"ws://127.0.0.1:{port}/graphql"
    async with connect(uri, subprotocols=subprotocols or None, max_size=None) as connection:
        yield connection


async def heard(port, case):
    """What came back, in order; what differs between two schemas is left out."""
    came: list[Any] = []
    async with connected(port, case.subprotocols) as connection:
        try:
            for message in case.said:
                await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))
                came += await answers(connection, message)
            # Whatever was not to be expected comes as well.
            if not case.said or case.said[-1] is not LAST:
                while True:
                    came.append(await word(connection, 3))
        except ConnectionClosed as ended:
            came.append(ended.rcvd and ended.rcvd.code)
        except TimeoutError:
            pass
    return came


async def answers(connection, message):
    """The answers to a message that has some."""
    kind = message.get("type") if isinstance(message, dict) else None
    came = []
    if kind in ("connection_init", "ping"):
        came.append(await word(connection, SECONDS))
    elif kind == "subscribe":
        while not came or (came[-1]["type"] == "next" and came[-1]["payload"] != BEGUN["payload"]):
            came.append(await word(connection, SECONDS))
    return came


async def word(connection, seconds):
    return told(json.loads(await asyncio.wait_for(connection.recv(), seconds)))


def told(message):
    """A message as far as it does not differ between two schemas."""
    if message["type"] == "error":
        assert all(error["message"] for error in message["payload"])
        return {**message, "payload": "errors"}
    if message["type"] == "next":
        message["payload"].pop("extensions", None)
    if "issueEvents" in ((message.get("payload") or {}).get("data") or {}):
        return {**message, "payload": "a batch"}
    return message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_we_answer_as_the_reference_does_unless_we_say_why(case, ours, theirs):
    assert await heard(ours, case) == case.heard
    assert await heard(theirs, case) == (case.reference or case.heard)
    assert bool(case.reference) == bool(case.because)


async def test_who_is_turned_away_at_connection_init_is_closed_with_4403(sqlite_url, theirs):
    said = [{**INIT, "payload": {"turn": "away"}}]
    assert await heard(theirs, Case("turned away", said, [])) == [4403]
    async with open_house(Settings(database_url=sqlite_url)) as house:

        async def admit(caller, payload, network):
            if payload.get("turn") == "away":
                raise Forbidden("not you")
            return caller

        sockets = Sockets(house.operations, house.executor, house.streams, admit=admit)
        assert await heard_here(sockets, said) == [4403]
        assert await heard_here(sockets, [INIT]) == [ACK]


async def test_whose_right_ends_while_it_is_looked_at_is_closed_with_4403(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        sockets = Sockets(house.operations, house.executor, house.streams, admits=lambda caller: False)
        assert await heard_here(sockets, [INIT]) == [4403]


async def test_what_goes_wrong_midway_is_an_error_of_its_operation(sqlite_url, theirs, monkeypatch):
    said = [INIT, subscribe("subscription { issueStats { __typename } }")]
    begun = {"id": "1", "type": "next", "payload": {"data": {"issueStats": {"__typename": "IssueStats"}}}}
    assert await heard(theirs, Case("midway", said, [])) == [ACK, begun, MISTAKE]
    async with open_house(Settings(database_url=sqlite_url)) as house:
        count, counted = house.planner.live_stats, []

        async def counting(*given):
            counted.append(given)
            if len(counted) == 2:
                raise RuntimeError("midway")
            return await count(*given)

        monkeypatch.setattr(house.planner, "live_stats", counting)
        monkeypatch.setattr(stats_group, "SECONDS_BETWEEN_COUNTS", 0.0)
        sockets = Sockets(house.operations, house.executor, house.streams)
        hearing = asyncio.create_task(heard_here(sockets, said, words=3))
        while not counted:
            await asyncio.sleep(0.01)
        await house.writer.submit(report(), ADA)
        assert await hearing == [ACK, begun, MISTAKE]


async def heard_here(sockets, said, words=1):
    """So many words of a connection without a network; its client then goes."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    for message in said:
        incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
    scope = {"type": "websocket", "subprotocols": [SUBPROTOCOL], "caller": ADA}
    serving = asyncio.create_task(sockets(scope, incoming.get, sent.put))
    assert (await asyncio.wait_for(sent.get(), SECONDS))["type"] == "websocket.accept"
    came = [await asyncio.wait_for(sent.get(), SECONDS) for _ in range(words)]
    incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(serving, SECONDS)
    return [each["code"] if each["type"] == "websocket.close" else told(json.loads(each["text"])) for each in came]
