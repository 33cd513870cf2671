"""A client without a network: calls an ASGI application as a server would."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from web.settings import Settings


def narrow(url, **limits):
    """The settings of a server that gives less than an operator may have it give."""
    return Settings(dev=True, database_url=url).model_copy(update=limits)


class Client:
    """`await client.get(path)`, `await client.post(path, json)`: status, headers, text and json of the answer."""

    def __init__(self, app, host="127.0.0.1:8080"):
        self.app = app
        self.host = host

    async def request(self, method, path, body=b"", *, headers=None, query=None, chunk=1 << 16, before_last=None):
        """`before_last` is awaited before the last piece of the body comes; a query of bytes is sent as it is."""
        given = {"host": self.host, **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query if isinstance(query, bytes) else urlencode(query or {}).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        parts = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
        incoming = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        sent = []

        async def receive():
            if not incoming:
                await asyncio.Event().wait()
            message = incoming.pop(0)
            if before_last and not incoming:
                await before_last()
            return message

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        return answer_of(sent)

    async def get(self, path, *, headers=None, **query):
        return await self.request("GET", path, headers=headers, query=query)

    async def post(self, path, value=None, *, headers=None, **query):
        body = b"" if value is None else json.dumps(value).encode()
        return await self.request(
            "POST", path, body, headers={"content-type": "application/json", **(headers or {})}, query=query
        )

    async def knock(self, path, **headers):
        """What a WebSocket handshake comes to: the type of the first message, `websocket.accept` or `.close`."""
        given = {"host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "subprotocols": ["graphql-transport-ws"],
            "root_path": "",
        }
        incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        sent = []

        async def receive():
            return incoming.pop(0)

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["type"]


def without_cost(answer):
    """A GraphQL answer but for `extensions.cost`, which differs each time; what has data has it."""
    if isinstance(answer, dict) and "data" in answer:
        cost = answer.pop("extensions")["cost"]
        assert cost.keys() == {"requested", "limit", "remaining", "restoreRate"}
        assert 1 <= cost["requested"] <= cost["limit"] - cost["remaining"]
    return answer


def answer_of(sent):
    start, *bodies = sent
    text = b"".join(message.get("body", b"") for message in bodies)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    is_json = "json" in headers.get("content-type", "")
    return SimpleNamespace(
        status=start["status"],
        headers=headers,
        # Cookies: the value of each name, and what follows it.
        given={
            pair.partition("=")[0]: (pair.partition("=")[2], attributes)
            for name, value in start["headers"]
            if name == b"set-cookie"
            for pair, _, attributes in [value.decode().partition("; ")]
        },
        kind=headers.get("content-type", "").partition(";")[0],
        text=text.decode(),
        json=json.loads(text) if is_json and text else None,
    )


@asynccontextmanager
async def living(app):
    """The application between its start and its end."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, incoming.get, sent.put))
    await incoming.put({"type": "lifespan.startup"})
    started = await sent.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield Client(app)
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        stopped = await sent.get()
        await task
        assert stopped["type"] == "lifespan.shutdown.complete", stopped
