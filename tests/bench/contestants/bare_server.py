"""The house of issuegraph where nobody is asked who he is, and nothing is charged or refused for being too much.

Only a measure of what its doors cost. Serves SQLAlchemy's $DATABASE_URL of `ISSUEGRAPH_` on $PORT. With the argument
`entrance` all else that a request passes is there: its id, counts of routes, Host and Origin, headers for browsers.
"""

import asyncio
import gc
import os
import sys
from contextlib import asynccontextmanager

import uvicorn

from resolvers.caller import Actor, ActorKind, everywhere
from web.asgi import App
from web.commands.serve import COLLECT_AFTER
from web.entrance import Entrance
from web.graphql import GraphQLOverHttp
from web.guard import Guard
from web.head import Head
from web.house import open_house
from web.operations import Operations
from web.origin import OwnPages
from web.protection import Protection
from web.route_counts import RouteCounts
from web.settings import Settings

ANYBODY = everywhere(Actor(ActorKind.PERSON, "anybody", "Anybody"))


class BareServer:
    """The ASGI application: GraphQL at every path."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def running(self):
        """Answers within."""
        async with open_house(self._settings) as house:
            operations = Operations(house.planner.documents, most_of_one_caller=1_000_000)
            self._graphql = GraphQLOverHttp(operations, house.executor, {}, self._graphql_page)
            yield

    async def __call__(self, scope, receive, send):
        scope["caller"] = ANYBODY
        await self._graphql(scope, receive, send)

    @staticmethod
    async def _graphql_page(scope, receive, send):
        raise NotImplementedError("nobody looks at it")


def with_entrance(app: App, settings: Settings) -> App:
    """The application behind what is neither a door nor a limit."""
    guard = Guard(Head(app), pages=OwnPages(settings.own_url))
    return Entrance(guard, RouteCounts(), Protection(https=False))


async def main() -> None:
    """Serves until it is stopped, with what `issuegraph serve` tells the server and the collector of garbage."""
    settings = Settings(dev=True)
    app = BareServer(settings)
    served = with_entrance(app, settings) if sys.argv[1:] == ["entrance"] else app
    config = uvicorn.Config(
        served,
        port=int(os.environ["PORT"]),
        interface="asgi3",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    async with app.running():
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
