"""What an issue is about."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from schema.filters import IssueOrder, IssueWhere
from schema.node import Node, PageInfo
from schema.planned import After, Before, First, Last, planned, unplanned
from schema.stats import IssueStats

if TYPE_CHECKING:
    from schema.issue import IssueConnection


@strawberry.type(description="The thing that issues are about: a component, a pipeline run, an application.")
class Scope(Node):
    resource_type: str = strawberry.field(description="What kind of thing, such as component or pipelinerun.")
    resource_name: str = strawberry.field(description="Its name.")
    resource_namespace: str = strawberry.field(description="Where it lives; usually the namespace of its issues.")

    @planned
    def issues(
        self,
        where: Annotated[IssueWhere | None, strawberry.argument(description="Only these.")] = UNSET,
        order_by: Annotated[
            list[IssueOrder] | None, strawberry.argument(description="Default: DETECTED_AT DESC.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Annotated["IssueConnection", strawberry.lazy("schema.issue")]:
        """The issues about it that the caller may read."""
        unplanned()

    stats: IssueStats = strawberry.field(description="Counts of the issues about it that the caller may read.")


@strawberry.type(description="One scope in a list.")
class ScopeEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: Scope = strawberry.field(description="The scope.")


@strawberry.type(description="A page of scopes, by type, namespace and name.")
class ScopeConnection:
    edges: list[ScopeEdge] = strawberry.field(description="The page, with cursors.")
    nodes: list[Scope] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many there are in the whole list.")
