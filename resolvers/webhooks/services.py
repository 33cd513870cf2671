"""All that there is about webhooks and deliveries, made once for a process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models.database import Database
from resolvers.access.audit import AuditLog
from resolvers.webhooks.deliveries import Deliveries, Submits
from resolvers.webhooks.engine import Engine
from resolvers.webhooks.history import History
from resolvers.webhooks.meeting import Meeting
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.replays import Replays
from resolvers.webhooks.secrets import Secrets
from resolvers.webhooks.store import Webhooks


@dataclass(frozen=True, slots=True)
class WebhookServices:
    """`url` is where webhooks are found, without their names."""

    engine: Engine
    registry: Registry
    store: Webhooks
    deliveries: Deliveries
    history: History
    meeting: Meeting
    replays: Replays
    url: str


def services_of(
    database: Database,
    writer: Submits,
    audit: AuditLog,
    engine: Engine,
    registry: Registry,
    secrets: Secrets,
    *,
    most: int,
    public_url: str,
    on_change: Callable[[], Awaitable[None]],
) -> WebhookServices:
    """At most so many webhooks; `on_change` is awaited after one was changed here."""
    store = Webhooks(database, audit, engine, secrets, most=most, on_change=on_change)
    deliveries, history = Deliveries(writer), History(database, engine)
    return WebhookServices(
        engine=engine,
        registry=registry,
        store=store,
        deliveries=deliveries,
        history=history,
        meeting=Meeting(database),
        replays=Replays(deliveries, history, registry, engine, store),
        url=f"{public_url}/api/v1/webhooks/",
    )
