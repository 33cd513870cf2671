"""The end of a connection under load: who reads slowly is let go on, who is going does not hold up the others."""

import asyncio
import base64
import os

import pytest
import uvicorn
from uvicorn.server import ServerState

from web.wire import Wires

MEGABYTES = 30
HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


class Listening:
    """A server whose application sends one large message to who connects; `made` are its connections."""

    def __init__(self, **wires):
        self.wires = Wires(**wires)
        self.made = []
        self.config = uvicorn.Config(
            self.app, interface="asgi3", ws_per_message_deflate=False, ws_ping_interval=None, lifespan="off"
        )
        self.config.load()

    async def app(self, scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * MEGABYTES * 1_000_000})
            return
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "x" * MEGABYTES * 1_000_000})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def connection(self):
        self.made.append(self.wires(self.config, ServerState(), {}))
        return self.made[-1]

    def http_connection(self):
        return self.wires.http(self.config, ServerState(), {})

    async def connect(self, *, over_http=False):
        """A raw client that has shaken hands, with little room for what it has not read."""
        make = self.http_connection if over_http else self.connection
        self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*self.server.sockets[0].getsockname(), limit=4096)
        hello = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" if over_http else HANDSHAKE
        writer.write(hello.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer


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
