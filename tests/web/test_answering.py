"""Answers in one piece: byte for byte what uvicorn itself sends, in one write."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from web.wire import Wires

SECONDS = 20
PLAIN = (b"content-type", b"text/plain")
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


def answer(*pieces, status=200, length=None, headers=(PLAIN,)):
    """An application that sends these pieces; `length` is what it tells, None nothing."""

    async def app(scope, receive, send):
        told = () if length is None else ((b"content-length", str(length).encode()),)
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *told]})
        for left, piece in reversed([*enumerate(reversed(pieces))]):
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    return app


async def echo(scope, receive, send):
    body = (await receive())["body"]
    await answer(body, length=len(body))(scope, receive, send)


async def fails_before_its_body(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    raise RuntimeError("on purpose")


async def written(app, request, *, by_uvicorn):
    """What is written to a client, write by write, until the connection is closed or nothing more comes."""
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, server_header=False)
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Sun, 22 Nov 2026 00:00:00 GMT")]
    writes, made = [], []

    class Spy:
        """The transport of a connection, as its protocol sees it."""

        def __init__(self, transport):
            self.transport = transport

        def write(self, data):
            writes.append(bytes(data))
            self.transport.write(data)

        def writelines(self, pieces):
            self.write(b"".join(pieces))

        def __getattr__(self, name):
            return getattr(self.transport, name)

    class Connection(asyncio.Protocol):
        def connection_made(self, transport):
            made.append(HttpToolsProtocol(config, state, {}) if by_uvicorn else Wires().http(config, state, {}))
            spy: Any = Spy(transport)
            made[0].connection_made(spy)

        def data_received(self, data):
            made[0].data_received(data)

        def connection_lost(self, exc):
            made[0].connection_lost(exc)

    async with asyncio.timeout(SECONDS):
        server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request)
        # An answer to each, and what is wrong with it by then.
        while not made or state.tasks or made[0].cycle is None:
            await asyncio.sleep(0.01)
        writer.write_eof()
        await reader.read()
        writer.close()
        server.close()
    return writes


WHOLE = {
    "a text": (answer(b"hello", length=5), GET),
    "nothing": (answer(b"", length=0), GET),
    "a large body": (answer(b"x" * 1_000_000, length=1_000_000), GET),
    "a last answer": (answer(b"hello", length=5), b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"),
    "of an older version": (answer(b"hello", length=5), b"GET / HTTP/1.0\r\n\r\n"),
    "a refusal": (answer(b"no", status=403, length=2), GET),
    "a header in other bytes": (answer(b"", length=0, headers=((b"x-name", "Zoë\t1".encode()),)), GET),
    "to a body": (echo, b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc"),
}
OTHERS = {
    "to HEAD": (answer(b"", length=5), b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n"),
    "of no length": (answer(b"hello"), GET),
    "without a body": (answer(b"", status=204, headers=()), GET),
    "in pieces": (answer(b"hel", b"lo", length=5), GET),
    "in chunks": (answer(b"hel", b"lo"), GET),
    "that ends the connection": (answer(b"hello", length=5, headers=((b"connection", b"close"),)), GET),
    "shorter than told": (answer(b"hell", length=5), GET),
    "longer than told": (answer(b"hello!", length=5), GET),
    "that says when to go on": (
        echo,
        b"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    ),
    "one after the other": (answer(b"hello", length=5), GET * 3),
}


@pytest.mark.parametrize("case", [*WHOLE, *OTHERS])
async def test_a_client_gets_what_uvicorn_sends(case):
    app, request = {**WHOLE, **OTHERS}[case]
    expected = b"".join(await written(app, request, by_uvicorn=True))
    assert b"".join(await written(app, request, by_uvicorn=False)) == expected


@pytest.mark.parametrize("case", WHOLE)
async def test_a_whole_answer_is_one_write(case):
    app, request = WHOLE[case]
    assert len(await written(app, request, by_uvicorn=False)) == 1


@pytest.mark.parametrize("value", [b"one\r\nset-cookie: two", b"one\ntwo", b"one\rtwo", b"one\0two"])
async def test_no_header_of_an_answer_can_be_two(value):
    app = answer(b"hello", length=5, headers=((b"x-echo", value),))
    sent = b"".join(await written(app, GET, by_uvicorn=False))
    assert b"one" not in sent


async def test_an_application_that_fails_before_its_body_answers_500():
    sent = b"".join(await written(fails_before_its_body, GET, by_uvicorn=False))
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert sent.endswith(b"Internal Server Error")


async def test_nothing_of_a_request_that_is_over_waits_for_the_collector():
    class Held:
        """Something that the scope of a request holds."""

    held = []

    async def app(scope, receive, send):
        scope["held"] = Held()
        held.append(weakref.ref(scope["held"]))
        await (answer(b"hello", length=5) if len(held) % 2 else answer(b"hel", b"lo"))(scope, receive, send)

    gc.disable()
    try:
        await written(app, GET * 3, by_uvicorn=False)
        # The connection has the last one.
        assert [each() for each in held[:2]] == [None, None]
    finally:
        gc.enable()
