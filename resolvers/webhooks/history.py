"""Deliveries as those read them who have MANAGE in every namespace that a delivery concerns."""

import asyncio
import operator
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson
from sqlalchemy import bindparam, select

from models import Delivery, DeliveryNamespace
from models.base import Id
from models.database import Count, Database, Fetch, Row, Steps, Work
from models.dialect import ListOf, any_of, list_length
from models.lines import OWN
from models.values import parse_id
from resolvers.access.pages import Page, PageArguments, Pages, namespace_values
from resolvers.access.storage import timely
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.query import Size
from resolvers.turns import mapped, uncollected
from resolvers.webhooks.delivery_statements import (
    COLUMNS,
    conditions,
    is_inside,
    select_error,
    select_health,
    select_items,
    select_since,
)
from resolvers.webhooks.engine import Engine, NoSuchWebhook
from resolvers.webhooks.plan import DeliveryOutcome, ItemResult, Received

T = TypeVar("T")
# The members of an ItemResult as JSON: of thousands, objects would take long to make.
KeptItem = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWhere:
    """Which deliveries; all that is given must hold. `received` bounds the time by gt, gte, lt and lte."""

    webhook: str | None = None
    outcomes: tuple[str, ...] | None = None
    received: tuple[tuple[str, str], ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """By the name of the condition."""
        values: dict[str, Any] = {f"received_{how}": at for how, at in sorted(self.received)}
        if self.outcomes is not None:
            values["outcomes"] = list(self.outcomes)
        if self.webhook is not None:
            # No database has a place for it, and no webhook has it in its name.
            values["webhook"] = self.webhook if self.webhook.isascii() and "\0" not in self.webhook else ""
        return values

    def holds(self, delivery: "KeptDelivery") -> bool:
        """Whether it is one of them."""
        if self.webhook not in (None, delivery.webhook):
            return False
        if self.outcomes is not None and delivery.outcome.value not in self.outcomes:
            return False
        return all(_COMPARISONS[how](delivery.received_at, at) for how, at in self.received)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDelivery:
    """What is told of a delivery in a list. `sender` is who it came from, with what it could do."""

    id: str
    position: int
    webhook: str
    version: int | None
    outcome: DeliveryOutcome
    received_at: str
    replayed_at: str | None
    delivery_key: str | None
    event: str | None
    error: str | None
    body_bytes: int
    sender: Caller
    namespaces: tuple[str, ...]


def delivery_where(
    webhook: str | None, outcomes: Sequence[str] | None, received: Mapping[str, Any] | None
) -> DeliveryWhere:
    """What a filter of the schema says; `received` has the members of a filter of times."""
    at = {name: value for name, value in (received or {}).items() if value is not None}
    if at.get("isNull"):
        # Every delivery came at some time.
        outcomes = ()
    bounds = {
        "gt": at.get("gt"),
        "gte": max((at[name] for name in ("gte", "eq") if name in at), default=None),
        "lt": at.get("lt"),
        "lte": min((at[name] for name in ("lte", "eq") if name in at), default=None),
    }
    return DeliveryWhere(
        webhook=webhook,
        outcomes=None if outcomes is None else tuple(map(str, outcomes)),
        received=tuple((name, bound) for name, bound in bounds.items() if bound is not None),
    )


@dataclass(frozen=True, slots=True)
class Health:
    """Of the newest deliveries of a webhook: how many, how many of them not wholly handled, and when what was."""

    deliveries: int
    failures: int
    last_delivery_at: str | None
    last_success_at: str | None
    last_error_at: str | None
    last_error: str | None


class History:
    """The deliveries of one database. Every method raises Unavailable when it cannot be read."""

    def __init__(self, database: Database, engine: Engine) -> None:
        compile = database.compile
        self._database = database
        self._engine = engine
        columns = [Delivery.__table__.columns[name] for name in COLUMNS]
        inside = is_inside()
        self._pages = Pages(database, Delivery, columns, inside, conditions())
        ids = bindparam("ids", type_=ListOf(Id()))
        self._namespaces = compile(
            select(DeliveryNamespace.delivery_id, DeliveryNamespace.namespace)
            .where(any_of(DeliveryNamespace.delivery_id, ids))
            .order_by(DeliveryNamespace.delivery_id, DeliveryNamespace.namespace)
        )
        self._counts = compile(select(Delivery.id, list_length(Delivery.items)).where(any_of(Delivery.id, ids)))
        key = Delivery.id == bindparam("id", type_=Id())
        self._items = compile(select(Delivery.items).where(key))
        self._some_items = {by_action: compile(select_items(by_action=by_action)) for by_action in _BOTH}
        self._content = compile(select(Delivery.request, Delivery.body).where(key))
        self._one = {
            True: compile(select(*columns).where(key)),
            False: compile(select(*columns).where(key, inside)),
        }
        self._health = {everywhere: compile(select_health(None if everywhere else inside)) for everywhere in _BOTH}
        self._last_error = {everywhere: compile(select_error(None if everywhere else inside)) for everywhere in _BOTH}
        self._since = {everywhere: compile(select_since(None if everywhere else inside)) for everywhere in _BOTH}

    async def page(
        self, caller: Caller, where: DeliveryWhere, arguments: PageArguments, size: Size | None = None
    ) -> Page[KeptDelivery]:
        """Deliveries, the newest first, without their total. Raises BadRequest; TooLarge and Overloaded by `size`."""
        tell = None if size is None else size.count

        def work() -> Steps[Page[KeptDelivery]]:
            namespaces = caller.namespaces(Permission.MANAGE)
            page = yield from self._pages.page(namespaces, arguments, where.values, counted=False, tell=tell)
            return page.of((yield from self._kept(page.rows, tell)))

        return await self._read(work, size)

    async def count(self, caller: Caller, where: DeliveryWhere) -> int:
        """How many there are."""
        namespaces = caller.namespaces(Permission.MANAGE)
        return await self._read(lambda: self._pages.count(namespaces, where.values), line=caller.line)

    async def one(self, id: str, caller: Caller) -> KeptDelivery | None:
        """The delivery, if there is one for the caller."""
        canonical = parse_id(id)
        if canonical is None:
            return None
        managed = caller.namespaces(Permission.MANAGE)
        values = {**namespace_values(managed), "id": canonical}

        def work() -> Steps[KeptDelivery | None]:
            rows = yield Fetch(self._one[managed.everywhere], values)
            # Also for none: what runs does not tell whether there is a delivery of an id.
            kept = yield from self._kept(rows)
            return kept[0] if kept else None

        return await self._read(work, line=caller.line)

    async def items(self, id: str) -> list[KeptItem]:
        """What came of all items of a delivery that the caller was shown, in order."""
        with timely():
            rows = await self._database.fetch(self._items, {"id": id})
        items: list[KeptItem] = []
        for (text,) in rows:
            with uncollected():
                items = orjson.loads(text)
            await asyncio.sleep(0)
        return items

    async def some_items(
        self, id: str, size: Size, *, after: int, actions: Sequence[str] | None, most: int
    ) -> list[KeptItem]:
        """Of a delivery that the caller was shown the first `most` of its items after the one of that index, in order;
        with `actions` those of which one of these came. Raises TooLarge and Overloaded."""
        values = {"id": id, "after": after, "most": most, "actions": actions and list(actions)}

        def work() -> Steps[list[Row]]:
            return (yield Fetch(self._some_items[actions is not None], values, size.count))

        rows = await self._read(work, size, statements=1)
        return await mapped(lambda row: orjson.loads(row[0]), rows)

    async def counts(self, ids: Sequence[str]) -> dict[str, int]:
        """How many items deliveries have that the caller was shown."""
        with timely():
            rows = await self._database.fetch(self._counts, {"ids": list(ids)})
        return {id: count for id, count in rows}  # noqa: C416

    async def received(self, delivery: KeptDelivery, size: Size | None = None) -> Received | None:
        """What was delivered, unmasked; None when it is no longer kept. Raises TooLarge and Overloaded by `size`."""

        def work() -> Steps[list[Row]]:
            return (yield Fetch(self._content, {"id": delivery.id}, None if size is None else size.count))

        rows = await self._read(work, size, statements=1)
        if not rows or rows[0][0] is None:
            return None
        request, body = rows[0]
        headers, query, content_type = orjson.loads(request)
        return Received(
            id=delivery.id,
            webhook=delivery.webhook,
            version=delivery.version,
            at=delivery.received_at,
            delivery_key=delivery.delivery_key,
            event=delivery.event,
            headers=headers,
            query=query,
            content_type=content_type,
            body=None if body is None else bytes(body),
            body_bytes=delivery.body_bytes,
            refused=delivery.error if delivery.outcome is DeliveryOutcome.REFUSED else None,
        )

    async def shown(self, delivery: KeptDelivery, size: Size) -> Received | None:
        """What was delivered, with what its definition masks; without one nobody knows what to mask.

        Raises TooLarge and Overloaded.
        """
        received = await self.received(delivery, size)
        if received is None:
            return None
        try:
            return await self._engine.masked(received)
        except NoSuchWebhook:
            return replace(received, headers=dict.fromkeys(received.headers, "***"), query={}, body=None)

    async def health(self, webhook: str, since: str, caller: Caller) -> Health:
        """Of the newest deliveries that the caller may see of the webhook that was made at `since`."""
        managed = caller.namespaces(Permission.MANAGE)
        values = {**namespace_values(managed), "webhook": webhook, "since": since}

        def work() -> Steps[Health]:
            ((count, failures, newest, success, error_at),) = yield Fetch(self._health[managed.everywhere], values)
            found = yield Fetch(self._last_error[managed.everywhere], values)
            return Health(count, failures or 0, newest, success, error_at, found[0][0] if found else None)

        return await self._read(work, line=caller.line)

    async def since(self, caller: Caller, after: int, upto: int, count: int) -> list[KeptDelivery]:
        """Deliveries kept or replayed after a position, none after `upto`, in the order of the log."""
        managed = caller.namespaces(Permission.MANAGE)
        values = {**namespace_values(managed), "after": after, "upto": upto, "count": count}

        def work() -> Steps[list[KeptDelivery]]:
            rows = yield Fetch(self._since[managed.everywhere], values)
            return (yield from self._kept(rows))

        return await self._read(work, line=caller.line)

    def _kept(self, rows: Sequence[Row], tell: Count | None = None) -> Steps[list[KeptDelivery]]:
        several: defaultdict[str, list[str]] = defaultdict(list)
        ids = [row[0] for row in rows if row[-1] is None]
        for id, namespace in (yield Fetch(self._namespaces, {"ids": ids}, tell)):
            several[id].append(namespace)
        return [_delivery(row, several) for row in rows]

    async def _read(self, work: Work[T], size: Size | None = None, statements: int = 2, line: str = OWN) -> T:
        with timely():
            if size is None:
                return await self._database.read(work, statements=statements, line=line)
            return await self._database.read(size.counted(work), statements=statements, line=size.line)


_BOTH = (True, False)
_COMPARISONS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


async def results_of(items: Sequence[KeptItem]) -> list[ItemResult]:
    """The results of items, as History has them."""
    return await mapped(_result, items)


def _result(item: KeptItem) -> ItemResult:
    return ItemResult(
        **{
            **item,
            "notices": tuple(item["notices"]),
            "issue_ids": tuple(item["issue_ids"]),
            "fingerprint": tuple((name, value) for name, value in item["fingerprint"]),
        }
    )


def _delivery(row: Row, several: Mapping[str, Sequence[str]]) -> KeptDelivery:
    id, position, webhook, version, outcome, at, replayed_at, key, event, error, size, sender, namespace = row
    kind, actor_id, name, tool, reports = orjson.loads(sender)
    grants = tuple(Grant(Permission.REPORT, each) for each in reports)
    who = Caller(Actor(ActorKind(kind), actor_id, name), grants, tool=tool)
    namespaces = tuple(several[id]) if namespace is None else (namespace,)
    return KeptDelivery(
        id=id,
        position=position,
        webhook=webhook,
        version=version,
        outcome=DeliveryOutcome(outcome),
        received_at=at,
        replayed_at=replayed_at,
        delivery_key=key,
        event=event,
        error=error,
        body_bytes=size,
        sender=who,
        namespaces=namespaces,
    )
