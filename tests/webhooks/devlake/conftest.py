"""A server of DevLake's clients, and a connection."""

import pytest

from resolvers.access.connections import Connections
from tests.webhooks.doors import OURS, open_door
from webhooks.devlake import DevLake, routes


@pytest.fixture
async def devlake(database_url):
    """Its `app` answers below every prefix; `id` is that of connection `shop`, of namespace team."""

    def make(door):
        door.connections = Connections(door.database, door.tokens, webhook=routes.WEBHOOK)
        app = DevLake(door.connections, door.deliveries, public_url=OURS)

        async def below(scope, receive, send):
            prefix = next(each for each in sorted(routes.PREFIXES, key=len) if scope["path"].startswith(each))
            scope["path_params"] = {"path": scope["path"].removeprefix(prefix + "/")}
            await app(scope, receive, send)

        return below

    async with open_door(database_url, make) as door:
        status, made = await door.post("/plugins/webhook/connections", {"name": "shop"}, query={"namespace": "team"})
        assert status == 200
        door.id = made["id"]
        door.made = made
        yield door
