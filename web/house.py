"""Everything that one server process is made of, built once and handed in."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from models.database import Database
from resolvers.mutation import Writer
from resolvers.query import DocumentLimits, Planner, QueryLimits
from resolvers.subscription.log import Log
from resolvers.subscription.streams import Streams
from resolvers.subscription.tailer import Tailer
from resolvers.subscription.wakeups import Wakeups
from schema import schema
from schema.executor import Executor
from web.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The three ways, ready to be walked."""

    settings: Settings
    database: Database
    log: Log
    planner: Planner
    executor: Executor
    writer: Writer
    tailer: Tailer
    wakeups: Wakeups
    streams: Streams


def open_database(settings: Settings) -> Database:
    """The database that the settings name."""
    return Database(
        settings.database_url,
        synchronous=settings.sqlite_synchronous,
        readers=settings.readers,
        timeout_seconds=settings.query_timeout_seconds,
        kept_statements=settings.postgres_statements,
        pooled=settings.postgres_pooler,
    )


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """`async with open_house(settings) as house`. Raises models.database.Unavailable when there is no database.

    At the end, commands that wait are carried out first.
    """
    async with AsyncExitStack() as stack:
        database = open_database(settings)
        stack.push_async_callback(database.close)
        log = await Log.load(database)
        planner = Planner(
            schema._schema,
            database,
            log,
            public_url=settings.own_url,
            document_limits=_document_limits(settings),
            query_limits=_query_limits(settings),
        )
        wakeups = Wakeups(settings.wakeups_url)
        tailer = Tailer(database, log, wakeups, resume_window=timedelta(days=settings.resume_window_days))
        await tailer.start()
        stack.push_async_callback(tailer.close)
        writer = Writer(
            database,
            on_commit=tailer.committed,
            occurrences_kept=settings.occurrences_kept,
            run_memory_days=settings.run_memory_days,
            log_retention_days=settings.log_retention_days,
            queue_limit=settings.max_waiting_commands,
            queue_bytes=settings.max_waiting_bytes,
        )
        await writer.start()
        stack.push_async_callback(writer.close)
        streams = Streams(
            planner, tailer, log, buffer_frames=settings.max_buffered_batches, replays=settings.max_replays
        )
        executor = Executor(schema, planner, writer, log)
        yield House(settings, database, log, planner, executor, writer, tailer, wakeups, streams)


def _document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        tokens=settings.max_document_tokens,
        depth=settings.max_document_depth,
        fields=settings.max_document_fields,
        aliases=settings.max_document_aliases,
        root_fields=settings.max_root_fields,
        directives=settings.max_document_directives,
    )


def _query_limits(settings: Settings) -> QueryLimits:
    return QueryLimits(
        page=settings.max_page,
        ids=settings.max_ids,
        graph_nodes=settings.max_graph_nodes,
        graph_depth=settings.max_graph_depth,
    )
