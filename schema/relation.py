"""How two issues stand to each other."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.actor import Actor
from schema.enums import RelationKind
from schema.node import Node, PageInfo
from schema.scalars import DateTime

if TYPE_CHECKING:
    from schema.issue import Issue


@strawberry.type(description="An arrow between two issues, drawn by a person, a client or a rule.")
class Relation(Node):
    kind: RelationKind = strawberry.field(description="How source stands to target.")
    source: Annotated["Issue", strawberry.lazy("schema.issue")] = strawberry.field(description="Where it begins.")
    target: Annotated["Issue", strawberry.lazy("schema.issue")] = strawberry.field(description="Where it ends.")
    created_by: Actor | None = strawberry.field(description="Who drew it.")
    reason: str | None = strawberry.field(description="Why it was drawn.")
    created_at: DateTime = strawberry.field(description="When it was drawn.")


@strawberry.type(description="One relation in a list.")
class RelationEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: Relation = strawberry.field(description="The relation.")


@strawberry.type(description="A page of relations, newest first.")
class RelationConnection:
    edges: list[RelationEdge] = strawberry.field(description="The page, with cursors.")
    nodes: list[Relation] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many there are in the whole list.")
