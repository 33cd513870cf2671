"""A server on the wires of issuegraph whose answers are large, and clients that read them byte by byte."""

import asyncio
import base64
import os
import ssl

import trustme
import uvicorn
from uvicorn.server import ServerState

from web.asgi import respond
from web.entrance import Entrance
from web.protection import Protection
from web.route_counts import RouteCounts
from web.wire import Wires

MEGABYTES = 30
PONG = 0x8A
HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


class Listening:
    """A server whose application sends large messages at once to who connects; `made` are its connections."""

    def __init__(self, *, messages=1, tls=None, **wires):
        self.messages = messages
        self.tls = tls
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

    async def is_let_go(self):
        """Returns when nothing is held for clients any more."""
        while self.wires.unread.held:
            await asyncio.sleep(0.01)

    async def open(self, *, over_http=False):
        """A raw client that has said nothing yet."""
        make = self.http_connection if over_http else self.connection
        server_tls, client_tls = contexts() if self.tls else (None, None)
        if self.server is None:
            self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=server_tls)
            self.client_tls = client_tls
        return await asyncio.open_connection(*self.server.sockets[0].getsockname(), limit=4096, ssl=self.client_tls)

    async def connect(self, *, over_http=False):
        """A raw client that has shaken hands, with little room for what it has not read."""
        reader, writer = await self.open(over_http=over_http)
        hello = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" if over_http else HANDSHAKE
        writer.write(hello.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer


def contexts():
    """Of a server and of a client that trusts it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def frames(reader, size):
    """The first byte and the data of each frame, until messages of so many bytes have come; pongs are none."""
    while size:
        first, length = await reader.readexactly(2)
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
        yield first, await reader.readexactly(length)
        if first != PONG:
            size -= length
