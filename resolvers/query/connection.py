"""Pages of a list: keyset cursors, forwards and backwards, of one list or of one list a key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, func, literal_column, not_, select

from models.database import Row, Statement, Steps
from models.dialect import ListOf, any_of
from resolvers.errors import BadRequest, Unplannable
from resolvers.query.cursor import Sort, SortValue, beyond, decode, encode, tag_of
from resolvers.query.plan import Arguments, Fetch, Groups, Make, QueryLimits, Run, whole_number
from resolvers.query.selection import Field
from resolvers.query.source import Child, Source, constant, groups_of

# For one edge: a field besides `cursor` and `node`.
MakeEdgeField = Callable[[Source, Field], Make]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is listed. `partition`: the column of the key that a list belongs to, None for a list at the root."""

    name: str
    source: Source
    conditions: Sequence[ColumnElement[bool]]
    sorts: Sequence[Sort]
    partition: ColumnElement[Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    count: int
    backward: bool
    after: list[Any] | None
    before: list[Any] | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one page, in the order of the list, and what was found around them."""

    rows: Sequence[Row]
    groups: Groups
    has_next: bool
    has_previous: bool
    total: int
    position: str


_MakePart = Callable[[_Part], Any]


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
    make_node: Callable[[Source, Sequence[Field]], Make],
    edge_fields: Mapping[str, MakeEdgeField] | None = None,
) -> Fetch:
    """Fetches the page that a field's arguments ask for, for each key (at the root the only key is None)."""
    return _Connection(field, listing, make_node, edge_fields or {}).fetch


class _Connection:
    def __init__(
        self,
        field: Field,
        listing: Listing,
        make_node: Callable[[Source, Sequence[Field]], Make],
        edge_fields: Mapping[str, MakeEdgeField],
    ) -> None:
        build = listing.source.build
        self._build, self._listing = build, listing
        self._tag = tag_of(listing.name, listing.sorts)
        self._sort_values = [sort.value for sort in listing.sorts]
        self._limits = build.setting.limits
        self._has_keys = listing.partition is not None
        # Before the selection joins what only the page needs.
        self._tables = listing.source.tables
        self._keys = build.name("keys")
        self._limit = build.parameter("limit", BigInteger())
        self._after = [build.name("after") for _ in listing.sorts]
        self._before = [build.name("before") for _ in listing.sorts]
        build.bind(field, self._bound)
        page = self._page_of(field.arguments())
        self._backward = page.backward
        self._has_after, self._has_before = page.after is not None, page.before is not None
        self._make_node, self._edge_fields = make_node, edge_fields
        self._wants_rows = self._wants_total = self._wants_next = self._wants_previous = False
        self._entries = [(each.key, self._make(each)) for each in field.fields()]
        self._children: Sequence[Child] = ()
        self._page: Statement | None = self._compile_page() if self._wants_rows else None
        self._count = self._compile_count() if self._wants_total else None
        # What lies beyond a cursor that was given; the other side of the page is known by one row too many.
        self._around_after = self._compile_around(self._after, backward=False) if self._asks_before_page else None
        self._around_before = self._compile_around(self._before, backward=True) if self._asks_behind_page else None
        # What the statements were made of takes ten times the memory of all that runs, and plans are kept.
        del self._build, self._listing, self._tables, self._make_node, self._edge_fields

    @property
    def _asks_before_page(self) -> bool:
        return self._wants_previous and self._has_after

    @property
    def _asks_behind_page(self) -> bool:
        return self._wants_next and self._has_before

    def _page_of(self, arguments: Arguments) -> Page:
        return page_of(arguments, self._tag, self._sort_values, self._limits)

    def _bound(self, arguments: Arguments) -> dict[str, Any]:
        page = self._page_of(arguments)
        values: dict[str, Any] = {self._limit.key: page.count + 1}
        values.update(zip(self._after, page.after or (), strict=False))
        values.update(zip(self._before, page.before or (), strict=False))
        return values

    # What is made of a part

    def _make(self, field: Field) -> _MakePart:
        match field.name:
            case "__typename":
                return lambda part: field.parent
            case "edges" | "nodes":
                self._wants_rows = True
                make = self._make_edge(field) if field.name == "edges" else self._node(field)
                return lambda part: [make(row, part.groups) for row in part.rows]
            case "pageInfo":
                return self._make_page_info(field)
            case "totalCount":
                self._wants_total = True
                return lambda part: part.total
            case "position":
                self._build.needs_position = True
                return lambda part: part.position
        raise Unplannable(f"{field.parent}.{field.name} cannot be planned")

    def _node(self, field: Field) -> Make:
        return self._make_node(self._listing.source, field.fields())

    def _make_edge(self, field: Field) -> Make:
        entries: list[tuple[str, Make]] = []
        for each in field.fields():
            if each.name == "__typename":
                entries.append((each.key, constant(each.parent)))
            elif each.name == "cursor":
                entries.append((each.key, self._make_cursor()))
            elif each.name == "node":
                entries.append((each.key, self._node(each)))
            else:
                entries.append((each.key, self._edge_fields[each.name](self._listing.source, each)))
        return lambda row, groups: {key: make(row, groups) for key, make in entries}

    def _make_cursor(self) -> Make:
        places = [self._listing.source.column(sort.expression) for sort in self._listing.sorts]
        tag = self._tag
        return lambda row, groups: encode(tag, [row[place] for place in places])

    def _make_page_info(self, field: Field) -> _MakePart:
        self._wants_rows = True
        cursor = self._make_cursor()
        entries: list[tuple[str, _MakePart]] = []
        for each in field.fields():
            match each.name:
                case "__typename":
                    entries.append((each.key, lambda part: "PageInfo"))
                case "hasNextPage":
                    self._wants_next = True
                    entries.append((each.key, lambda part: part.has_next))
                case "hasPreviousPage":
                    self._wants_previous = True
                    entries.append((each.key, lambda part: part.has_previous))
                case "startCursor":
                    entries.append((each.key, lambda part: cursor(part.rows[0], part.groups) if part.rows else None))
                case "endCursor":
                    entries.append((each.key, lambda part: cursor(part.rows[-1], part.groups) if part.rows else None))
        return lambda part: {key: make(part) for key, make in entries}

    # Statements

    def _conditions(self) -> list[ColumnElement[bool]]:
        found = list(self._listing.conditions)
        partition = self._listing.partition
        if partition is not None:
            found.append(any_of(partition, bindparam(self._keys, type_=ListOf(partition.type))))
        return found

    def _compile_page(self) -> Statement:
        listing, source, build = self._listing, self._listing.source, self._build
        conditions = self._conditions()
        if self._has_after:
            conditions.append(beyond(listing.sorts, self._after, backward=False))
        if self._has_before:
            conditions.append(beyond(listing.sorts, self._before, backward=True))
        order = [sort.clause(backward=self._backward) for sort in listing.sorts]
        self._children = source.children
        if listing.partition is None:
            return build.compile(source.select(*conditions).order_by(*order).limit(self._limit))
        self._partition_place = source.column(listing.partition)
        place = func.row_number().over(partition_by=listing.partition, order_by=order).label("place")
        labelled = [column.label(f"c{number}") for number, column in enumerate(source.columns)]
        ranked = select(*labelled, place).select_from(source.tables).where(and_(True, *conditions)).subquery("ranked")
        columns = [ranked.c[f"c{number}"] for number in range(len(labelled))]
        return build.compile(
            select(*columns)
            .where(ranked.c.place <= self._limit)
            .order_by(ranked.c[f"c{self._partition_place}"], ranked.c.place)
        )

    def _compile_count(self) -> Statement:
        partition = self._listing.partition
        counted: Select[Any] = select(*([] if partition is None else [partition]), func.count())
        counted = counted.select_from(self._tables).where(and_(True, *self._conditions()))
        return self._build.compile(counted if partition is None else counted.group_by(partition))

    def _compile_around(self, names: Sequence[str], *, backward: bool) -> Statement:
        """Whether there are rows on the other side of a cursor, the row of the cursor itself included."""
        partition = self._listing.partition
        there = not_(beyond(self._listing.sorts, names, backward=backward))
        found: Select[Any] = select(literal_column("1") if partition is None else partition)
        found = found.select_from(self._tables).where(and_(True, *self._conditions(), there))
        return self._build.compile(found.limit(1) if partition is None else found.distinct())

    # In motion

    def fetch(self, run: Run, keys: list[Any]) -> Steps[dict[Any, Any]]:
        """The page of each key."""
        values = {self._keys: keys} if self._has_keys else {}
        rows_of: dict[Any, list[Row]] = {key: [] for key in keys}
        groups: Groups = ()
        if self._page:
            rows = yield from run.fetch(self._page, values)
            for row in rows:
                rows_of[row[self._partition_place] if self._has_keys else None].append(row)
            count = run.values[self._limit.key] - 1
            shown = [row for found in rows_of.values() for row in found[:count]]
            groups = yield from groups_of(run, self._children, shown)
        totals = yield from self._by_key(run, self._count, values, 0)
        before_page = yield from self._by_key(run, self._around_after, values, False)
        behind_page = yield from self._by_key(run, self._around_before, values, False)
        return {
            key: self._complete(
                run, rows_of[key], groups, totals.get(key, 0), before_page.get(key, False), behind_page.get(key, False)
            )
            for key in keys
        }

    def _by_key(self, run: Run, statement: Statement | None, values: Any, nothing: Any) -> Steps[dict[Any, Any]]:
        if statement is None:
            return {}
        rows = yield from run.fetch(statement, values)
        if not self._has_keys:
            return {None: rows[0][0] if rows else nothing}
        return {row[0]: row[1] if len(row) > 1 else True for row in rows}

    def _complete(
        self, run: Run, rows: list[Row], groups: Groups, total: int, before_page: Any, behind_page: Any
    ) -> dict[str, Any]:
        more = False
        if self._page:
            count = run.values[self._limit.key] - 1
            more = len(rows) > count
            rows = rows[:count]
            if self._backward:
                rows.reverse()
        part = _Part(
            rows,
            groups,
            has_next=bool(behind_page) or (more and not self._backward),
            has_previous=bool(before_page) or (more and self._backward),
            total=total,
            position=run.position,
        )
        return {key: make(part) for key, make in self._entries}
