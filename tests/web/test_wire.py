"""The end of a connection under load: who reads slowly is let go on, who is going does not hold up the others."""

import asyncio
import base64
import os

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
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "x" * MEGABYTES * 1_000_000})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def connection(self):
        self.made.append(self.wires(self.config, ServerState(), {}))
        return self.made[-1]

    async def connect(self):
        """A raw client that has shaken hands, with little room for what it has not read."""
        self.server = await asyncio.get_running_loop().create_server(self.connection, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*self.server.sockets[0].getsockname(), limit=4096)
        writer.write(HANDSHAKE.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer


async def test_a_client_that_reads_slowly_has_not_stalled():
    listening = Listening(stall_seconds=1.0)
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        taken = 0
        while taken < MEGABYTES * 1_000_000:
            taken += len(await reader.readexactly(200_000))
            await asyncio.sleep(0.02)
    assert listening.wires.stalled == 0
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
