"""Deliveries, as those read them who answer for the namespaces that they concern."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import strawberry
from strawberry import UNSET, Private

from resolvers.access import Page as PageOf
from resolvers.access import PageArguments, cursor_of, size_of
from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, Invalid
from resolvers.webhooks.history import DeliveryWhere as Where
from resolvers.webhooks.history import History, KeptDelivery, delivery_where
from resolvers.webhooks.plan import Received
from resolvers.webhooks.replays import DEFAULT_AT_ONCE
from schema.actor import Actor, actor_of
from schema.delivery_items import shown
from schema.enums import DeliveryAction, DeliveryOutcome
from schema.filters import DateTimeFilter
from schema.issue import FingerprintPart, Issue
from schema.node import PageInfo, page_info_of
from schema.payloads import USER_ERRORS, UserError, user_errors_of
from schema.planned import planned, unplanned
from schema.request import Info, Request
from schema.scalars import JSON, DateTime, LogPosition


@strawberry.type(description="What came of one item of a delivery.")
class DeliveryItem:
    index: int = strawberry.field(description="Its place in the delivery, from 0.")
    action: DeliveryAction = strawberry.field(description="What came of it.")
    rule: str | None = strawberry.field(description="The rule that matched.")
    message: str | None = strawberry.field(description="Why it failed or is ignored.")
    notices: list[str] = strawberry.field(description="What of it could not be kept as it came.")
    namespace: str | None = strawberry.field(description="The namespace that it is about.")
    issue_ids: list[strawberry.ID] = strawberry.field(description="The issues that it made or met.")
    fingerprint: list[FingerprintPart] = strawberry.field(
        description="The parts that tell its issue from others; of a success those that it asks for."
    )

    @planned
    def issues(self) -> list[Issue]:
        """Those of the issues that the caller may read, as they are now."""
        unplanned()


FirstItems = Annotated[int, strawberry.argument(description="At most so many; 1 to 100.")]
AfterItem = Annotated[int | None, strawberry.argument(description="Only those after the item of this `index`.")]
WithAction = Annotated[
    list[DeliveryAction] | None,
    strawberry.argument(description="Only those of which one of these came; an empty list matches nothing."),
]


@strawberry.type(description="What was delivered. Credentials are not kept, and what the definition masks is `***`.")
class DeliveryRequest:
    headers: JSON = strawberry.field(description="The headers, their names in lower case.")
    query: JSON = strawberry.field(description="The parameters of the URL.")
    content_type: str | None = strawberry.field(description="What the sender says that the body is.")
    body: str | None = strawberry.field(
        description="The body as text; null where it is not kept, such as of a sender that did not show who it is."
    )


@strawberry.type(description="One request that a webhook got, and what came of it.")
class Delivery:
    kept: Private[KeptDelivery]
    counts: Private["ItemCounts"]
    id: strawberry.ID = strawberry.field(description="A UUIDv7.")
    position: LogPosition = strawberry.field(description="Where it stands among the lines of the log.")
    webhook: str = strawberry.field(description="The name of the webhook.")
    version: int | None = strawberry.field(
        description="The version of the webhook then; null for one that comes with the server."
    )
    outcome: DeliveryOutcome = strawberry.field(description="What came of it, by now.")
    received_at: DateTime = strawberry.field(description="When it came.")
    replayed_at: DateTime | None = strawberry.field(description="When it was last done again; null for never.")
    delivery_key: str | None = strawberry.field(description="The sender's own id of it.")
    event: str | None = strawberry.field(description="What the sender calls it.")
    error: str | None = strawberry.field(description="Why it was refused, or its first item failed.")
    sender: Actor = strawberry.field(description="Who sent it.")
    namespaces: list[str] = strawberry.field(
        description="What it concerns: of its items, or where one tells of none, all in which the sender could report."
    )
    body_bytes: int = strawberry.field(description="How long the body was.")

    @strawberry.field(description="How many items it had.")
    async def item_count(self) -> int:
        return await self.counts.of(self.kept.id)

    @strawberry.field(description="What came of its items, in order.")
    async def items(
        self,
        info: Info,
        first: FirstItems = 50,
        after: AfterItem = UNSET,
        action: WithAction = UNSET,
    ) -> list[DeliveryItem]:
        most = size_of("first", first)
        last = -1 if after is UNSET or after is None else after
        actions = None if action is UNSET or action is None else [each.value for each in action]
        async with info.context.reading() as size:
            history = info.context.webhooks.history
            items = await history.some_items(self.kept.id, size, after=last, actions=actions, most=most)
            return await shown(info, items)  # type: ignore[no-any-return]

    @strawberry.field(description="What was delivered; null when it is no longer kept.")
    async def request(self, info: Info) -> DeliveryRequest | None:
        async with info.context.reading() as size:
            received = await info.context.webhooks.history.shown(self.kept, size)
            if received is None:
                return None
            request = _request(received)
            if request.body is not None:
                size.keep(request.body)
            return request


class ItemCounts:
    """How many items the deliveries of a page have: asked of all at once when it is first asked for."""

    def __init__(self, history: History, ids: Sequence[str]) -> None:
        self._history = history
        self._ids = ids

    async def of(self, id: str) -> int:
        """How many one has. Raises Unavailable."""
        return (await self._counts).get(id, 0)

    @cached_property
    def _counts(self) -> "asyncio.Future[dict[str, int]]":
        return asyncio.ensure_future(self._history.counts(self._ids))


@strawberry.type(description="A delivery in its list.")
class DeliveryEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Delivery = strawberry.field(description="The delivery.")


@strawberry.type(description="A page of deliveries.")
class DeliveryConnection:
    where: Private[Where]
    edges: list[DeliveryEdge] = strawberry.field(description="The deliveries with their cursors.")
    nodes: list[Delivery] = strawberry.field(description="The deliveries.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")

    @strawberry.field(description="How many there are in all; each is counted.")
    async def total_count(self, info: Info) -> int:
        return await info.context.webhooks.history.count(info.context.caller, self.where)


@strawberry.type(description="What one tick brought, in the order in which the deliveries were kept or done again.")
class DeliveryBatch:
    position: LogPosition = strawberry.field(description="How far was read: go on with `after` from here.")
    deliveries: list[Delivery] = strawberry.field(description="The deliveries, oldest first; may be empty.")


@strawberry.input(description="Which deliveries; all that is given must hold.")
class DeliveryWhere:
    webhook: str | None = strawberry.field(default=UNSET, description="Of the webhook of this name.")
    outcome: list[DeliveryOutcome] | None = strawberry.field(
        default=UNSET, description="One of these came of it; an empty list matches nothing."
    )
    received_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when they came.")


@strawberry.input(description="A delivery to do again.")
class ReplayDeliveryInput:
    id: strawberry.ID = strawberry.field(description="The delivery.")


@strawberry.input(description="Deliveries to do again.")
class ReplayDeliveriesInput:
    where: DeliveryWhere | None = strawberry.field(
        default=UNSET, description="Which; without `outcome` those that are UNMATCHED, PARTLY_FAILED or FAILED."
    )
    first: int = strawberry.field(default=DEFAULT_AT_ONCE, description="At most so many, the oldest; 1 to 1000.")
    after: str | None = strawberry.field(
        default=UNSET, description="Only what came after this: the `endCursor` of the call before."
    )


@strawberry.type(description="What replayDelivery did.")
class ReplayDeliveryPayload:
    delivery: Delivery | None = strawberry.field(description="The delivery as it is now.")
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


@strawberry.type(description="What replayDeliveries did.")
class ReplayDeliveriesPayload:
    replayed: int = strawberry.field(description="How many deliveries were done again, by this call.")
    handled: int = strawberry.field(description="How many of them are wholly handled now.")
    skipped: int = strawberry.field(
        description="How many could not be: their body or their webhook is gone, or the body cannot be read."
    )
    end_cursor: str | None = strawberry.field(description="How far was looked: go on with `after` from here.")
    has_more: bool = strawberry.field(description="Whether there are others after `endCursor`: ask again, from there.")
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


def manager(info: Info) -> Caller:
    """The caller. Raises Forbidden when it has MANAGE nowhere."""
    caller = info.context.caller
    if not caller.may_somewhere(Permission.MANAGE):
        raise Forbidden("MANAGE is needed")
    return caller


async def delivery(info: Info, id: str) -> Delivery | None:
    """The delivery, if the caller has MANAGE in all that it concerns. Raises Forbidden and Unavailable."""
    found = await info.context.webhooks.history.one(id, manager(info))
    return None if found is None else delivery_of(info.context, found)


async def deliveries(info: Info, where: DeliveryWhere | None, arguments: PageArguments) -> DeliveryConnection:
    """A page of them. Raises Forbidden, BadRequest, Unavailable, TooLarge and Overloaded."""
    narrowed = where_of(where)
    async with info.context.reading() as size:
        page = await info.context.webhooks.history.page(manager(info), narrowed, arguments, size)
    return _connection(info.context, page, narrowed)


async def replay_delivery(info: Info, given: ReplayDeliveryInput) -> ReplayDeliveryPayload:
    """Does a delivery again. Raises Forbidden, Overloaded and Unavailable."""
    try:
        done = await info.context.webhooks.replays.one(given.id, manager(info))
    except Invalid as refused:
        return ReplayDeliveryPayload(delivery=None, user_errors=user_errors_of(refused.errors))
    return ReplayDeliveryPayload(delivery=delivery_of(info.context, done), user_errors=[])


async def replay_deliveries(info: Info, given: ReplayDeliveriesInput) -> ReplayDeliveriesPayload:
    """Does several again. Raises Forbidden, BadRequest, Overloaded and Unavailable."""
    done = await info.context.webhooks.replays.all_of(
        where_of(given.where), manager(info), first=given.first, after=None if given.after is UNSET else given.after
    )
    return ReplayDeliveriesPayload(
        replayed=done.replayed,
        handled=done.handled,
        skipped=done.skipped,
        end_cursor=done.end,
        has_more=done.has_more,
        user_errors=[],
    )


def where_of(given: DeliveryWhere | None) -> Where:
    """What was given, as the resolvers take it."""
    if not given:
        return Where()
    at = given.received_at
    received = {name: getattr(at, name) or None for name in ("eq", "gt", "gte", "lt", "lte")} if at else {}
    webhook = None if given.webhook is UNSET else given.webhook
    outcomes = given.outcome if isinstance(given.outcome, list) else None
    return delivery_where(webhook, outcomes, {**received, "isNull": bool(at and at.is_null)})


def delivery_of(request: Request, kept: KeptDelivery, counts: ItemCounts | None = None) -> Delivery:
    """A delivery as the schema has it."""
    return Delivery(
        kept=kept,
        counts=counts or ItemCounts(request.webhooks.history, [kept.id]),
        id=strawberry.ID(kept.id),
        position=LogPosition(request.log.text(kept.position)),
        webhook=kept.webhook,
        version=kept.version,
        outcome=DeliveryOutcome(kept.outcome.value),
        received_at=DateTime(kept.received_at),
        replayed_at=None if kept.replayed_at is None else DateTime(kept.replayed_at),
        delivery_key=kept.delivery_key,
        event=kept.event,
        error=kept.error,
        sender=actor_of(kept.sender.actor),
        namespaces=list(kept.namespaces),
        body_bytes=kept.body_bytes,
    )


def deliveries_of(request: Request, rows: Sequence[KeptDelivery]) -> list[Delivery]:
    """Deliveries that are shown together."""
    counts = ItemCounts(request.webhooks.history, [row.id for row in rows])
    return [delivery_of(request, row, counts) for row in rows]


def _connection(request: Request, page: PageOf[KeptDelivery], where: Where) -> DeliveryConnection:
    nodes = deliveries_of(request, page.rows)
    edges = [DeliveryEdge(cursor=cursor_of(node.id), node=node) for node in nodes]
    return DeliveryConnection(
        where=where, edges=edges, nodes=nodes, page_info=page_info_of(page, [edge.cursor for edge in edges])
    )


def _request(received: Received) -> DeliveryRequest:
    return DeliveryRequest(
        headers=JSON(dict(received.headers)),
        query=JSON(dict(received.query)),
        content_type=received.content_type,
        body=None if received.body is None else received.body.decode("utf-8", "replace"),
    )
