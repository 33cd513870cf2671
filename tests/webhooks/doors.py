"""A client of another product, and the door made for it, on a database of its own."""

from contextlib import asynccontextmanager

import httpx

from models.database import Database
from resolvers.access import AuditLog, Keyring, Tokens
from resolvers.caller import Caller
from resolvers.mutation import Writer
from resolvers.webhooks.deliveries import Deliveries
from tests.resolvers.mutation.house import ADA, House

OURS = "https://issues.example"


class Carried(Deliveries):
    """Remembers deliveries too."""

    def __init__(self, writer):
        super().__init__(writer)
        self.received = []

    async def carry_out(self, received, plans, caller):
        self.received.append(received)
        return await super().carry_out(received, plans, caller)


class Door(House):
    """`app(self)` makes the ASGI callable; `send` asks it as `who`."""

    def __init__(self, database, writer, make):
        super().__init__(database, writer)
        audit = AuditLog(database)
        self.keyring = Keyring(database, audit)
        self.tokens = Tokens(database, audit, webhooks=("devlake",), on_change=self.keyring.refresh)
        self.deliveries = Carried(writer)
        self.who: Caller = ADA
        self.app = make(self)

        async def server(scope, receive, send):
            scope["caller"] = self.who
            await self.app(scope, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url=OURS)

    async def send(self, method, path, payload=None, *, body=None, query=None, headers=None):
        """Status and JSON."""
        given = {"json": payload} if body is None and payload is not None else {"content": body or b""}
        answer = await self.http.request(method, path, params=query, headers=headers, **given)
        assert answer.headers["content-type"].startswith("application/json")
        assert int(answer.headers["content-length"]) == len(answer.content)
        return answer.status_code, answer.json()

    async def post(self, path, payload=None, **more):
        return await self.send("POST", path, payload, **more)


@asynccontextmanager
async def open_door(url, make):
    """A door on the database at `url`."""
    database = Database(url)
    writer = Writer(database)
    await writer.start()
    door = Door(database, writer, make)
    await door.keyring.refresh()
    try:
        yield door
    finally:
        await door.http.aclose()
        await door.keyring.close()
        await writer.close()
        await database.close()
