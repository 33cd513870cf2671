"""The statements of deliveries that are kept: pages of them, their items, how a webhook does."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from models import Delivery, DeliveryNamespace
from models.base import Id, LongWord, Position, Time, Word
from models.dialect import ListOf, any_of, json_integer, json_member, json_members
from resolvers.access.pages import covered

# Health is that of so many deliveries, the newest.
HEALTH_DELIVERIES = 1_000

HANDLED: ColumnElement[str] = literal_column("'HANDLED'")
COLUMNS = (
    *("id", "position", "webhook", "version", "outcome", "received_at", "replayed_at", "delivery_key", "event"),
    *("error", "body_bytes", "sender", "namespace"),
)


def is_inside() -> ColumnElement[bool]:
    """Whether all that a delivery concerns is within the namespaces of a caller."""
    of_it = DeliveryNamespace.delivery_id == Delivery.id
    outside = exists().where(of_it, not_(covered(DeliveryNamespace.namespace)))
    return or_(covered(Delivery.namespace), and_(Delivery.namespace.is_(None), not_(outside)))


def conditions() -> dict[str, ColumnElement[bool]]:
    """What narrows a list of deliveries, by the names of DeliveryWhere.values."""
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


def select_items(*, by_action: bool) -> Any:
    """Of one delivery, each as JSON: `most` of its items after an index, in order, `by_action` those of `actions`."""
    item = json_members(Delivery.items).table_valued(column("value", LongWord())).alias("item")
    index = json_integer(item.c.value, literal_column("'index'"))
    action = json_member(item.c.value, literal_column("'action'"))
    narrowed = [
        Delivery.id == bindparam("id", type_=Id()),
        index > bindparam("after", type_=Position),
        *([any_of(action, bindparam("actions", type_=ListOf(Word())))] if by_action else []),
    ]
    statement = select(item.c.value).select_from(Delivery, item).where(*narrowed).order_by(index)
    return statement.limit(bindparam("most", type_=Position))


def _of_webhook(inside: ColumnElement[bool] | None) -> list[ColumnElement[bool]]:
    """Those that are `inside`, but for those of another webhook of its name, which is gone."""
    is_its = Delivery.webhook == bindparam("webhook", type_=Word())
    return [is_its, Delivery.received_at >= bindparam("since", type_=Time()), *([] if inside is None else [inside])]


def select_health(inside: ColumnElement[bool] | None) -> Any:
    """The members of Health but for the last error, of deliveries that are `inside`."""
    narrowed = _of_webhook(inside)
    newest = (
        select(Delivery.received_at, Delivery.outcome)
        .where(*narrowed)
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


def select_error(inside: ColumnElement[bool] | None) -> Any:
    """The newest error of a webhook."""
    narrowed = _of_webhook(inside)
    newest = select(Delivery.error).where(*narrowed, Delivery.outcome != HANDLED, Delivery.error.is_not(None))
    return newest.order_by(Delivery.id.desc()).limit(literal_column("1"))


def select_since(inside: ColumnElement[bool] | None) -> Any:
    """Deliveries after a position, in the order of the log."""
    after, upto = (bindparam(name, type_=Position) for name in ("after", "upto"))
    columns = [Delivery.__table__.columns[name] for name in COLUMNS]
    narrowed = [Delivery.position > after, Delivery.position <= upto, *([] if inside is None else [inside])]
    statement = select(*columns).where(*narrowed).order_by(Delivery.position)
    return statement.limit(bindparam("count", type_=Position))
