"""One report of an issue, and the links that reports bring."""

import strawberry

from schema.actor import Actor
from schema.enums import Severity
from schema.node import PageInfo
from schema.scalars import DateTime


@strawberry.type(description="A web address that helps with an issue: a log, a dashboard.")
class Link:
    id: strawberry.ID = strawberry.field(description="A UUIDv7.")
    title: str = strawberry.field(description="What to show.")
    url: str = strawberry.field(description="An http or https address.")


@strawberry.type(description="One report of an issue: what one run had to say.")
class Occurrence:
    id: strawberry.ID = strawberry.field(description="A UUIDv7.")
    at: DateTime = strawberry.field(description="When it happened, by the reporter's clock where it said so.")
    received_at: DateTime = strawberry.field(description="When this server heard of it.")
    run_id: str | None = strawberry.field(
        description="The reporter's own id of the run; the same one again is a repeat."
    )
    title: str = strawberry.field(description="The title that this run reported.")
    description: str = strawberry.field(description="The reason that this run gave.")
    severity: Severity = strawberry.field(description="How bad this run said it was.")
    links: list[Link] = strawberry.field(description="The links of this run, in the reporter's order.")
    actor: Actor | None = strawberry.field(description="Who reported it.")


@strawberry.type(description="One occurrence in a list.")
class OccurrenceEdge:
    cursor: str = strawberry.field(description="Where it stands in the list, for paging only.")
    node: Occurrence = strawberry.field(description="The occurrence.")


@strawberry.type(description="A page of occurrences, newest first.")
class OccurrenceConnection:
    edges: list[OccurrenceEdge] = strawberry.field(description="The page, with cursors.")
    nodes: list[Occurrence] = strawberry.field(description="The page, without cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int = strawberry.field(description="How many are kept of all.")
