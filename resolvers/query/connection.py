"""Pages of a list: keyset cursors, forwards and backwards, of one list or of one list a key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    UnaryExpression,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    select,
)

from models.database import Row, Steps, Values
from models.dialect import ListOf, any_of
from resolvers.errors import BadRequest, Unplannable
from resolvers.query.cursor import Sort, SortValue, beyond, decode, made_cursor, tag_of
from resolvers.query.made import Made, call, constant, each_of, make_object
from resolvers.query.objects import object_of
from resolvers.query.owner import Owner
from resolvers.query.plan import Arguments, Asked, Fetch, Groups, Make, QueryLimits, Run, whole_number
from resolvers.query.selection import Field
from resolvers.query.source import Child, Source, groups_of

# For one edge: a field besides `cursor` and `node`.
MakeEdgeField = Callable[[Source, Field], Made]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is listed. `partition`: the column of the key that a list belongs to, None for a list at the root.

    `owner` says so inside of what is listed as well.
    """

    name: str
    source: Source
    conditions: Sequence[ColumnElement[bool]]
    sorts: Sequence[Sort]
    partition: ColumnElement[Any] | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    count: int
    backward: bool
    after: list[Any] | None
    before: list[Any] | None


# Where the four things that a connection is made of stand in a row: the rows of the page, the total, and whether there
# is something on the other side of `after` and of `before`.
_ROWS, _TOTAL, _BEFORE_PAGE, _BEHIND_PAGE = range(4)
_NOTHING: Mapping[Any, Any] = {}
_Places = Sequence[int | None]


def page_of(arguments: Arguments, tag: str, sorts: Sequence[SortValue], limits: QueryLimits) -> Page:
    """From first, after, last and before. Raises BadRequest."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadRequest("first and last cannot be given together")
    name, count = ("last", last) if last is not None else ("first", first)
    cursors = (arguments.get("after"), arguments.get("before"))
    after, before = (
        None if text is None else decode(argument, text, tag, sorts)
        for argument, text in zip(("after", "before"), cursors, strict=True)
    )
    size = limits.default_page if count is None else whole_number(name, count, 1, limits.page)
    return Page(size, last is not None, after, before)


def connection(
    field: Field,
    listing: Listing,
    make_node: Callable[[Source, Sequence[Field]], Made],
    edge_fields: Mapping[str, MakeEdgeField] | None = None,
) -> Fetch:
    """Fetches the page that a field's arguments ask for, for each key (at the root the only key is None)."""
    return _Connection(field, listing, make_node, edge_fields or {}).fetched()


def connection_below(
    source: Source,
    key: ColumnElement[Any],
    field: Field,
    listing: Listing,
    make_node: Callable[[Source, Sequence[Field]], Made],
    edge_fields: Mapping[str, MakeEdgeField] | None = None,
) -> Made:
    """The page of the list that belongs to the key in a row: within the row's own statement where that can be."""
    page = _Connection(field, listing, make_node, edge_fields or {})
    if source.takes_in(listing.source):
        return page.nested(source, key)
    return source.child(key, page.fetched())


class _Connection:
    """One connection under construction; what is made of it keeps nothing of that (it would be most of a plan)."""

    def __init__(
        self,
        field: Field,
        listing: Listing,
        make_node: Callable[[Source, Sequence[Field]], Made],
        edge_fields: Mapping[str, MakeEdgeField],
    ) -> None:
        build = listing.source.build
        self._build, self._listing = build, listing
        self._make_node, self._edge_fields = make_node, edge_fields
        # Before the selection joins what only the page needs.
        self._tables = listing.source.tables
        self._limit = build.parameter("limit", BigInteger())
        self._after = [build.name("after") for _ in listing.sorts]
        self._before = [build.name("before") for _ in listing.sorts]
        self._tag = tag_of(listing.name, listing.sorts)
        page = self._bind(field)
        self._backward = page.backward
        self._has_after, self._has_before = page.after is not None, page.before is not None
        self._wants_rows = self._wants_total = self._wants_next = self._wants_previous = False
        # What there is of a part is known when all fields have been looked at.
        self._entries = [(each.key, self._make(each)) for each in field.fields()]

    def _bind(self, field: Field) -> Page:
        build, tag, sorts = self._build, self._tag, [sort.value for sort in self._listing.sorts]
        limits, limit, after, before = build.setting.limits, self._limit.key, self._after, self._before

        def bound(arguments: Arguments) -> dict[str, Any]:
            page = page_of(arguments, tag, sorts, limits)
            values: dict[str, Any] = {limit: page.count + 1}
            values.update(zip(after, page.after or (), strict=False))
            values.update(zip(before, page.before or (), strict=False))
            return values

        build.bind(field, ("first", "after", "last", "before"), bound)
        return page_of(field.arguments(), tag, sorts, limits)

    # What is made of it: each takes the places of the parts and gives an expression

    def _made(self, places: _Places) -> Made:
        return make_object([(key, make(places)) for key, make in self._entries])

    def _make(self, field: Field) -> Callable[[_Places], Made]:
        match field.name:
            case "__typename":
                return lambda places: constant(field.parent)
            case "edges" | "nodes":
                self._wants_rows = True
                made = self._make_edge(field) if field.name == "edges" else self._node(field)
                return lambda places: each_of(self._shown(places), made)
            case "pageInfo":
                return self._make_page_info(field)
            case "totalCount":
                self._wants_total = True
                return lambda places: Made(f"row[{places[_TOTAL]}]")
            case "position":
                self._build.want_position()
                return lambda places: Made("run.position")
        raise Unplannable(f"{field.parent}.{field.name} cannot be planned")

    def _shown(self, places: _Places) -> str:
        """The rows of the page in the order of the list, as text; one more may have been fetched."""
        rows = f"row[{places[_ROWS]}][: {self._count}]"
        return f"{rows}[::-1]" if self._backward else rows

    @property
    def _count(self) -> str:
        return f"(run.values[{self._limit.key!r}] - 1)"

    def _node(self, field: Field) -> Made:
        return self._make_node(self._listing.source, field.fields())

    def _make_edge(self, field: Field) -> Made:
        def make(each: Field) -> Made:
            match each.name:
                case "cursor":
                    return self._cursor()
                case "node":
                    return self._node(each)
            return self._edge_fields[each.name](self._listing.source, each)

        return object_of(field.fields(), make)

    def _cursor(self) -> Made:
        places = [self._listing.source.column(sort.expression) for sort in self._listing.sorts]
        return made_cursor(self._tag, places)

    def _make_page_info(self, field: Field) -> Callable[[_Places], Made]:
        self._wants_rows = True
        cursor = self._cursor().compiled()
        entries: list[tuple[str, Callable[[_Places], Made]]] = []
        for each in field.fields():
            match each.name:
                case "__typename":
                    entries.append((each.key, lambda places: constant("PageInfo")))
                case "hasNextPage":
                    self._wants_next = True
                    entries.append((each.key, lambda places: self._is_more(places, forward=True)))
                case "hasPreviousPage":
                    self._wants_previous = True
                    entries.append((each.key, lambda places: self._is_more(places, forward=False)))
                case "startCursor":
                    entries.append((each.key, lambda places: call(_of_first(cursor), self._shown(places), "run")))
                case "endCursor":
                    entries.append((each.key, lambda places: call(_of_last(cursor), self._shown(places), "run")))
        return lambda places: make_object([(key, make(places)) for key, make in entries])

    def _is_more(self, places: _Places, *, forward: bool) -> Made:
        """Whether there are rows after the page, or before it."""
        parts = []
        beyond_cursor = places[_BEHIND_PAGE if forward else _BEFORE_PAGE]
        if beyond_cursor is not None:
            parts.append(f"bool(row[{beyond_cursor}])")
        if forward != self._backward:
            parts.append(f"len(row[{places[_ROWS]}]) > {self._count}")
        return Made(f"({' or '.join(parts) or False})")

    # Statements

    def _owned(self, belongs: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> ColumnElement[bool]:
        """Whether a row belongs to the key, of which `belongs` tells for the column that has it."""
        listing = self._listing
        assert listing.partition is not None
        if listing.owner is not None:
            listing.owner.belongs = belongs
        return belongs(listing.partition)

    def _conditions(self, owned: ColumnElement[bool] | None) -> list[ColumnElement[bool]]:
        return [*self._listing.conditions, *([] if owned is None else [owned])]

    def _page(self, owned: ColumnElement[bool] | None) -> Select[Any]:
        """The rows of the page and one more, from the side that it was asked for."""
        listing = self._listing
        conditions = self._conditions(owned)
        if self._has_after:
            conditions.append(beyond(listing.sorts, self._after, backward=False))
        if self._has_before:
            conditions.append(beyond(listing.sorts, self._before, backward=True))
        return listing.source.select(*conditions)

    @property
    def _order(self) -> list[UnaryExpression[Any]]:
        return [sort.clause(backward=self._backward) for sort in self._listing.sorts]

    def _counted(self, owned: ColumnElement[bool] | None, *columns: ColumnElement[Any]) -> Select[Any]:
        counted: Select[Any] = select(*columns, func.count())
        return counted.select_from(self._tables).where(and_(True, *self._conditions(owned)))

    def _around(
        self, owned: ColumnElement[bool] | None, column: ColumnElement[Any], *, backward: bool
    ) -> Select[Any] | None:
        """Whether there are rows on the other side of a cursor, the row of the cursor itself included.

        None where nobody asks, or nothing can be there.
        """
        given, asked = (self._has_before, self._wants_next) if backward else (self._has_after, self._wants_previous)
        if not (given and asked):
            return None
        names = self._before if backward else self._after
        there = not_(beyond(self._listing.sorts, names, backward=backward))
        found: Select[Any] = select(column)
        return found.select_from(self._tables).where(and_(True, *self._conditions(owned), there))

    # In the statement of the rows that it is below

    def nested(self, source: Source, key: ColumnElement[Any]) -> Made:
        """As columns of these rows, for the key in each."""
        owned = self._owned(lambda column: column == key)
        places: list[int | None] = [None] * 4
        if self._wants_rows:
            places[_ROWS] = source.nested(
                self._listing.source, self._page(owned).order_by(*self._order).limit(self._limit), key
            )
        if self._wants_total:
            places[_TOTAL] = source.column(self._counted(owned).correlate(key.table).scalar_subquery())
        for place, backward in ((_BEFORE_PAGE, False), (_BEHIND_PAGE, True)):
            around = self._around(owned, literal_column("1"), backward=backward)
            if around is not None:
                places[place] = source.column(around.correlate(key.table).exists())
        return self._made(places)

    # In statements of its own

    def fetched(self) -> Fetch:
        """By keys, or at the root."""
        build, partition = self._build, self._listing.partition
        ask = build.ask_first if partition is None else build.compile
        ask_page = partial(build.ask_first, are_many=True) if partition is None else build.compile
        keys = build.name("keys")
        owned = None
        if partition is not None:
            parameter = bindparam(keys, type_=ListOf(partition.type))
            owned = self._owned(lambda column: any_of(column, parameter))
        page, partition_place = self._keyed_page(owned) if self._wants_rows else (None, None)
        count = None
        if self._wants_total:
            count = self._counted(owned) if partition is None else self._counted(owned, partition).group_by(partition)
        arounds: list[Asked | None] = []
        for backward in (False, True):
            column = literal_column("1") if partition is None else partition
            around = self._around(owned, column, backward=backward)
            if around is not None:
                arounds.append(ask(around.limit(1) if partition is None else around.distinct()))
            else:
                arounds.append(None)
        return _Fetched(
            keys=None if partition is None else keys,
            limit=self._limit.key,
            page=None if page is None else ask_page(page),
            partition_place=partition_place,
            children=self._listing.source.children,
            count=None if count is None else ask(count),
            before_page=arounds[0],
            behind_page=arounds[1],
            make=self._made(range(4)).compiled(),
        ).fetch

    def _keyed_page(self, owned: ColumnElement[bool] | None) -> tuple[Select[Any], int | None]:
        """The page, of each key if there are keys; and where the key stands."""
        listing, source = self._listing, self._listing.source
        if listing.partition is None:
            return self._page(owned).order_by(*self._order).limit(self._limit), None
        partition_place = source.column(listing.partition)
        place = func.row_number().over(partition_by=listing.partition, order_by=self._order).label("place")
        labelled = [column.label(f"c{number}") for number, column in enumerate(source.columns)]
        ranked = self._page(owned).with_only_columns(*labelled, place).subquery("ranked")
        columns = [ranked.c[f"c{number}"] for number in range(len(labelled))]
        rows = select(*columns).where(ranked.c.place <= self._limit)
        return rows.order_by(columns[partition_place], ranked.c.place), partition_place


def _of_first(cursor: Make) -> Callable[[Sequence[Row], Run], str | None]:
    return lambda rows, run: cursor(rows[0], (), run) if rows else None


def _of_last(cursor: Make) -> Callable[[Sequence[Row], Run], str | None]:
    return lambda rows, run: cursor(rows[-1], (), run) if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    """A connection in motion: its statements, and what is made of a row of the four parts."""

    keys: str | None
    limit: str
    page: Asked | None
    partition_place: int | None
    children: Sequence[Child]
    count: Asked | None
    before_page: Asked | None
    behind_page: Asked | None
    make: Make

    def fetch(self, run: Run, keys: list[Any]) -> Steps[dict[Any, Any]]:
        """The page of each key."""
        values = {} if self.keys is None else {self.keys: keys}
        rows_of: dict[Any, list[Row]] = {key: [] for key in keys}
        groups: Groups = ()
        if self.page is not None:
            rows = yield from run.fetch(self.page, values)
            if self.partition_place is None:
                rows_of[None] = list(rows)
            else:
                for row in rows:
                    rows_of[row[self.partition_place]].append(row)
            if self.children:
                count = run.values[self.limit] - 1
                shown = [row for found in rows_of.values() for row in found[:count]]
                groups = yield from groups_of(run, self.children, shown)
        totals, before_page, behind_page = _NOTHING, _NOTHING, _NOTHING
        if self.count is not None:
            totals = yield from self._by_key(run, self.count, values)
        if self.before_page is not None:
            before_page = yield from self._by_key(run, self.before_page, values)
        if self.behind_page is not None:
            behind_page = yield from self._by_key(run, self.behind_page, values)
        return {
            key: self.make((rows_of[key], totals.get(key, 0), before_page.get(key), behind_page.get(key)), groups, run)
            for key in keys
        }

    def _by_key(self, run: Run, asked: Asked, values: Values) -> Steps[Mapping[Any, Any]]:
        rows = yield from run.fetch(asked, values)
        if self.keys is None:
            return {None: rows[0][0]} if rows else {}
        return {row[0]: row[-1] for row in rows}
