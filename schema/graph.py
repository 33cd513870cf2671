"""The neighbourhood of issues."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import RelationDirection, RelationKind
from schema.filters import IssueWhere
from schema.relation import Relation
from schema.scalars import LogPosition

if TYPE_CHECKING:
    from schema.issue import Issue

Depth = Annotated[int, strawberry.argument(description="How many steps to go, 0 to 10.")]
Direction = Annotated[RelationDirection, strawberry.argument(description="Which way to follow relations.")]
GraphKinds = Annotated[list[RelationKind], strawberry.argument(description="Which relations to follow.")]
Through = Annotated[
    IssueWhere | None,
    strawberry.argument(description="Only issues that fit are walked to; the roots always are there."),
]
SameScope = Annotated[
    bool, strawberry.argument(description="Also step between issues of the same scope, without a relation.")
]
MaxNodes = Annotated[int, strawberry.argument(description="At most so many issues, the nearest first; 1 to 1000.")]

# What is drawn by hand or by a finding; the chain of recurrences is asked for by name.
GRAPH_KINDS = [RelationKind.RELATED, RelationKind.CAUSED_BY, RelationKind.DUPLICATE_OF]


@strawberry.type(
    description=(
        "`distance` 0 is a root. `hiddenCount`: visible neighbours that this answer leaves out (depth, maxNodes): "
        "what 'expand' would bring."
    )
)
class IssueGraphNode:
    issue: Annotated["Issue", strawberry.lazy("schema.issue")] = strawberry.field(description="The issue.")
    distance: int = strawberry.field(description="The fewest steps from a root; 0 is a root.")
    hidden_count: int = strawberry.field(description="Visible neighbours that this answer leaves out.")


@strawberry.type(description="`relation` is null for two issues that are neighbours only by their scope (sameScope).")
class IssueGraphEdge:
    source_id: strawberry.ID = strawberry.field(description="The issue where it begins, one of `nodes`.")
    target_id: strawberry.ID = strawberry.field(description="The issue where it ends, one of `nodes`.")
    relation: Relation | None = strawberry.field(description="The relation; null for neighbours by scope only.")


@strawberry.type(
    description=(
        "The neighbourhood of some issues: every node once, every edge between two returned nodes once; "
        "cycles are fine."
    )
)
class IssueGraph:
    roots: list[Annotated["Issue", strawberry.lazy("schema.issue")]] = strawberry.field(
        description="The issues asked for, as far as the caller may read them."
    )
    nodes: list[IssueGraphNode] = strawberry.field(description="The roots and what was reached, nearest first.")
    edges: list[IssueGraphEdge] = strawberry.field(description="What connects two of the nodes.")
    truncated: bool = strawberry.field(description="More lay within depth than maxNodes allowed.")
    position: LogPosition = strawberry.field(description="Where in the log this was read.")
