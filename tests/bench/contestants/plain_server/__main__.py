"""The server: `python -m tests.bench.contestants.plain_server`."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import strawberry
import uvicorn
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from tests.bench.contestants.plain_server.graph import IssueGraph, graph_of_issues
from tests.bench.contestants.plain_server.issues import IssueConnection, get_issue, list_issues
from tests.bench.contestants.plain_server.loading import Context
from tests.bench.contestants.plain_server.stats import IssueStats, count_issues
from tests.bench.contestants.plain_server.types import Issue


@strawberry.type
class Query:
    """What can be asked."""

    issue: Issue | None = strawberry.field(resolver=get_issue)
    issues: IssueConnection = strawberry.field(resolver=list_issues)
    issue_graph: IssueGraph = strawberry.field(resolver=graph_of_issues)
    issue_stats: IssueStats = strawberry.field(resolver=count_issues)


def write_time(moment: datetime) -> str:
    """In UTC with microseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


TIME = strawberry.scalar(name="DateTime", serialize=write_time, parse_value=datetime.fromisoformat)

SCHEMA = strawberry.Schema(
    query=Query,
    config=StrawberryConfig(scalar_map={datetime: TIME}),
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)],
)


class Server(GraphQL[Context, None]):
    """Gives each request its context, and writes JSON with orjson."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__(SCHEMA)
        self._context = Context(sessions)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return self._context

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def make_app(url: str, pool: int) -> Starlette:
    """The application on a database."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool,
        max_overflow=0,
        # The lists of ids in IN (...) have many lengths.
        connect_args={"prepared_statement_cache_size": 500},
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        gc.freeze()
        yield
        await engine.dispose()

    sessions = async_sessionmaker(engine, expire_on_commit=False)
    return Starlette(routes=[Route("/graphql", Server(sessions))], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        make_app(os.environ["DATABASE_URL"], int(os.environ["POOL"])),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
