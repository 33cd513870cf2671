"""The server: `python -m tests.bench.reports.plain_server`."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn
from pydantic import ValidationError
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.reports.plain_server.reporting import Failure, Success, report, resolve
from tests.bench.reports.plain_server.shown import shown
from tests.bench.reports.plain_server.tables import Base
from tests.bench.servers import POOL

ATTEMPTS = 3
PATIENCE_SECONDS = 60


class OrjsonResponse(Response):
    """JSON by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def make_engine(url: str) -> AsyncEngine:
    """The engine; on SQLite with one connection, as one transaction writes at a time."""
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=POOL, max_overflow=0, pool_timeout=PATIENCE_SECONDS)
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=PATIENCE_SECONDS)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        # SQLAlchemy begins the transactions, see below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def make_app(url: str) -> Starlette:
    """The application on an empty database."""
    engine = make_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def pipeline_failure(request: Request) -> Response:
        try:
            failure = Failure.model_validate_json(await request.body())
        except ValidationError as error:
            return OrjsonResponse({"error": "Missing required fields", "details": str(error)}, 400)
        for attempt in range(ATTEMPTS):
            try:
                async with sessions.begin() as session:
                    issue, action = await report(session, failure)
                break
            except IntegrityError:
                # Another request made the same issue meanwhile.
                if attempt == ATTEMPTS - 1:
                    raise
        answer = {"status": "success", "action": action, "issue": shown(issue, str(request.base_url))}
        return OrjsonResponse(answer, 201)

    async def pipeline_success(request: Request) -> Response:
        try:
            success = Success.model_validate_json(await request.body())
        except ValidationError as error:
            return OrjsonResponse({"error": "Missing required fields", "details": str(error)}, 400)
        async with sessions.begin() as session:
            count = await resolve(session, success)
        message = f"Resolved {count} issue(s) for pipeline {success.pipelineName}"
        return OrjsonResponse({"status": "success", "message": message})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        gc.freeze()
        yield
        await engine.dispose()

    return Starlette(
        routes=[
            Route("/api/v1/webhooks/pipeline-failure", pipeline_failure, methods=["POST"]),
            Route("/api/v1/webhooks/pipeline-success", pipeline_success, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


if __name__ == "__main__":
    uvicorn.run(
        make_app(os.environ["DATABASE_URL"]),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        # Within uvicorn's five seconds it does not always come to read the next request of a connection.
        timeout_keep_alive=PATIENCE_SECONDS,
    )
