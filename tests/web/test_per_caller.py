"""How many operations and sockets one caller has at once; others have their own."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from resolvers.errors import Overloaded
from tests.conftest import migrate
from tests.resolvers.mutation.house import ADA, BOB
from tests.serving import Server
from web.per_caller import PerCaller
from web.socket_messages import SUBPROTOCOL

SECONDS = 20
INIT = '{"type": "connection_init"}'
WATCH = "subscription { issueStats { total } }"


def test_so_many_and_no_more_until_one_is_given_back():
    some = PerCaller(2, "things")
    first, _ = some.take(ADA), some.take(ADA)
    with pytest.raises(Overloaded, match="At most 2 things"):
        some.take(ADA)
    some.take(BOB)
    some.give_back(first)
    some.take(ADA)
    with pytest.raises(Overloaded):
        some.take(ADA)


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("per-caller")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, MAX_CALLER_SOCKETS="2", MAX_CALLER_OPERATIONS="3") as server:
        yield server


async def speaking(server):
    socket = await connect(f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[Subprotocol(SUBPROTOCOL)])
    await socket.send(INIT)
    return socket


async def heard(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), SECONDS))


async def until(ask):
    """Once a client is gone, the server notices."""
    async with asyncio.timeout(SECONDS):
        while not await ask():
            await asyncio.sleep(0.05)


async def test_one_socket_too_many_is_told_to_come_again(server):
    sockets = [await speaking(server) for _ in range(2)]
    assert [await heard(socket) for socket in sockets] == [{"type": "connection_ack"}] * 2
    third = await speaking(server)
    with pytest.raises(ConnectionClosed) as closed:
        await heard(third)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason[:9]) == (1013, "At most 2")
    await sockets[0].close()

    async def comes_in():
        again = await speaking(server)
        try:
            return await heard(again) == {"type": "connection_ack"}
        except ConnectionClosed:
            return False
        finally:
            await again.close()

    await until(comes_in)
    await sockets[1].close()


async def test_one_operation_too_many_is_refused_by_every_way_in(server):
    async def comes_in():
        socket = await speaking(server)
        try:
            return await heard(socket) == {"type": "connection_ack"} and socket
        except ConnectionClosed:
            return None

    async with asyncio.timeout(SECONDS):
        while not (socket := await comes_in()):
            await asyncio.sleep(0.05)
    for id in "abc":
        await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": WATCH}}))
        assert (await heard(socket))["type"] == "next"
    await socket.send(json.dumps({"id": "d", "type": "subscribe", "payload": {"query": WATCH}}))
    refused = await heard(socket)
    assert (refused["id"], refused["type"]) == ("d", "error")
    assert refused["payload"][0]["extensions"] == {"code": "OVERLOADED"}
    _, answer = await asyncio.to_thread(server.post, "/graphql", {"query": "{ __typename }"})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["OVERLOADED"]
    await socket.send('{"id": "a", "type": "complete"}')

    async def answers():
        _, answer = await asyncio.to_thread(server.post, "/graphql", {"query": "{ __typename }"})
        return "errors" not in answer

    await until(answers)
    await socket.close()
