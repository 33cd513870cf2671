"""Pages of what administrators list, the newest first: by id, which grows with time."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from models.base import Base, Id, Position, Word
from models.database import NO_VALUES, Count, Database, Fetch, Row, Statement, Steps
from models.dialect import ListOf, any_of, has_prefix_of
from models.values import parse_id
from resolvers.caller import Namespaces
from resolvers.errors import BadRequest

T = TypeVar("T")
Other = TypeVar("Other")

DEFAULT_SIZE = 50
MAX_SIZE = 100
NO_CONDITIONS: Mapping[str, ColumnElement[bool]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PageArguments:
    """As the fields have them; None is not given."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the rows, in order, and how many there are in all."""

    rows: Sequence[T]
    total: int
    has_next: bool
    has_previous: bool

    def of(self, rows: Sequence[Other]) -> "Page[Other]":
        """The same page of what its rows stand for."""
        return Page(rows, self.total, self.has_next, self.has_previous)


def cursor_of(id: str) -> str:
    """The cursor of a row."""
    return base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


class Pages:
    """The pages of a table. `inside`: which rows are for a caller who has not the right everywhere; see `covered`.

    `conditions` narrow it; each is named as the value that it is given.
    """

    def __init__(
        self,
        database: Database,
        model: type[Base],
        columns: Iterable[ColumnElement[Any]],
        inside: ColumnElement[bool],
        conditions: Mapping[str, ColumnElement[bool]] = NO_CONDITIONS,
    ) -> None:
        self._database = database
        self._id: ColumnElement[str] = model.__table__.columns["id"]
        self._rows = select(*columns)
        self._count = select(func.count()).select_from(model)
        self._inside = inside
        self._conditions = conditions
        self._compiled: dict[object, Statement] = {}

    def page(
        self,
        namespaces: Namespaces,
        arguments: PageArguments,
        narrowed: Mapping[str, Any] = NO_VALUES,
        *,
        counted: bool = True,
        tell: Count | None = None,
    ) -> Steps[Page[Row]]:
        """The steps of one page, `narrowed` by values of conditions; `total` is 0 unless it is `counted`,
        and the bytes of the rows are for `tell`.

        Raises BadRequest.
        """
        if arguments.first is not None and arguments.last is not None:
            raise BadRequest("first and last cannot be given together")
        backward = arguments.last is not None
        size = size_of("last" if backward else "first", arguments.last if backward else arguments.first)
        values: dict[str, Any] = {**namespace_values(namespaces), **narrowed, "size": size + 1}
        ends = [(name, value) for name in ("after", "before") if (value := getattr(arguments, name)) is not None]
        values.update({name: _id_in(name, value) for name, value in ends})
        given = dict(ends)
        names = tuple(narrowed)
        rows = self._statement(self._rows, namespaces.everywhere, names, *given, "last" if backward else "first")
        found = yield Fetch(rows, values, tell)
        total = (yield from self.count(namespaces, narrowed)) if counted else 0
        more, shown = len(found) > size, found[:size]
        if backward:
            return Page([*reversed(shown)], total, has_next="before" in given, has_previous=more)
        return Page(shown, total, has_next=more, has_previous="after" in given)

    def count(self, namespaces: Namespaces, narrowed: Mapping[str, Any] = NO_VALUES) -> Steps[int]:
        """The steps of counting all."""
        statement = self._statement(self._count, namespaces.everywhere, tuple(narrowed))
        ((total,),) = yield Fetch(statement, {**namespace_values(namespaces), **narrowed})
        return int(total)

    def _statement(self, rows: Select[Any], everywhere: bool, conditions: tuple[str, ...], *bounds: str) -> Statement:
        """With the bounds among after and before, and in the order and size of first or last."""
        key = (rows is self._count, everywhere, conditions, bounds)
        if key not in self._compiled:
            if not everywhere:
                rows = rows.where(self._inside)
            rows = rows.where(*(self._conditions[name] for name in conditions))
            if "after" in bounds:
                rows = rows.where(self._id < bindparam("after", type_=Id()))
            if "before" in bounds:
                rows = rows.where(self._id > bindparam("before", type_=Id()))
            if bounds:
                rows = rows.order_by(self._id.asc() if "last" in bounds else self._id.desc())
                rows = rows.limit(bindparam("size", type_=Position))
            self._compiled[key] = self._database.compile(rows)
        return self._compiled[key]


def covered(
    pattern: ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
) -> ColumnElement[bool]:
    """Whether all that a name or a pattern stands for is within the namespaces of `namespace_values`.

    A pattern is a text that begins with what its names begin with, so names and patterns are compared alike.
    """
    names = bindparam("granted_names", type_=ListOf(Word()))
    prefixes = bindparam("granted_prefixes", type_=ListOf(Word()))
    return or_(any_of(pattern, names), has_prefix_of(pattern, prefixes))


def namespace_values(namespaces: Namespaces) -> dict[str, Any]:
    """The values behind `covered`."""
    return {"granted_names": list(namespaces.names), "granted_prefixes": list(namespaces.prefixes)}


def size_of(name: str, given: int | None) -> int:
    """How many are asked for. Raises BadRequest; `name` is what it was given as."""
    if given is None:
        return DEFAULT_SIZE
    if not 1 <= given <= MAX_SIZE:
        raise BadRequest(f"{name} must be between 1 and {MAX_SIZE}")
    return given


def check_cursor(name: str, cursor: str) -> None:
    """Raises BadRequest for one that is none; `name` is what it was given as."""
    _id_in(name, cursor)


def _id_in(name: str, cursor: str) -> str:
    try:
        id = parse_id(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode())
    except (ValueError, binascii.Error):
        id = None
    if id is None:
        raise BadRequest(f"{name} is not a cursor of this list")
    return id
