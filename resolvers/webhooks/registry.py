"""The webhooks that users made, as every process knows them without asking the database."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import bindparam, select

from models import Webhook, WebhookNamespace
from models.base import Id
from models.database import Database, Fetch, Row, Steps
from models.dialect import ListOf, any_of
from resolvers.access.storage import unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Unavailable
from resolvers.webhooks.secrets import Secrets, Unreadable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredWebhook:
    """A webhook that somebody made. `definition` is the text; it can be told from another by `id` and `version`."""

    id: str
    name: str
    title: str
    definition: str
    version: int
    enabled: bool
    keep_bodies: bool
    # Names, prefixes such as `team-*`, or `*`: where it may report.
    namespaces: tuple[str, ...]
    has_secrets: bool
    # None: they cannot be read.
    known_secrets: tuple[str, ...] | None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What its senders sign with, the newest first. Raises Unavailable for those of another key."""
        if self.known_secrets is None:
            raise Unavailable("the secrets of this webhook were encrypted with a key that this server does not have")
        return self.known_secrets

    @cached_property
    def sender(self) -> Caller:
        """Who reports by it, having shown a secret."""
        grants = tuple(Grant(Permission.REPORT, namespace) for namespace in self.namespaces)
        return Caller(Actor(ActorKind.WEBHOOK, self.name, self.title), grants, tool=self.name)


class Registry:
    """All of them by name. `refresh` is to be called when they may have changed."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        compile = database.compile
        self._database = database
        self._secrets = secrets
        self._by_name: dict[str, StoredWebhook] = {}
        ids = bindparam("ids", type_=ListOf(Id()))
        self._versions = compile(select(Webhook.id, Webhook.version))
        names = ("id", "name", "title", "definition", "version", "enabled", "keep_bodies", "secrets")
        columns = [Webhook.__table__.columns[name] for name in names]
        self._rows = compile(select(*columns).where(any_of(Webhook.id, ids)))
        self._namespaces = compile(
            select(WebhookNamespace.webhook_id, WebhookNamespace.namespace)
            .where(any_of(WebhookNamespace.webhook_id, ids))
            .order_by(WebhookNamespace.webhook_id, WebhookNamespace.namespace)
        )

    def find(self, name: str) -> StoredWebhook | None:
        """The webhook of that name, enabled or not."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all, in order."""
        return tuple(sorted(self._by_name))

    async def refresh(self) -> None:
        """Learns what has changed. Raises Unavailable."""
        known = {webhook.id: webhook for webhook in self._by_name.values()}

        def work() -> Steps[tuple[list[Row], list[Row], list[Row]]]:
            versions = yield Fetch(self._versions)
            changed = [id for id, version in versions if id not in known or known[id].version != version]
            if not changed:
                return versions, [], []
            rows = yield Fetch(self._rows, {"ids": changed})
            return versions, rows, (yield Fetch(self._namespaces, {"ids": changed}))

        with unavailable_unless("read"):
            versions, rows, namespaces = await self._database.read(work)
        where: defaultdict[str, list[str]] = defaultdict(list)
        for webhook_id, namespace in namespaces:
            where[webhook_id].append(namespace)
        there = {id: known[id] for id, _ in versions if id in known}
        there.update((row[0], self._webhook(row, tuple(where[row[0]]))) for row in rows)
        self._by_name = {webhook.name: webhook for webhook in there.values()}

    def _webhook(self, row: Row, namespaces: tuple[str, ...]) -> StoredWebhook:
        id, name, title, definition, version, enabled, keep_bodies, kept = row
        try:
            known: tuple[str, ...] | None = self._secrets.decrypted(kept)
        except Unreadable:
            message = "the secrets of webhook %s need a key that is not in ISSUEGRAPH_SECRET_KEY or beside the database"
            logger.error(message, name)
            known = None
        return StoredWebhook(
            id, name, title, definition, version, bool(enabled), bool(keep_bodies), namespaces, kept is not None, known
        )


async def stored_names(database: Database) -> list[str]:
    """The names of all webhooks that users made, in no order. Raises models.database.Unavailable."""
    return [name for (name,) in await database.fetch(database.compile(select(Webhook.name)))]
