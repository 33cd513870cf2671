"""The plain way: Strawberry's own ASGI application, an async generator a subscriber, fed by broadcaster.

So their documentation teaches it. It has it easier than issuegraph: an event is an object in memory, nothing is kept.
"""

import gc
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import strawberry
import uvicorn
from broadcaster import Broadcast
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

broadcast = Broadcast("memory://")


@strawberry.type
class Scope:
    """What an issue is on."""

    resource_type: str
    resource_name: str


@strawberry.type
class Issue:
    """What is broken."""

    id: strawberry.ID
    namespace: strawberry.Private[str]
    title: str
    severity: str
    state: str
    occurrence_count: int
    scope: Scope


@strawberry.type
class IssueEvent:
    """What happened to an issue."""

    position: str
    kind: str
    at: str
    issue_id: strawberry.ID
    issue: Issue


@strawberry.type
class IssueEventItem:
    """And what that means for the filter."""

    match: str
    event: IssueEvent


@strawberry.type
class IssueEventBatch:
    """One message."""

    position: str
    caught_up: bool
    events: list[IssueEventItem]


@strawberry.input
class Text:
    """A condition on a text."""

    eq: str


@strawberry.input
class IssueWhere:
    """A condition on an issue."""

    namespace: Text


@strawberry.input
class IssueEventWhere:
    """A condition on a line."""

    issue: IssueWhere


@strawberry.type
class Query:
    """There must be one."""

    ready: bool = True


@strawberry.type
class Mutation:
    """What is reported."""

    @strawberry.mutation
    async def report(self, namespace: str, run_id: str) -> bool:
        """One occurrence more of a failure."""
        issue = Issue(
            id=strawberry.ID("0199c3a5-7c00-7000-8000-0123456789ab"),
            namespace=namespace,
            title="Pipeline run failed: watched",
            severity="MAJOR",
            state="ACTIVE",
            occurrence_count=len(run_id),
            scope=Scope(resource_type="pipelinerun", resource_name="watched"),
        )
        at = datetime.now(UTC).isoformat()
        event = IssueEvent(position="v1.abcdefgh.1", kind="RECURRED", at=at, issue_id=issue.id, issue=issue)
        await broadcast.publish("issues", event)
        return True


@strawberry.type
class Subscription:
    """What can be watched."""

    @strawberry.subscription
    async def issue_events(self, where: IssueEventWhere) -> AsyncGenerator[IssueEventBatch, None]:
        """Begins with an empty batch, as issuegraph does."""
        async with broadcast.subscribe("issues") as events:
            yield IssueEventBatch(position="v1.abcdefgh.0", caught_up=True, events=[])
            async for each in events:
                event: Any = each.message
                if event.issue.namespace == where.issue.namespace.eq:
                    item = IssueEventItem(match="STAYED", event=event)
                    yield IssueEventBatch(position=event.position, caught_up=True, events=[item])


SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)],
)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Connected while the server runs."""
    await broadcast.connect()
    gc.freeze()
    yield
    await broadcast.disconnect()


GRAPHQL = GraphQL(SCHEMA, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])

app = Starlette(routes=[Route("/graphql", GRAPHQL), WebSocketRoute("/graphql", GRAPHQL)], lifespan=lifespan)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        backlog=2048,
    )
