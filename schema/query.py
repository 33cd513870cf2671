"""Query, a table of contents. Fields with rows behind them are answered by `resolvers/query`."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers.access import PageArguments
from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden
from schema import delivery, webhook
from schema.audit import AuditEventConnection, audit_events_of
from schema.delivery import Delivery, DeliveryConnection, DeliveryWhere
from schema.enums import RelationDirection
from schema.event import IssueEventConnection
from schema.filters import IssueEventWhere, IssueOrder, IssueWhere, ScopeKey, ScopeWhere
from schema.graph import GRAPH_KINDS, Depth, Direction, GraphKinds, IssueGraph, MaxNodes, SameScope, Through
from schema.issue import Issue, IssueConnection
from schema.node import Node
from schema.planned import After, Before, First, Last, planned, unplanned
from schema.rate_limit import RateLimit, rate_limit_of
from schema.request import Info
from schema.scalars import LogPosition
from schema.scope import Scope, ScopeConnection
from schema.stats import IssueStats
from schema.token import TokenConnection, tokens_of
from schema.viewer import Viewer, viewer_of
from schema.webhook import Webhook, WebhookConnection, WebhookTemplate

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Their ids, at most 200.")]
IssueFilter = Annotated[IssueWhere | None, strawberry.argument(description="Only these issues.")]
Search = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "The query bar: words, and tokens such as `severity:critical`. ANDed with `where`; at most 1000 characters "
            "and 30 terms."
        )
    ),
]


@strawberry.type(description="What can be asked. null without an error means: not found or not visible.")
class Query:
    @planned
    def node(self, id: Id) -> Node | None:
        """An issue, a scope or a relation by its id."""
        unplanned()

    @planned
    def nodes(self, ids: Ids) -> list[Node | None]:
        """Issues, scopes and relations by their ids, in the order of the ids."""
        unplanned()

    @strawberry.field(description="Who is asking.")
    def viewer(self, info: Info) -> Viewer | None:
        return viewer_of(info.context.caller)

    @strawberry.field(description="What the caller may spend; null where nothing is charged.")
    def rate_limit(self, info: Info) -> RateLimit | None:
        return rate_limit_of(info.context.charge)

    @planned
    def issue(self, id: Id) -> Issue | None:
        """An issue by its id."""
        unplanned()

    @planned
    def issues(
        self,
        where: IssueFilter = UNSET,
        search: Search = UNSET,
        order_by: Annotated[
            list[IssueOrder] | None, strawberry.argument(description="Default: DETECTED_AT DESC.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> IssueConnection | None:
        """The issues that the caller may read.

        `search` is the query bar: every word must occur in title or description, ignoring case (as a substring, like
        REST's `search`), and `severity:critical scope:pipelinerun/x` tokens narrow like `where`. The same predicate
        decides in a subscription.
        """
        unplanned()

    @planned
    def issue_stats(self, where: IssueFilter = UNSET, search: Search = UNSET) -> IssueStats | None:
        """Counts of the issues that `where` and `search` let through."""
        unplanned()

    @planned
    def scope(
        self,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = UNSET,
        key: Annotated[ScopeKey | None, strawberry.argument(description="Its names.")] = UNSET,
    ) -> Scope | None:
        """A scope by its id or by its names: give one of the two."""
        unplanned()

    @planned
    def scopes(
        self,
        where: Annotated[ScopeWhere | None, strawberry.argument(description="Only these scopes.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> ScopeConnection | None:
        """The scopes of the issues that the caller may read."""
        unplanned()

    @planned
    def issue_graph(
        self,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The roots, at most 200.")],
        depth: Depth = 2,
        direction: Direction = RelationDirection.BOTH,
        kinds: GraphKinds = GRAPH_KINDS,
        where: Through = UNSET,
        same_scope: SameScope = False,
        max_nodes: MaxNodes = 200,
    ) -> IssueGraph | None:
        """Every issue and relation within `depth` steps of the given issues."""
        unplanned()

    @planned
    def issue_events(
        self,
        where: Annotated[IssueEventWhere | None, strawberry.argument(description="Only these lines.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> IssueEventConnection | None:
        """The log. Newest first."""
        unplanned()

    @planned
    def position(self) -> LogPosition | None:
        """The end of the log as this whole answer was read.

        For scripts; pages with a normalised cache take the `position` of the connection, stats or graph, because a
        cache keeps one Query.position for all queries.
        """
        unplanned()

    @strawberry.field(description="The tokens all of whose grants are where the caller has ADMIN. Newest first.")
    async def tokens(
        self, info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> TokenConnection | None:
        caller, arguments = _administrator(info), _page(first, after, last, before)
        async with info.context.reading() as size:
            return tokens_of(await info.context.tokens.page(caller, arguments, size))

    @strawberry.field(
        description="What was done to the server and its doors, as far as it concerns namespaces where the caller has "
        "ADMIN. Newest first."
    )
    async def audit_events(
        self, info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> AuditEventConnection | None:
        caller, arguments = _administrator(info), _page(first, after, last, before)
        async with info.context.reading() as size:
            return audit_events_of(await info.context.audit.page(caller, arguments, size))

    @strawberry.field(description="A webhook that somebody made, where the caller has MANAGE in all its namespaces.")
    async def webhook(
        self, info: Info, name: Annotated[str, strawberry.argument(description="Its name.")]
    ) -> Webhook | None:
        return await webhook.webhook(info, name)

    @strawberry.field(
        description="The webhooks that users made, where the caller has MANAGE in all their namespaces. Newest first."
    )
    async def webhooks(
        self, info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> WebhookConnection | None:
        return await webhook.webhooks(info, _page(first, after, last, before))

    @strawberry.field(description="The definitions that come with the server, to copy and change; by name.")
    def webhook_templates(self, info: Info) -> list[WebhookTemplate] | None:
        return webhook.templates(info)

    @strawberry.field(description="A delivery, where the caller has MANAGE in all the namespaces that it concerns.")
    async def delivery(self, info: Info, id: Id) -> Delivery | None:
        return await delivery.delivery(info, id)

    @strawberry.field(
        description="What webhooks got and what came of it, where the caller has MANAGE in all the namespaces that a "
        "delivery concerns. Newest first."
    )
    async def deliveries(
        self,
        info: Info,
        where: Annotated[DeliveryWhere | None, strawberry.argument(description="Only these deliveries.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> DeliveryConnection | None:
        return await delivery.deliveries(info, where, _page(first, after, last, before))


def _administrator(info: Info) -> Caller:
    """The caller. Raises Forbidden when it has ADMIN nowhere."""
    caller = info.context.caller
    if not caller.may_somewhere(Permission.ADMIN):
        raise Forbidden("ADMIN is needed")
    return caller


def _page(first: int | None, after: str | None, last: int | None, before: str | None) -> PageArguments:
    return PageArguments(
        first=None if first is UNSET else first,
        after=None if after is UNSET else after,
        last=None if last is UNSET else last,
        before=None if before is UNSET else before,
    )
