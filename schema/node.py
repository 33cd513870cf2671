"""What every list and every thing with an id has in common."""

from collections.abc import Sequence
from typing import Any

import strawberry

from resolvers.access import Page


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="A UUIDv7, the same in GraphQL and REST.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether more precedes `startCursor`.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item; null on an empty page.")


def page_info_of(page: Page[Any], cursors: Sequence[str]) -> PageInfo:
    """Where a page stands, whose items have these cursors."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
