"""Webhooks of users and their versions, as the tables have them."""

from dataclasses import dataclass
from typing import Any

import orjson

from models import Webhook, WebhookVersion
from models.database import Row
from resolvers.caller import Actor, ActorKind

_NAMES = ("id", "name", "title", "definition", "version", "enabled", "keep_bodies", "secrets", "created_at")
_BY = ("updated_at", "updated_by_kind", "updated_by_id", "updated_by_name")
COLUMNS = [Webhook.__table__.columns[name] for name in _NAMES + _BY]
VERSION_COLUMNS = [column for column in WebhookVersion.__table__.columns if column.name != "webhook_id"]


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook as it stands; `secrets` are encrypted."""

    id: str
    name: str
    title: str
    definition: str
    version: int
    enabled: bool
    keep_bodies: bool
    secrets: str | None
    created_at: str
    updated_at: str
    updated_by: Actor
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What a webhook was from `at` on."""

    version: int
    definition: str
    namespaces: tuple[str, ...]
    enabled: bool
    keep_bodies: bool
    at: str
    by: Actor


def values_of(row: WebhookRow) -> dict[str, Any]:
    """Of its columns, but for id and name."""
    by = row.updated_by
    return {
        "title": row.title,
        "definition": row.definition,
        "version": row.version,
        "enabled": row.enabled,
        "keep_bodies": row.keep_bodies,
        "secrets": row.secrets,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "updated_by_kind": str(by.kind),
        "updated_by_id": by.id,
        "updated_by_name": by.name,
    }


def webhook_of(row: Row, namespaces: tuple[str, ...]) -> WebhookRow:
    """From COLUMNS."""
    id, name, title, definition, version, enabled, keep_bodies, secrets, created_at, updated_at, *by = row
    by_kind, by_id, by_name = by
    return WebhookRow(
        id=id,
        name=name,
        title=title,
        definition=definition,
        version=version,
        enabled=bool(enabled),
        keep_bodies=bool(keep_bodies),
        secrets=secrets,
        created_at=created_at,
        updated_at=updated_at,
        updated_by=Actor(ActorKind(by_kind), by_id, by_name),
        namespaces=namespaces,
    )


def version_of(row: Row) -> VersionRow:
    """From VERSION_COLUMNS."""
    version, definition, namespaces, enabled, keep_bodies, at, by_kind, by_id, by_name = row
    by = Actor(ActorKind(by_kind), by_id, by_name)
    return VersionRow(version, definition, tuple(orjson.loads(namespaces)), bool(enabled), bool(keep_bodies), at, by)
