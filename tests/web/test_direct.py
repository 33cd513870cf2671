"""What is sent at once, past ASGI: frames of every length, never to a client that has not taken all before."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from web.direct import SEND_NOW, DirectProtocol

SECONDS = 20
MEGABYTE = b"x" * 1_000_000


@pytest.fixture
async def connected():
    """A client, the server's way to send to it at once, and the one over ASGI."""
    accepted = asyncio.get_running_loop().create_future()

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        accepted.set_result((scope["extensions"][SEND_NOW], send))
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = uvicorn.Config(app, ws_per_message_deflate=False, ws_ping_interval=None, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: DirectProtocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with (
        asyncio.timeout(SECONDS),
        server,
        connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", max_size=None, max_queue=1) as client,
    ):
        yield client, *await accepted


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
async def test_a_message_arrives_whole_whatever_its_length(connected, size):
    client, send_now, send = connected
    text = "ö" * (size // 2) + "x" * (size % 2)
    assert send_now(text.encode()[: size // 3], text.encode()[size // 3 :])
    await send({"type": "websocket.send", "text": "after"})
    assert [await client.recv(), await client.recv()] == [text, "after"]


async def test_a_client_that_does_not_read_is_sent_nothing_until_it_has_read(connected):
    client, send_now, send = connected
    sent = refused = 0
    while refused < 10:
        # The client itself, not its application, reads one or two.
        if send_now(b"", MEGABYTE):
            sent, refused = sent + 1, 0
        else:
            refused += 1
            await asyncio.sleep(0.01)
    waiting = asyncio.create_task(send({"type": "websocket.send", "text": "over ASGI"}))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert not send_now(b"", b"overtakes")
    assert [len(await client.recv()) for _ in range(sent)] == [len(MEGABYTE)] * sent
    await waiting
    assert await client.recv() == "over ASGI"
    while not send_now(b"at ", b"once"):
        await asyncio.sleep(0.01)
    assert await client.recv() == "at once"


@pytest.mark.parametrize("who", ["server", "client"])
async def test_nothing_is_sent_after_the_end(connected, who):
    client, send_now, send = connected
    if who == "server":
        await send({"type": "websocket.close", "code": 1000})
        assert not send_now(b"too ", b"late")
        await client.wait_closed()
    else:
        await client.close()
    assert not send_now(b"too ", b"late")
    assert [message async for message in client] == []
    assert client.close_code == 1000
