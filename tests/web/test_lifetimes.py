"""How connections end: clients that are dead, clients that take nothing, rights that expired, a server that stops."""

import asyncio
import json
import socket
import time

import psutil
import pytest
from websockets.frames import Opcode

from tests.conftest import migrate
from tests.resolvers.mutation.house import ADA, BOB, report
from tests.serving import Server
from tests.web.raw_socket import RawSocket
from web.ending import Ending
from web.house import open_house
from web.settings import Settings
from web.socket_messages import SUBPROTOCOL
from web.sockets import Sockets

SECONDS = 20
STALLED_ANSWERS = "issuegraph_answers_stalled_total"
EVENTS = "subscription { issueEvents { position caughtUp events { match event { issue { description } } } } }"
QUIET = """subscription { issueEvents(where: { issue: { title: { eq: "nothing" } } }) {
  position caughtUp events { match } } }"""


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    """Wants signs of life all the time."""
    directory = tmp_path_factory.mktemp("lifetimes")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, SOCKET_PING_SECONDS="0.3") as server:
        yield server


@pytest.fixture(scope="module")
def patient_server(servers, tmp_path_factory):
    """Wants signs of life seldom, but to be read."""
    directory = tmp_path_factory.mktemp("stalls")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, SOCKET_PING_SECONDS="60", SOCKET_STALL_SECONDS="0.5") as server:
        yield server


def made(server, name, description="d"):
    body = {"pipelineName": name, "namespace": "team", "failureReason": description}
    assert server.post("/api/v1/webhooks/pipeline-failure", body, namespace="team")[0] == 201


def metric(server, name):
    """A number that the server counts."""
    lines = server.get("/metrics")[1].splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{name} "))
    return float(value)


def connections(server):
    """What the server holds open."""
    return psutil.Process(server.process.pid).net_connections("tcp4")


def until(condition):
    """Waits for it, and fails if it does not come true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def no_socket_is_left(server):
    until(lambda: metric(server, "issuegraph_sockets") == 0)


def test_a_client_that_answers_no_ping_is_closed_with_1013(server):
    with RawSocket(server.port) as dead:
        dead.subscribe(EVENTS)
        assert metric(server, "issuegraph_sockets") == 1
        frames = dead.until_the_end()
    kinds = [frame.opcode for frame in frames]
    assert kinds == [Opcode.PING, Opcode.CLOSE]
    assert int.from_bytes(bytes(frames[-1].data)[:2], "big") == 1013
    assert metric(server, "issuegraph_sockets_stalled_total") == 0
    no_socket_is_left(server)


async def test_a_client_that_answers_pings_stays(server):
    stream = server.subscribe(EVENTS)
    await asyncio.wait_for(anext(stream), SECONDS)
    await asyncio.sleep(1.5)
    await asyncio.to_thread(made, server, "after-pings")
    batch = (await asyncio.wait_for(anext(stream), SECONDS))["issueEvents"]
    assert len(batch["events"]) == 1
    await stream.aclose()


def stall(server, name, counter="issuegraph_sockets_stalled_total"):
    """Reports until a socket takes no more, and waits until the server has noticed."""
    stalled = metric(server, counter)
    for number in range(500):
        made(server, f"{name}-{number}", "x" * 60_000)
        if metric(server, counter) > stalled:
            return
    raise AssertionError("the socket has taken everything")


def is_connected(server, connection):
    """Whether the server still holds its end of a client's connection."""
    port = connection.getsockname()[1]
    return any(each.raddr and each.raddr.port == port for each in connections(server))


def test_a_client_that_takes_nothing_is_cut_and_counted(patient_server):
    server = patient_server
    stalled = metric(server, "issuegraph_sockets_stalled_total")
    with RawSocket(server.port, receive_bytes=4096) as reader:
        reader.subscribe(EVENTS)
        stall(server, "cut")
        assert metric(server, "issuegraph_sockets_stalled_total") == stalled + 1
        no_socket_is_left(server)
        until(lambda: not is_connected(server, reader.connection))
        # No close frame came through, and yet the connection is over.
        assert reader.close_code() is None


def test_a_client_that_took_nothing_and_reads_at_last_is_told_1013(patient_server):
    server = patient_server
    stalled = metric(server, "issuegraph_sockets_stalled_total")
    with RawSocket(server.port, receive_bytes=4096) as reader:
        reader.subscribe(EVENTS)
        stall(server, "told")
        assert metric(server, "issuegraph_sockets_stalled_total") == stalled + 1
        reader.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        assert reader.close_code() == 1013
    no_socket_is_left(server)


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
def test_a_client_that_takes_nothing_of_a_stream_over_http_is_cut_and_counted(patient_server, accept):
    server = patient_server
    body = json.dumps({"query": EVENTS}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: {accept}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    stalled, sockets = metric(server, STALLED_ANSWERS), metric(server, "issuegraph_sockets_stalled_total")
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(SECONDS)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(head.encode() + body)
        assert reader.recv(15) == b"HTTP/1.1 200 OK"
        stall(server, accept[:4], STALLED_ANSWERS)
        until(lambda: not is_connected(server, reader))
    assert metric(server, STALLED_ANSWERS) == stalled + 1
    assert metric(server, "issuegraph_sockets_stalled_total") == sockets


def test_a_server_that_stops_tells_where_the_log_ends_and_closes_with_1012(database_url, tmp_path):
    with Server(database_url, tmp_path) as server:
        with RawSocket(server.port) as quiet, RawSocket(server.port) as all, RawSocket(server.port) as idle:
            start = quiet.subscribe(QUIET)["issueEvents"]
            all.subscribe(EVENTS)
            made(server, "before-the-end")
            batch = all.message()["payload"]["data"]["issueEvents"]
            assert batch["position"] > start["position"]
            begun = time.monotonic()
            server.stop()
            took = time.monotonic() - begun
            # The log has moved without it, and 30 seconds are not over.
            last = quiet.message()["payload"]["data"]["issueEvents"]
            assert last == {"position": batch["position"], "caughtUp": True, "events": []}
            assert [each.close_code() for each in (quiet, all, idle)] == [1012, 1012, 1012]
        assert server.process.returncode == 0
        assert took < 5, server.log()


def test_a_client_that_takes_nothing_does_not_hold_up_the_end(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        with RawSocket(server.port, receive_bytes=4096) as reader:
            reader.subscribe(EVENTS)
            for number in range(120):  # more than the pipes of a socket hold
                made(server, f"held-{number}", "x" * 60_000)
            begun = time.monotonic()
            server.stop()
            assert time.monotonic() - begun < 5
        assert server.process.returncode == 0


@pytest.fixture
async def house(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        yield house


class Here:
    """A connection without a network, acknowledged and subscribed."""

    def __init__(self, sockets, who):
        self.incoming: asyncio.Queue[dict] = asyncio.Queue()
        self.sent: asyncio.Queue[dict] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        scope = {"type": "websocket", "subprotocols": [SUBPROTOCOL], "caller": who}
        for message in (
            {"type": "connection_init"},
            {"id": "1", "type": "subscribe", "payload": {"query": QUIET}},
        ):
            self.put(message)
        self.serving = asyncio.create_task(sockets(scope, self._receive, self._send))
        self._begun = False

    def put(self, message):
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def _receive(self):
        if not self._begun:
            self._begun = True
            return {"type": "websocket.connect"}
        return await self.incoming.get()

    async def _send(self, message):
        await self.takes.wait()
        self.sent.put_nowait(message)

    async def next(self):
        return await asyncio.wait_for(self.sent.get(), SECONDS)

    async def ready(self):
        for _ in range(3):  # accept, ack, the first batch
            await self.next()


async def test_a_right_that_ends_closes_its_callers_connections_with_4403_and_no_other(house):
    sockets = Sockets(house.operations, house.executor, house.streams)
    ada, bob = Here(sockets, ADA), Here(sockets, BOB)
    for each in (ada, bob):
        await each.ready()
    sockets.turn_away(lambda caller: caller == ADA)
    assert await ada.next() == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
    await asyncio.wait_for(ada.serving, SECONDS)
    assert (len(sockets), house.streams.groups) == (1, 1)
    sockets.turn_away(lambda caller: caller == BOB)
    # Once more is once too often, but harmless.
    sockets.turn_away(lambda caller: caller == BOB)
    assert (await bob.next())["code"] == 4403
    await asyncio.wait_for(bob.serving, SECONDS)
    assert (len(sockets), house.streams.groups) == (0, 0)


async def test_a_close_that_nobody_takes_is_given_up(house, monkeypatch):
    monkeypatch.setattr("web.sockets.CLOSE_SECONDS", 0.05)
    sockets = Sockets(house.operations, house.executor, house.streams)
    stuck = Here(sockets, ADA)
    await stuck.ready()
    stuck.takes.clear()
    stuck.put({"type": "ping"})
    await asyncio.sleep(0.01)
    sockets.turn_away(lambda caller: True)
    await asyncio.wait_for(stuck.serving, SECONDS)
    assert (len(sockets), house.streams.groups, stuck.sent.qsize()) == (0, 0, 0)


async def test_who_comes_while_the_server_stops_is_sent_away_with_1012(house):
    sockets = Sockets(house.operations, house.executor, house.streams)
    ending = Ending(seconds=0.5)
    ending.begun.set()
    await ending.say_last_words(house.streams, sockets)
    assert ending.over.is_set()
    late = Here(sockets, ADA)
    assert (await late.next())["type"] == "websocket.accept"
    assert (await late.next())["code"] == 1012


async def test_an_end_waits_for_nobody_longer_than_it_may(house, monkeypatch):
    monkeypatch.setattr("web.sockets.CLOSE_SECONDS", 0.05)
    sockets = Sockets(house.operations, house.executor, house.streams)
    stuck = Here(sockets, ADA)
    await stuck.ready()
    await house.writer.submit(report(), ADA)
    stuck.takes.clear()
    ending = Ending(seconds=0.1)
    ending.begun.set()
    await asyncio.wait_for(ending.say_last_words(house.streams, sockets), SECONDS)
    assert ending.over.is_set()
    await asyncio.wait_for(stuck.serving, SECONDS)
