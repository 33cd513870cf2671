"""The lines of the log."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.actor import Actor
from schema.enums import IssueEventKind, IssueMatch, RelationKind
from schema.node import PageInfo
from schema.relation import Relation
from schema.scalars import JSON, DateTime, LogPosition

if TYPE_CHECKING:
    from schema.issue import Issue


@strawberry.type(description="`field` is the name in this schema and the values are spelt as this schema spells them.")
class FieldChange:
    field: str = strawberry.field(description="The field that changed.")
    old: JSON | None = strawberry.field(description="Its value before.")
    new: JSON | None = strawberry.field(description="Its value after.")


@strawberry.type(description="A relation as a line of the log tells of it; its ids outlive the relation.")
class RelationRef:
    id: strawberry.ID = strawberry.field(description="The relation's id.")
    kind: RelationKind = strawberry.field(description="How source stands to target.")
    source_id: strawberry.ID = strawberry.field(description="The issue where it begins.")
    target_id: strawberry.ID = strawberry.field(description="The issue where it ends.")
    relation: Relation | None = strawberry.field(description="The relation as it is now; null once removed.")


@strawberry.type(
    description=(
        "One line of the append-only log: the audit trail, the timeline and what subscriptions carry are the same "
        "lines. A relation drawn or removed is two lines, one for each end; a line that names an issue its reader "
        "may not see does not exist for that reader."
    )
)
class IssueEvent:
    id: strawberry.ID = strawberry.field(description="The same text as `position`.")
    position: LogPosition = strawberry.field(description="Where the line stands in the log.")
    kind: IssueEventKind = strawberry.field(description="What happened.")
    at: DateTime = strawberry.field(description="When it was written.")
    actor: Actor | None = strawberry.field(description="Who did it.")
    issue_id: strawberry.ID = strawberry.field(description="The issue it happened to.")
    namespace: str = strawberry.field(
        description="As it was when the line was written; it stays readable after a delete."
    )
    title: str = strawberry.field(description="As it was when the line was written; it stays readable after a delete.")
    issue: Annotated["Issue", strawberry.lazy("schema.issue")] | None = strawberry.field(
        description="The issue as it is now; null once deleted or no longer visible to the reader."
    )
    relation: RelationRef | None = strawberry.field(
        description="On RELATED and UNRELATED; its ids outlive the relation."
    )
    changes: list[FieldChange] = strawberry.field(description="What changed, field by field.")


@strawberry.type(description="One line in a list.")
class IssueEventEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: IssueEvent = strawberry.field(description="The line.")


@strawberry.type(description="A page of the log, newest first.")
class IssueEventConnection:
    edges: list[IssueEventEdge] = strawberry.field(description="The page, with cursors.")
    nodes: list[IssueEvent] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many there are in the whole list.")


@strawberry.type(description="One line of the log, and what it means for the subscription's filter.")
class IssueEventItem:
    match: IssueMatch = strawberry.field(description="Whether the issue came in, stayed in or went out.")
    event: IssueEvent = strawberry.field(description="The line.")


@strawberry.type(
    description=(
        "What one tick brought, in log order. `events` may be empty: the log moved on without anything for this "
        "filter (at least every 30 s while it does), so keep the newest `position` for `after`. `caughtUp`: nothing "
        "older than this batch is still to come."
    )
)
class IssueEventBatch:
    position: LogPosition = strawberry.field(description="How far the log was read: go on with `after` from here.")
    caught_up: bool = strawberry.field(description="Nothing older than this batch is still to come.")
    events: list[IssueEventItem] = strawberry.field(
        description="The lines for this filter, oldest first; may be empty."
    )
