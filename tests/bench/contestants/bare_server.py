"""The house of issuegraph with nothing before it: nobody is asked who he is, and nothing is counted or refused.

Only a measure of what its doors cost. Serves SQLAlchemy's $DATABASE_URL of `ISSUEGRAPH_` on $PORT.
"""

import asyncio
import os
from contextlib import asynccontextmanager

import uvicorn

from resolvers.caller import Actor, ActorKind, everywhere
from web.graphql import GraphQLOverHttp
from web.house import open_house
from web.operations import Operations
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


async def main() -> None:
    """Serves until it is stopped."""
    app = BareServer(Settings(dev=True))
    config = uvicorn.Config(app, port=int(os.environ["PORT"]), lifespan="off", log_level="warning", access_log=False)
    async with app.running():
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
