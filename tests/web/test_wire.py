"""The end of a connection under load: who reads slowly is let go on, who is going does not hold up the others."""

import asyncio
import base64
import os

import pytest
import uvicorn
from uvicorn.server import ServerState

from web.asgi import respond
from web.entrance import Entrance
from web.protection import Protection
from web.route_counts import RouteCounts
from web.wire import Wires

MEGABYTES = 30
HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


class Listening:
    """A server whose application sends large messages at once to who connects; `made` are its connections."""

    def __init__(self, *, messages=1, **wires):
        self.messages = messages
        self.wires = Wires(**wires)
        self.made = []
        self.server = None
        self.config = uvicorn.Config(
            Entrance(self.app, RouteCounts(), Protection(https=False)),
            interface="asgi3",
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
        )
        self.config.load()

    async def app(self, scope, receive, send):
        if scope["type"] == "http":
            await respond(send, 200, b"x" * MEGABYTES * 1_000_000)
            return
        await receive()
        await send({"type": "websocket.accept"})
        text = "x" * (MEGABYTES * 1_000_000 // self.messages)
        sending = [asyncio.create_task(send({"type": "websocket.send", "text": text})) for _ in range(self.messages)]
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await asyncio.gather(*sending, return_exceptions=True)

    def connection(self):
        self.made.append(self.wires(self.config, ServerState(), {}))
        return self.made[-1]

    def http_connection(self):
        return self.wires.http(self.config, ServerState(), {})

    async def connect(self, *, over_http=False):
        """A raw client that has shaken hands, with little room for what it has not read."""
        make = self.http_connection if over_http else self.connection
        if self.server is None:
            self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*self.server.sockets[0].getsockname(), limit=4096)
        hello = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" if over_http else HANDSHAKE
        writer.write(hello.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer


async def read_messages(reader, size):
    """Messages of so many bytes together, in whatever frames they come."""
    while size:
        head = await reader.readexactly(2)
        length = head[1]
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
        await reader.readexactly(length)
        size -= length


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_client_that_reads_slowly_has_not_stalled(over_http):
    listening = Listening(stall_seconds=1.0)
    async with asyncio.timeout(30):
        reader, writer = await listening.connect(over_http=over_http)
        taken = 0
        while taken < MEGABYTES * 1_000_000:
            taken += len(await reader.readexactly(200_000))
            await asyncio.sleep(0.02)
    assert (listening.wires.stalled, listening.wires.stalled_answers) == (0, 0)
    writer.close()
    listening.server.close()


@pytest.mark.parametrize(("over_http", "messages"), [(True, 1), (False, 1), (False, 10)])
async def test_of_those_who_leave_too_much_unread_the_slowest_is_cut(over_http, messages):
    """Two have room; of three, the one who was first leaves."""
    listening = Listening(messages=messages, unread=70_000_000)
    async with asyncio.timeout(30):
        first, _ = await listening.connect(over_http=over_http)
        await asyncio.sleep(0.2)
        assert 20_000_000 < listening.wires.unread.held <= 35_000_000
        others = [await listening.connect(over_http=over_http) for _ in range(2)]
        while not listening.wires.stalled + listening.wires.stalled_answers:
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.IncompleteReadError):
            await first.readexactly(MEGABYTES * 1_000_000)
        for other, writer in others:
            if over_http:
                await other.readexactly(MEGABYTES * 1_000_000)
            else:
                await read_messages(other, MEGABYTES * 1_000_000)
            writer.close()
    assert listening.wires.stalled + listening.wires.stalled_answers == 1
    while listening.wires.unread.held:
        await asyncio.sleep(0.01)
    listening.server.close()


async def test_one_who_leaves_more_unread_than_there_is_room_for_is_cut():
    listening = Listening(messages=10, unread=20_000_000)
    async with asyncio.timeout(30):
        reader, _ = await listening.connect()
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(MEGABYTES * 1_000_000)
    assert listening.wires.stalled == 1
    listening.server.close()


async def test_a_connection_that_is_going_lets_the_server_stop():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        # It says goodbye and leaves everything unread.
        writer.write(b"\x88\x82\0\0\0\0" + (1000).to_bytes(2, "big"))
        (connection,) = listening.made
        while not connection.transport.is_closing():
            await asyncio.sleep(0.01)
        connection.shutdown()
        assert await reader.read() is not None
    writer.close()
    listening.server.close()
