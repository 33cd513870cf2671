"""Everything that one server process is made of, built once and handed in."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from models.database import Database
from resolvers.access import AuditLog, Keyring, Sessions, Tokens
from resolvers.mutation import Writer
from resolvers.query import Answers, DocumentLimits, Planner, QueryLimits
from resolvers.subscription.delivery_feed import DeliveryFeed
from resolvers.subscription.log import Log
from resolvers.subscription.streams import Streams
from resolvers.subscription.tailer import Tailer
from resolvers.subscription.wakeups import Wakeups
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.secrets import Secrets
from resolvers.webhooks.services import WebhookServices, services_of
from schema import schema
from schema.executor import Executor
from web.buckets import Buckets, buckets
from web.dashboard_page import page_documents
from web.identity.configured import open_issuer, open_kubernetes
from web.identity.grants import mapping_digest
from web.meter import BucketMeter
from web.operations import Operations
from web.settings import Settings
from web.sns_fetch import open_fetch
from web.traces import TracedDatabase, Traces
from web.trusted_documents import TrustedDocuments, read_manifest
from web.webhook_paths import WebhookNames, shipped_names
from webhooks.catalog import Catalog
from webhooks.definition import ours
from webhooks.engine import Definitions
from webhooks.verification import Verifier

if TYPE_CHECKING:
    from web.identity.kubernetes import Kubernetes
    from web.identity.oidc import Issuer


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
    tokens: Tokens
    audit: AuditLog
    webhooks: WebhookServices
    keyring: Keyring
    sessions: Sessions
    issuer: "Issuer | None"
    kubernetes: "Kubernetes | None"
    buckets: Buckets
    operations: Operations
    catalog: Catalog
    verifier: Verifier


def open_database(settings: Settings, traces: Traces | None = None) -> Database:
    """The database that the settings name."""
    database = (TracedDatabase if traces else Database)(
        settings.database_url,
        synchronous=settings.sqlite_synchronous,
        readers=settings.readers,
        timeout_seconds=settings.query_timeout_seconds,
        kept_statements=settings.postgres_statements,
        pooled=settings.postgres_pooler,
    )
    if traces and isinstance(database, TracedDatabase):
        database.traces = traces
    return database


@asynccontextmanager
async def open_house(settings: Settings, traces: Traces | None = None) -> AsyncIterator[House]:
    """`async with open_house(settings) as house`. Raises models.database.Unavailable when there is no database.

    At the end, commands that wait are carried out first.
    """
    answers = Answers(settings.max_answer_bytes, settings.max_answers_bytes)
    async with AsyncExitStack() as stack:
        database = open_database(settings, traces)
        stack.push_async_callback(database.close)
        spent = buckets(settings.limits_url, settings.cost_per_second, settings.cost_burst)
        stack.push_async_callback(spent.close)
        meter = BucketMeter(spent, settings.cost_per_second)
        log = await Log.load(database)
        planner = Planner(
            schema._schema,
            database,
            log,
            public_url=settings.own_url,
            document_limits=_document_limits(settings),
            query_limits=_query_limits(settings),
            meter=meter,
            answers=answers,
        )
        stack.callback(planner.documents.close)
        stack.callback(planner.private_documents.close)
        wakeups = Wakeups(settings.wakeups_url)
        tailer = Tailer(database, log, wakeups, resume_window=timedelta(days=settings.resume_window_days))
        await tailer.start()
        stack.push_async_callback(tailer.close)
        writer = Writer(
            database,
            on_commit=tailer.committed,
            around_batch=traces.of_batch if traces else None,
            occurrences_kept=settings.occurrences_kept,
            run_memory_days=settings.run_memory_days,
            log_retention_days=settings.log_retention_days,
            audit_retention_days=settings.audit_retention_days,
            deployment_retention_days=settings.deployment_retention_days,
            delivery_body_hours=settings.delivery_body_hours,
            delivery_days=settings.delivery_days,
            queue_limit=settings.max_waiting_commands,
            queue_bytes=settings.max_waiting_bytes,
        )
        await writer.start()
        stack.push_async_callback(writer.close)
        audit = AuditLog(database)
        keyring = Keyring(database, audit)
        secrets = Secrets(settings.secret_keys, Path(settings.sqlite_path) if settings.sqlite_path else None)
        registry = Registry(database, secrets)
        shipped = ours()
        catalog = Catalog(shipped.single, registry)
        keyring.on_version.append(registry.refresh)
        await keyring.start()
        stack.push_async_callback(keyring.close)
        wakeups.on_tokens = keyring.wake

        async def tokens_changed() -> None:
            wakeups.send_tokens()
            await keyring.refresh()

        names = shipped_names()
        tied_to = WebhookNames(names, registry)
        most = settings.max_tokens
        tokens = Tokens(database, audit, webhooks=tied_to, known=names, most=most, on_change=tokens_changed)
        lifetime = timedelta(hours=settings.session_hours)
        mapping = _mapping(settings)
        sessions = Sessions(database, audit, keyring, on_change=tokens_changed, lifetime=lifetime, mapping=mapping)
        issuer = await stack.enter_async_context(open_issuer(settings, keyring))
        kubernetes = await stack.enter_async_context(open_kubernetes(settings, keyring, issuer))
        verifier = Verifier(await stack.enter_async_context(open_fetch()))
        services = services_of(
            database,
            writer,
            audit,
            Definitions(catalog, logs_url=settings.logs_url),
            registry,
            secrets,
            most=settings.max_webhooks,
            public_url=settings.own_url,
            on_change=tokens_changed,
        )
        executor = Executor(schema, planner, writer, log, tokens, audit, services)
        feed = DeliveryFeed(services.history, executor.delivery_batch)
        streams = Streams(
            planner,
            tailer,
            log,
            feed,
            buffer_frames=settings.max_buffered_batches,
            replays=settings.max_replays,
            most_of_one_caller=settings.max_caller_groups,
            meter=meter,
        )
        path = settings.trusted_documents
        documents = {**page_documents(), **(read_manifest(path) if path else {})}
        planner.documents.trust(documents.values())
        trusted = TrustedDocuments(documents, only=settings.only_trusted_documents)
        yield House(
            settings=settings,
            database=database,
            log=log,
            planner=planner,
            executor=executor,
            writer=writer,
            tailer=tailer,
            wakeups=wakeups,
            streams=streams,
            tokens=tokens,
            audit=audit,
            webhooks=services,
            keyring=keyring,
            sessions=sessions,
            issuer=issuer,
            kubernetes=kubernetes,
            buckets=spent,
            operations=Operations(
                planner.documents,
                spent,
                trusted,
                answers,
                most_of_one_caller=settings.max_caller_operations,
                meter=meter,
            ),
            catalog=catalog,
            verifier=verifier,
        )


def _mapping(settings: Settings) -> str | None:
    if not settings.oidc_issuer:
        return None
    return mapping_digest(
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_groups_claim, settings.oidc_grants
    )


def _document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        tokens=settings.max_document_tokens,
        operations=settings.max_document_operations,
        depth=settings.max_document_depth,
        fields=settings.max_document_fields,
        aliases=settings.max_document_aliases,
        root_fields=settings.max_root_fields,
        directives=settings.max_document_directives,
        cost=settings.max_query_cost,
        conditions=settings.max_conditions,
    )


def _query_limits(settings: Settings) -> QueryLimits:
    return QueryLimits(
        page=settings.max_page,
        ids=settings.max_ids,
        graph_nodes=settings.max_graph_nodes,
        graph_depth=settings.max_graph_depth,
    )
