"""The issue and its lists."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from schema.actor import Actor
from schema.enums import IssueState, IssueType, RelationDirection, RelationKind, Severity
from schema.event import IssueEventConnection
from schema.filters import IssueWhere
from schema.graph import (
    GRAPH_KINDS,
    Depth,
    Direction,
    GraphKinds,
    IssueGraph,
    MaxNodes,
    SameScope,
    Through,
)
from schema.node import Node, PageInfo
from schema.occurrence import Link, OccurrenceConnection
from schema.planned import After, Before, First, Last, planned, unplanned
from schema.relation import Relation, RelationConnection
from schema.scalars import DateTime, LogPosition
from schema.scope import Scope

Kinds = Annotated[list[RelationKind] | None, strawberry.argument(description="Only relations of these kinds.")]


@strawberry.type(description="A name with a value; a name may come with several values.")
class Label:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value.")


@strawberry.type(description="One part of what makes two reports one issue.")
class FingerprintPart:
    name: str = strawberry.field(description="What the part is.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="Why two reports are one issue.")
class Fingerprint:
    key: str = strawberry.field(description="A digest of the parts; at most one active issue has it.")
    parts: list[FingerprintPart] = strawberry.field(description="What went into the key, in order.")


@strawberry.type(description="Something that is broken: reported by tools, once however often it is reported.")
class Issue(Node):
    namespace: str = strawberry.field(description="Whose it is: the namespace that decides who may read it.")
    title: str = strawberry.field(description="What is broken, in one line.")
    description: str = strawberry.field(description="The newest reason that was given.")
    severity: Severity = strawberry.field(description="How bad it is.")
    issue_type: IssueType = strawberry.field(description="What kind of work went wrong.")
    state: IssueState = strawberry.field(description="Whether it still is broken.")
    detected_at: DateTime = strawberry.field(
        description="When it was first seen, in the reporter's words where it said so."
    )
    last_detected_at: DateTime = strawberry.field(description="When it was last seen.")
    occurrence_count: int = strawberry.field(
        description="How many runs reported it while it was active; the same run reported again is not counted."
    )

    @planned
    def occurrences(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> OccurrenceConnection:
        """Each report, newest first: its own reason, run and links (the newest 100 by default are kept).

        The issue shows the newest one's.
        """
        unplanned()

    resolved_at: DateTime | None = strawberry.field(description="When it was resolved; null while it is active.")
    resolved_by: Actor | None = strawberry.field(description="Who resolved it; null while it is active.")
    acknowledged_at: DateTime | None = strawberry.field(description="When somebody said that they are on it.")
    acknowledged_by: Actor | None = strawberry.field(description="Who is on it.")
    previous: Annotated["Issue", strawberry.lazy("schema.issue")] | None = strawberry.field(
        description="The issue of the same fingerprint before this one (RECURRENCE_OF)."
    )
    url: str = strawberry.field(description="The page of this issue, absolute: for build logs and chats.")
    created_at: DateTime = strawberry.field(description="When this server first heard of it.")
    updated_at: DateTime = strawberry.field(description="When it last changed.")
    edited_fields: list[str] = strawberry.field(
        description="Fields that a person edited; a tool's next report keeps what they hold."
    )
    source: str | None = strawberry.field(description="The webhook or client that reported it.")
    labels: list[Label] = strawberry.field(description="Its labels, by name and value.")
    fingerprint: Fingerprint = strawberry.field(
        description="Why two reports are one issue: the parts, in order, whose values make the key."
    )
    scope: Scope = strawberry.field(description="What it is about.")
    links: list[Link] = strawberry.field(description="Web addresses that help, in the reporter's order.")

    @planned
    def related(
        self,
        direction: Direction = RelationDirection.BOTH,
        kinds: Kinds = UNSET,
        where: Annotated[IssueWhere | None, strawberry.argument(description="Only these issues.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Annotated["RelatedIssueConnection", strawberry.lazy("schema.issue")]:
        """Issues related to this one, either way; the edge says how."""
        unplanned()

    @planned
    def related_from(
        self,
        kinds: Kinds = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> RelationConnection:
        """Relations whose source is this issue (Kite's name)."""
        unplanned()

    @planned
    def related_to(
        self,
        kinds: Kinds = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> RelationConnection:
        """Relations whose target is this issue (Kite's name)."""
        unplanned()

    @planned
    def graph(
        self,
        depth: Depth = 1,
        direction: Direction = RelationDirection.BOTH,
        kinds: GraphKinds = GRAPH_KINDS,
        where: Through = UNSET,
        same_scope: SameScope = False,
        max_nodes: MaxNodes = 200,
    ) -> IssueGraph | None:
        """Every issue and relation within `depth` steps of this one."""
        unplanned()

    @planned
    def timeline(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> IssueEventConnection:
        """Its lines in the log, newest first."""
        unplanned()


@strawberry.type(description="One issue in a list.")
class IssueEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: Issue = strawberry.field(description="The issue.")


@strawberry.type(description="A page of issues.")
class IssueConnection:
    edges: list[IssueEdge] = strawberry.field(description="The page, with cursors.")
    nodes: list[Issue] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many there are in the whole list.")
    position: LogPosition = strawberry.field(
        description="Where in the log this page was read: subscribe with after: position and nothing is missed."
    )


@strawberry.type(description="One related issue in a list, and how it is related.")
class RelatedIssueEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: Issue = strawberry.field(description="The other issue.")
    direction: RelationDirection = strawberry.field(
        description="OUT: the given issue is the source; IN: it is the target."
    )
    relation: Relation = strawberry.field(description="The relation between the two.")


@strawberry.type(description="A page of related issues, the newest relation first.")
class RelatedIssueConnection:
    edges: list[RelatedIssueEdge] = strawberry.field(description="The page, with cursors and relations.")
    nodes: list[Issue] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many there are in the whole list.")
