"""The audit of administration, as administrators read it."""

import orjson
import strawberry

from resolvers.access import AuditEntry, Page, cursor_of
from schema.actor import Actor, actor_of
from schema.node import PageInfo, page_info_of
from schema.scalars import JSON, DateTime


@strawberry.type(description="One thing that was done to the server or its doors, or by somebody who was not let in.")
class AuditEvent:
    id: strawberry.ID = strawberry.field(description="A UUIDv7.")
    at: DateTime = strawberry.field(description="When.")
    kind: str = strawberry.field(description="What, such as TOKEN_CREATED; docs/access.md lists them.")
    actor: Actor = strawberry.field(description="Who did it.")
    namespace: str = strawberry.field(
        description="Whose business it is: a name, a pattern such as team-*, or * when it is more than one's."
    )
    subject: str = strawberry.field(description="What it was done to, such as the id of a token.")
    details: JSON = strawberry.field(description="More of it, by kind.")


@strawberry.type(description="An audit event in its list.")
class AuditEventEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: AuditEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of the audit.")
class AuditEventConnection:
    edges: list[AuditEventEdge] = strawberry.field(description="The events with their cursors.")
    nodes: list[AuditEvent] = strawberry.field(description="The events.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")
    total_count: int = strawberry.field(description="How many there are in all.")


def audit_events_of(page: Page[AuditEntry]) -> AuditEventConnection:
    """A page as the schema has it."""
    edges = [AuditEventEdge(cursor=cursor_of(entry.id), node=_event(entry)) for entry in page.rows]
    return AuditEventConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info_of(page, [edge.cursor for edge in edges]),
        total_count=page.total,
    )


def _event(entry: AuditEntry) -> AuditEvent:
    return AuditEvent(
        id=strawberry.ID(entry.id),
        at=DateTime(entry.at),
        kind=entry.kind,
        actor=actor_of(entry.actor),
        namespace=entry.namespace,
        subject=entry.subject,
        details=JSON(orjson.loads(entry.details)),
    )
