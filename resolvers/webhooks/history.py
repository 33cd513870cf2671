"""Deliveries as those read them who have MANAGE in every namespace that a delivery concerns."""

import asyncio
import operator
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, literal_column, not_, or_, select

from models import Delivery, DeliveryNamespace, Issue
from models.base import Id, Position, Time, Word
from models.database import Database, Fetch, Row, Steps, Work
from models.dialect import ListOf, any_of, list_length
from models.values import parse_id
from resolvers.access.pages import Page, PageArguments, Pages, covered, namespace_values
from resolvers.access.storage import unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.turns import mapped, uncollected
from resolvers.webhooks.engine import Engine, NoSuchWebhook
from resolvers.webhooks.plan import DeliveryOutcome, ItemResult, Received

T = TypeVar("T")
# The members of an ItemResult as JSON: of thousands, objects would take long to make.
KeptItem = Mapping[str, Any]

# Health is that of so many deliveries, the newest.
HEALTH_DELIVERIES = 1_000

ACTIVE: ColumnElement[str] = literal_column("'ACTIVE'")
HANDLED: ColumnElement[str] = literal_column("'HANDLED'")


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
        columns = [Delivery.__table__.columns[name] for name in _COLUMNS]
        inside = _inside()
        self._pages = Pages(database, Delivery, columns, inside, _conditions())
        ids = bindparam("ids", type_=ListOf(Id()))
        self._namespaces = compile(
            select(DeliveryNamespace.delivery_id, DeliveryNamespace.namespace)
            .where(any_of(DeliveryNamespace.delivery_id, ids))
            .order_by(DeliveryNamespace.delivery_id, DeliveryNamespace.namespace)
        )
        self._items = compile(select(Delivery.id, Delivery.items).where(any_of(Delivery.id, ids)))
        self._counts = compile(select(Delivery.id, list_length(Delivery.items)).where(any_of(Delivery.id, ids)))
        key = Delivery.id == bindparam("id", type_=Id())
        self._content = compile(select(Delivery.request, Delivery.body).where(key))
        self._one = {
            True: compile(select(*columns).where(key)),
            False: compile(select(*columns).where(key, inside)),
        }
        read = covered(Issue.namespace)
        active = select(Issue.id).where(
            Issue.fingerprint == bindparam("fingerprint", type_=Word()), Issue.state == ACTIVE
        )
        self._active = {True: compile(active), False: compile(active.where(read))}
        self._health = {everywhere: compile(_select_health(None if everywhere else inside)) for everywhere in _BOTH}
        self._last_error = {everywhere: compile(_select_error(None if everywhere else inside)) for everywhere in _BOTH}
        self._since = {everywhere: compile(_select_since(None if everywhere else inside)) for everywhere in _BOTH}

    async def page(self, caller: Caller, where: DeliveryWhere, arguments: PageArguments) -> Page[KeptDelivery]:
        """Deliveries, the newest first, not counted. Raises BadRequest."""

        def work() -> Steps[Page[KeptDelivery]]:
            namespaces = caller.namespaces(Permission.MANAGE)
            page = yield from self._pages.page(namespaces, arguments, where.values, counted=False)
            return page.of((yield from self._kept(page.rows)))

        return await self._read(work)

    async def count(self, caller: Caller, where: DeliveryWhere) -> int:
        """How many there are."""
        return await self._read(lambda: self._pages.count(caller.namespaces(Permission.MANAGE), where.values))

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

        return await self._read(work)

    async def items(self, ids: Sequence[str]) -> dict[str, list[KeptItem]]:
        """What came of the items of deliveries that the caller was shown."""
        with unavailable_unless("read"):
            rows = await self._database.fetch(self._items, {"ids": list(ids)})
        items: dict[str, list[KeptItem]] = {}
        for id, text in rows:
            with uncollected():
                items[id] = orjson.loads(text)
            await asyncio.sleep(0)
        return items

    async def counts(self, ids: Sequence[str]) -> dict[str, int]:
        """How many items deliveries have that the caller was shown."""
        with unavailable_unless("read"):
            rows = await self._database.fetch(self._counts, {"ids": list(ids)})
        return {id: count for id, count in rows}  # noqa: C416

    async def received(self, delivery: KeptDelivery) -> Received | None:
        """What was delivered, unmasked; None when it is no longer kept."""
        with unavailable_unless("read"):
            rows = await self._database.fetch(self._content, {"id": delivery.id})
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

    async def shown(self, delivery: KeptDelivery) -> Received | None:
        """What was delivered, with what its definition masks; without one nobody knows what to mask."""
        received = await self.received(delivery)
        if received is None:
            return None
        try:
            return await self._engine.masked(received)
        except NoSuchWebhook:
            return replace(received, headers=dict.fromkeys(received.headers, "***"), query={}, body=None)

    async def health(self, webhook: str, caller: Caller) -> Health:
        """Of the webhook's newest deliveries that the caller may see."""
        managed = caller.namespaces(Permission.MANAGE)
        values = {**namespace_values(managed), "webhook": webhook}

        def work() -> Steps[Health]:
            ((count, failures, newest, success, error_at),) = yield Fetch(self._health[managed.everywhere], values)
            found = yield Fetch(self._last_error[managed.everywhere], values)
            return Health(count, failures or 0, newest, success, error_at, found[0][0] if found else None)

        return await self._read(work)

    async def active_issue(self, fingerprint: str, caller: Caller) -> str | None:
        """The id of the issue that a report of this fingerprint would join, if the caller may read it."""
        readable = caller.namespaces(Permission.READ)
        values = {**namespace_values(readable), "fingerprint": fingerprint}
        with unavailable_unless("read"):
            rows = await self._database.fetch(self._active[readable.everywhere], values)
        return rows[0][0] if rows else None

    async def since(self, caller: Caller, after: int, upto: int, count: int) -> list[KeptDelivery]:
        """Deliveries kept or replayed after a position, none after `upto`, in the order of the log."""
        managed = caller.namespaces(Permission.MANAGE)
        values = {**namespace_values(managed), "after": after, "upto": upto, "count": count}

        def work() -> Steps[list[KeptDelivery]]:
            rows = yield Fetch(self._since[managed.everywhere], values)
            return (yield from self._kept(rows))

        return await self._read(work)

    def _kept(self, rows: Sequence[Row]) -> Steps[list[KeptDelivery]]:
        several: defaultdict[str, list[str]] = defaultdict(list)
        for id, namespace in (yield Fetch(self._namespaces, {"ids": [row[0] for row in rows if row[-1] is None]})):
            several[id].append(namespace)
        return [_delivery(row, several) for row in rows]

    async def _read(self, work: Work[T]) -> T:
        with unavailable_unless("read"):
            return await self._database.read(work)


_BOTH = (True, False)
_COMPARISONS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
_COLUMNS = (
    *("id", "position", "webhook", "version", "outcome", "received_at", "replayed_at", "delivery_key", "event"),
    *("error", "body_bytes", "sender", "namespace"),
)


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


def _inside() -> ColumnElement[bool]:
    """Whether all that a delivery concerns is within the namespaces of a caller."""
    of_it = DeliveryNamespace.delivery_id == Delivery.id
    outside = exists().where(of_it, not_(covered(DeliveryNamespace.namespace)))
    return or_(covered(Delivery.namespace), and_(Delivery.namespace.is_(None), not_(outside)))


def _conditions() -> dict[str, ColumnElement[bool]]:
    at = Delivery.received_at
    times = {name: bindparam(f"received_{name}", type_=Time()) for name in ("gt", "gte", "lt", "lte")}
    return {
        "webhook": Delivery.webhook == bindparam("webhook", type_=Word()),
        "outcomes": any_of(Delivery.outcome, bindparam("outcomes", type_=ListOf(Word()))),
        "received_gt": at > times["gt"],
        "received_gte": at >= times["gte"],
        "received_lt": at < times["lt"],
        "received_lte": at <= times["lte"],
    }


def _select_health(inside: ColumnElement[bool] | None) -> Any:
    conditions = [Delivery.webhook == bindparam("webhook", type_=Word()), *([] if inside is None else [inside])]
    newest = (
        select(Delivery.received_at, Delivery.outcome)
        .where(*conditions)
        .order_by(Delivery.id.desc())
        .limit(literal_column(str(HEALTH_DELIVERIES)))
        .subquery()
    )
    at, is_handled = newest.c.received_at, newest.c.outcome == HANDLED
    return select(
        func.count(),
        func.sum(case((is_handled, literal_column("0")), else_=literal_column("1"))),
        func.max(at, type_=Time()),
        func.max(case((is_handled, at)), type_=Time()),
        func.max(case((not_(is_handled), at)), type_=Time()),
    ).select_from(newest)


def _select_error(inside: ColumnElement[bool] | None) -> Any:
    conditions = [Delivery.webhook == bindparam("webhook", type_=Word()), *([] if inside is None else [inside])]
    newest = select(Delivery.error).where(*conditions, Delivery.outcome != HANDLED, Delivery.error.is_not(None))
    return newest.order_by(Delivery.id.desc()).limit(literal_column("1"))


def _select_since(inside: ColumnElement[bool] | None) -> Any:
    after, upto = (bindparam(name, type_=Position) for name in ("after", "upto"))
    columns = [Delivery.__table__.columns[name] for name in _COLUMNS]
    conditions = [Delivery.position > after, Delivery.position <= upto, *([] if inside is None else [inside])]
    statement = select(*columns).where(*conditions).order_by(Delivery.position)
    return statement.limit(bindparam("count", type_=Position))
