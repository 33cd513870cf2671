"""graphql-transport-ws, rule by rule, spoken by a plain client to a real server."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conftest import migrate
from tests.resolvers.mutation.house import ADA, report
from tests.serving import Server
from tests.web.raw_socket import RawSocket
from web.house import open_house
from web.settings import Settings
from web.socket_messages import SUBPROTOCOL
from web.sockets import Sockets

SECONDS = 20
INIT = {"type": "connection_init"}
EVENTS = "subscription { issueEvents { position caughtUp events { match event { issueId title } } } }"
TYPENAME = "{ __typename }"
VIEWER_AND_TYPENAME = "query One { viewer { __typename } } query Two { __typename }"
REPORT = """mutation ($title: String!, $name: String!) { createIssue(input: {
  namespace: "team", title: $title, description: "d", severity: MAJOR, issueType: BUILD
  scope: { resourceType: "component", resourceName: $name } }) { action issue { id } userErrors { message } } }"""

names = (f"component-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("sockets")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, SOCKET_INIT_SECONDS="3", MAX_SOCKET_MESSAGE_BYTES="100000") as server:
        yield server


class Socket:
    """One connection; messages are dicts, or text as it is."""

    def __init__(self, connection):
        self.connection = connection

    async def send(self, *messages):
        for message in messages:
            await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def get(self):
        message = json.loads(await asyncio.wait_for(self.connection.recv(), SECONDS))
        if message["type"] == "next":
            # What an operation costs is another test's business; events have no cost.
            message["payload"].pop("extensions", None)
        return message

    async def close_code(self):
        """The code that the server ends the connection with."""
        while True:
            try:
                await self.get()
            except ConnectionClosed as closed:
                return closed.rcvd and closed.rcvd.code

    async def subscribe(self, query, id="1", **payload):
        await self.send({"id": id, "type": "subscribe", "payload": {"query": query, **payload}})

    async def ask(self, query, id="1", **payload):
        """The first message that an operation brings."""
        await self.subscribe(query, id, **payload)
        return await self.get()

    async def is_well(self):
        """Whether an operation still runs."""
        return await self.ask(TYPENAME, "well") == _next("well", {"__typename": "Query"}) and await self.get() == {
            "id": "well",
            "type": "complete",
        }


def _next(id, data):
    return {"id": id, "type": "next", "payload": {"data": data}}


@asynccontextmanager
async def plain(server, *, subprotocols=(SUBPROTOCOL,), **settings):
    """A connection on which nothing was said yet."""
    uri = f"ws://127.0.0.1:{server.port}/graphql"
    async with connect(uri, subprotocols=subprotocols or None, **settings) as connection:
        yield Socket(connection)


@asynccontextmanager
async def ready(server):
    """A connection that was acknowledged."""
    async with plain(server) as socket:
        await socket.send(INIT)
        assert await socket.get() == {"type": "connection_ack"}
        yield socket


@pytest.mark.parametrize("subprotocols", [(), ("graphql-ws",), ("chat", "graphql-transport-ws2")])
async def test_another_subprotocol_is_closed_with_4406(server, subprotocols):
    async with plain(server, subprotocols=subprotocols) as socket:
        assert await socket.close_code() == 4406


async def test_our_subprotocol_is_chosen_among_others(server):
    async with plain(server, subprotocols=("graphql-ws", SUBPROTOCOL)) as socket:
        assert socket.connection.subprotocol == SUBPROTOCOL


async def test_a_page_of_a_foreign_origin_gets_no_socket(server):
    with pytest.raises(InvalidStatus) as refused:
        async with plain(server, origin="https://evil.example.com"):
            pass
    assert refused.value.response.status_code == 403
    async with plain(server, origin=f"http://127.0.0.1:{server.port}") as socket:
        await socket.send(INIT)
        assert await socket.get() == {"type": "connection_ack"}


async def test_silence_is_closed_with_4408(server):
    async with plain(server) as socket:
        assert await socket.close_code() == 4408


async def test_pings_alone_are_no_initialisation(server):
    async with plain(server) as socket:
        await socket.send({"type": "ping"})
        assert await socket.get() == {"type": "pong"}
        assert await socket.close_code() == 4408


async def test_a_second_initialisation_is_closed_with_4429(server):
    async with ready(server) as socket:
        await socket.send(INIT)
        assert await socket.close_code() == 4429


async def test_an_operation_before_the_initialisation_is_closed_with_4401(server):
    async with plain(server) as socket:
        await socket.subscribe(TYPENAME)
        assert await socket.close_code() == 4401


async def test_an_id_that_runs_is_closed_with_4409(server):
    async with ready(server) as socket:
        await socket.ask(EVENTS, "same")
        await socket.subscribe(EVENTS, "same")
        assert await socket.close_code() == 4409


async def test_an_id_may_be_used_again_after_either_side_completed_it(server):
    async with ready(server) as socket:
        for _ in range(3):
            assert await socket.ask(TYPENAME, "same") == _next("same", {"__typename": "Query"})
            assert await socket.get() == {"id": "same", "type": "complete"}
        for _ in range(3):
            assert (await socket.ask(EVENTS, "same"))["type"] == "next"
            await socket.send({"id": "same", "type": "complete"})
        assert await socket.is_well()


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"token": "x"}}])
async def test_an_initialisation_with_or_without_a_payload_is_acknowledged(server, payload):
    async with plain(server) as socket:
        await socket.send({**INIT, **payload})
        assert await socket.get() == {"type": "connection_ack"}


BROKEN = [
    "no json",
    "",
    b'{"type":"ping"}',
    "[]",
    '"ping"',
    "null",
    "1",
    "{}",
    {"type": None},
    {"type": ["ping"]},
    {"type": "start"},
    {"type": "connection_ack"},
    {"type": "connection_init", "payload": "text"},
    {"type": "connection_init", "payload": []},
    {"type": "ping", "payload": "text"},
    {"type": "pong", "payload": 1},
    {"type": "complete"},
    {"type": "complete", "id": ""},
    {"type": "complete", "id": 1},
    {"type": "complete", "id": "x" * 257},
    {"type": "subscribe", "id": "x" * 257, "payload": {"query": TYPENAME}},
    {"type": "subscribe", "payload": {"query": TYPENAME}},
    {"type": "subscribe", "id": "", "payload": {"query": TYPENAME}},
    {"type": "subscribe", "id": 1, "payload": {"query": TYPENAME}},
    {"type": "subscribe", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": TYPENAME},
    {"type": "subscribe", "id": "1", "payload": {}},
    {"type": "subscribe", "id": "1", "payload": {"query": 1}},
    {"type": "subscribe", "id": "1", "payload": {"query": TYPENAME, "variables": []}},
    {"type": "subscribe", "id": "1", "payload": {"query": TYPENAME, "operationName": 1}},
    {"type": "subscribe", "id": "1", "payload": {"query": TYPENAME, "extensions": "x"}},
]


@pytest.mark.parametrize("message", BROKEN, ids=lambda message: str(message)[:99])
async def test_what_is_no_message_is_closed_with_4400_before_and_after_the_initialisation(server, message):
    async with plain(server) as socket:
        await socket.send(message)
        assert await socket.close_code() == 4400
    async with ready(server) as socket:
        await socket.send(message)
        assert await socket.close_code() == 4400


async def test_a_message_that_is_too_big_is_closed_with_1009(server):
    async with ready(server) as socket:
        await socket.send({"type": "ping", "payload": {"text": "x" * 100_000}})
        assert await socket.close_code() == 1009
    async with ready(server) as socket:
        await socket.send({"type": "ping", "payload": {"text": "x" * 1_000_000}})
        assert await socket.close_code() == 1009


async def test_an_id_has_256_characters_at_most(server):
    longest = "\u00e9" * 256
    async with ready(server) as socket:
        assert await socket.ask(TYPENAME, longest) == _next(longest, {"__typename": "Query"})


async def test_a_message_is_measured_in_bytes(server):
    for letters, code in ((24_000, None), (26_000, 1009)):
        message = json.dumps({"type": "ping", "payload": {"text": "\U0001f600" * letters}}, ensure_ascii=False)
        async with ready(server) as socket:
            await socket.send(message)
            if code:
                assert await socket.close_code() == code
            else:
                assert (await socket.get())["type"] == "pong"


@pytest.mark.parametrize(("frames", "code"), [(9_000, None), (20_000, 1009)])
def test_a_message_in_too_many_pieces_is_closed_with_1009(server, frames, code):
    with RawSocket(server.port) as socket:
        socket.protocol.send_text(b'{"type":"ping"', fin=False)
        for _ in range(frames):
            socket.protocol.send_continuation(b"", fin=False)
        socket.protocol.send_continuation(b"}", fin=True)
        socket.flush()
        if code:
            assert socket.close_code() == code
        else:
            assert socket.message() == {"type": "pong"}


LONG = json.dumps({**INIT, "payload": {"text": "x" * 20_000}})


@pytest.mark.parametrize(
    "said",
    [[LONG], [LONG[:9_000], LONG[9_000:]], [json.dumps({"type": "ping", "payload": {"text": "x" * 1_000}})] * 21],
    ids=["at once", "in frames", "pings"],
)
async def test_who_is_not_known_yet_sends_little(server, said):
    async with plain(server) as socket:
        with suppress(ConnectionClosed):
            if said[0].startswith(LONG[:9_000]):
                await socket.connection.send(said)
            else:
                await socket.send(*said)
        assert await socket.close_code() == 1009


async def test_the_longest_token_is_short_enough_and_then_the_limit_is_another(server):
    async with plain(server) as socket:
        await socket.send({**INIT, "payload": {"token": "x" * 16_384}})
        assert await socket.get() == {"type": "connection_ack"}
        await socket.send({"type": "ping", "payload": {"text": "x" * 90_000}})
        assert (await socket.get())["type"] == "pong"


async def test_without_a_server_below_that_looks_who_is_not_known_yet_sends_little_too(house):
    wire = Wire()
    sockets = Sockets(house.operations, house.executor, house.streams)
    wire.incoming.put_nowait({"type": "websocket.connect"})
    scope = {"type": "websocket", "subprotocols": [SUBPROTOCOL], "caller": ADA}
    wire.incoming.put_nowait({"type": "websocket.receive", "text": LONG})
    await asyncio.wait_for(sockets(scope, wire.incoming.get, wire.send), SECONDS)
    assert [(await wire.next())["type"], (await wire.next())["code"]] == ["websocket.accept", 1009]


async def test_a_pong_echoes_the_payload_of_its_ping_at_any_time(server):
    async with plain(server) as socket:
        for message in (INIT, None):
            await socket.send({"type": "ping", "payload": {"at": 1}}, {"type": "ping"}, {"type": "ping", "payload": {}})
            assert [await socket.get() for _ in range(3)] == [
                {"type": "pong", "payload": {"at": 1}},
                {"type": "pong"},
                {"type": "pong", "payload": {}},
            ]
            if message:
                await socket.send(message)
                assert await socket.get() == {"type": "connection_ack"}


async def test_a_pong_and_a_complete_that_nobody_asked_for_change_nothing(server):
    async with ready(server) as socket:
        await socket.send({"type": "pong"}, {"type": "pong", "payload": {}}, {"type": "complete", "id": "unknown"})
        assert await socket.is_well()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{ nothing }"}, "BAD_REQUEST"),
        ({"query": "{ __typename"}, "BAD_REQUEST"),
        ({"query": ""}, "BAD_REQUEST"),
        ({"query": "fragment F on Query { __typename }"}, "BAD_REQUEST"),
        ({"query": "query Known { __typename }", "operationName": "Unknown"}, "BAD_REQUEST"),
        ({"query": VIEWER_AND_TYPENAME}, "BAD_REQUEST"),
        ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "BAD_REQUEST"),
        ({"query": "subscription { issueEvents { position } issueStats { total } }"}, "BAD_REQUEST"),
        ({"query": "subscription { issueEvents(maxBatch: 0) { position } }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { issueEvents(maxBatch: 1001) { position } }"}, "BAD_USER_INPUT"),
        ({"query": 'subscription { issueEvents(after: "x") { position } }'}, "BAD_USER_INPUT"),
        ({"query": 'subscription { issueEvents(after: "%s") { position } }' % ("0" * 28)}, "POSITION_EXPIRED"),
    ],
    ids=str,
)
async def test_a_mistake_is_an_error_of_its_operation_and_the_socket_goes_on(server, payload, code):
    async with ready(server) as socket:
        await socket.ask(EVENTS, "other")
        message = await socket.ask(id="1", **payload)
        assert (message["id"], message["type"]) == ("1", "error")
        assert {error["extensions"]["code"] for error in message["payload"]} == {code}
        assert all(error["message"] for error in message["payload"])
        assert await socket.is_well()
        created = await socket.ask(REPORT, "2", variables={"title": "still there", "name": next(names)})
        messages = [created, await socket.get(), await socket.get()]
        assert {message["id"] for message in messages} == {"2", "other"}


async def test_an_operation_is_chosen_by_its_name(server):
    async with ready(server) as socket:
        answer = await socket.ask(VIEWER_AND_TYPENAME, operationName="Two", extensions={"any": 1}, variables=None)
        assert answer == _next("1", {"__typename": "Query"})


async def test_query_mutation_and_subscription_share_one_socket(server):
    async with ready(server) as socket:
        start = (await socket.ask(EVENTS, "events"))["payload"]["data"]["issueEvents"]
        assert (start["events"], start["caughtUp"]) == ([], True)
        await socket.subscribe(REPORT, "report", variables={"title": "Sharing", "name": next(names)})
        messages = [await socket.get() for _ in range(3)]
        own = [message for message in messages if message["id"] == "report"]
        assert [message["type"] for message in own] == ["next", "complete"]
        created = own[0]["payload"]["data"]["createIssue"]
        assert created["action"] == "CREATED"
        (event,) = (message for message in messages if message["id"] == "events")
        batch = event["payload"]["data"]["issueEvents"]
        assert batch["events"] == [
            {"match": "ENTERED", "event": {"issueId": created["issue"]["id"], "title": "Sharing"}}
        ]
        assert batch["position"] > start["position"]
        found = await socket.ask(
            "query ($id: ID!) { node(id: $id) { id } }", "q", variables={"id": created["issue"]["id"]}
        )
        assert found == _next("q", {"node": {"id": created["issue"]["id"]}})


async def test_after_complete_nothing_more_comes(server):
    async with ready(server) as socket:
        await socket.ask(EVENTS, "gone")
        await socket.ask(EVENTS, "stays")
        await socket.send({"id": "gone", "type": "complete"})
        for number in range(3):
            variables = {"title": f"{number}", "name": next(names)}
            await socket.subscribe(REPORT, f"report-{number}", variables=variables)
            seen = [(await socket.get())["id"] for _ in range(3)]
            assert sorted(seen) == [f"report-{number}", f"report-{number}", "stays"]
        assert await socket.is_well()


async def test_one_operation_more_than_the_limit_is_told_so_and_the_others_go_on(server):
    async with ready(server) as socket:
        for number in range(100):
            assert (await socket.ask(EVENTS, f"{number}"))["type"] == "next"
        refused = await socket.ask(EVENTS, "more")
        assert (refused["id"], refused["type"]) == ("more", "error")
        assert refused["payload"][0]["extensions"] == {"code": "OVERLOADED"}
        await socket.send({"id": "0", "type": "complete"})
        assert (await socket.ask(EVENTS, "more"))["type"] == "next"


class Wire:
    """The two ends of a socket without a network: `put` is the client's word, `sent` what it got."""

    def __init__(self):
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = False

    def put(self, message):
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def send(self, message):
        if self.gone:
            raise OSError
        self.sent.put_nowait(message)

    async def next(self):
        return await asyncio.wait_for(self.sent.get(), SECONDS)


@pytest.fixture
async def house(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        yield house


async def test_whose_right_has_ended_gets_no_answer_any_more_though_nobody_was_told(house):
    wire, is_good = Wire(), True
    sockets = Sockets(house.operations, house.executor, house.streams, admits=lambda caller: is_good)
    scope = {"type": "websocket", "subprotocols": [SUBPROTOCOL], "caller": ADA}
    wire.incoming.put_nowait({"type": "websocket.connect"})
    serving = asyncio.create_task(sockets(scope, wire.incoming.get, wire.send))
    wire.put(INIT)
    assert [(await wire.next())["type"] for _ in range(2)] == ["websocket.accept", "websocket.send"]
    is_good = False
    wire.put({"id": "1", "type": "subscribe", "payload": {"query": "{ issues { totalCount } }"}})
    assert await wire.next() == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
    await asyncio.wait_for(serving, SECONDS)


@pytest.mark.parametrize("silently", [True, False])
async def test_a_client_that_is_lost_leaves_no_group_behind(house, silently):
    wire = Wire()
    sockets = Sockets(house.operations, house.executor, house.streams)
    scope = {"type": "websocket", "subprotocols": [SUBPROTOCOL], "caller": ADA}
    wire.incoming.put_nowait({"type": "websocket.connect"})
    serving = asyncio.create_task(sockets(scope, wire.incoming.get, wire.send))
    wire.put(INIT)
    for number, query in enumerate((EVENTS, EVENTS, "subscription { issueStats { total } }")):
        wire.put({"id": f"{number}", "type": "subscribe", "payload": {"query": query}})
    for _ in range(5):  # accept, ack, three first results
        await wire.next()
    assert house.streams.groups == 2
    wire.gone = silently
    if silently:
        await house.writer.submit(report(), ADA)
        await house.tailer.catch_up()
    wire.incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await asyncio.wait_for(serving, SECONDS)
    assert house.streams.groups == 0
