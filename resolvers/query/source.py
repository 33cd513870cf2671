"""One statement under construction: the tables it joins, its columns, and what is fetched by the keys in its rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError
from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, literal_column, select

from models.base import Base
from models.database import Row, Steps
from models.dialect import ListOf, any_of
from models.shown import can_be_records, records, shown
from resolvers.query.made import Made, each_of, of_group
from resolvers.query.plan import Asked, Build, Fetch, Groups, Make, Run

# SQLite joins 64 tables at most.
MAX_JOINS = 60


@dataclass(frozen=True, slots=True)
class Child:
    """What is fetched for the keys in one column."""

    key: int
    fetch: Fetch


@dataclass(slots=True)
class Source:
    """Columns are added while the selection is walked; the statement is made when all are known."""

    build: Build
    table: FromClause
    tables: FromClause = field(init=False)
    columns: list[ColumnElement[Any]] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    # Of rows within these rows.
    levels: int = 0
    _joined: dict[tuple[FromClause, str], FromClause] = field(default_factory=dict)
    _outer: set[FromClause] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.tables = self.table

    def column(self, expression: ColumnElement[Any]) -> int:
        """Where the expression stands in the rows; the same one is selected once."""
        for place, known in enumerate(self.columns):
            if known is expression:
                return place
        self.columns.append(expression)
        return len(self.columns) - 1

    def join(
        self,
        base: FromClause,
        name: str,
        model: type[Base],
        on: Callable[[FromClause], ColumnElement[bool]],
        *,
        outer: bool = False,
    ) -> FromClause:
        """The model's table, joined to `base` once for each `name`; `outer`: where it has a row."""
        key = (base, name)
        if key not in self._joined:
            if len(self._joined) >= MAX_JOINS:
                message = "too many objects of one row are selected: ask for fewer that lie within each other"
                raise GraphQLError(message, extensions={"code": "TOO_COMPLEX"})
            joined = self.build.alias(model, model.__tablename__)
            # What hangs on a table without a row has none either, and must not take the row away.
            outer = outer or base in self._outer
            self.tables = self.tables.join(joined, on(joined), isouter=outer)
            self._joined[key] = joined
            if outer:
                self._outer.add(joined)
        return self._joined[key]

    def child(self, key: ColumnElement[Any], fetch: Fetch, default: Any = None) -> Made:
        """What a fetch has for the key in a column."""
        place = self.column(key)
        self.children.append(Child(place, fetch))
        self.build.shares = True
        return of_group(len(self.children) - 1, place, default)

    def takes_in(self, below: "Source") -> bool:
        """Whether the rows of `below` can come as a column of these: nothing more is to be fetched for them."""
        name = self.build.setting.database.name
        return not below.children and can_be_records(name, len(below.columns), below.levels + 1)

    def nested(self, below: "Source", rows: Select[Any], key: ColumnElement[Any]) -> int:
        """Where the rows of a select of `below` stand in each of these rows; it names their column `key`."""
        self.levels = max(self.levels, below.levels + 1)
        return self.column(records(self.build.setting.database.name, rows.correlate(key.table)))

    def select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        """The columns, so far, as the JSON shows them, of the rows for which the conditions hold."""
        name = self.build.setting.database.name
        # Where only `__typename` is wanted there is none, and SQLite cannot select nothing.
        columns = [shown(name, column) for column in self.columns] or [literal_column("1")]
        return select(*columns).select_from(self.tables).where(and_(True, *conditions))


def groups_of(run: Run, children: Sequence[Child], rows: Sequence[Row]) -> Steps[Groups]:
    """What the children have for these rows: one fetch each, however many rows there are."""
    groups = []
    for child in children:
        keys = list(dict.fromkeys(row[child.key] for row in rows if row[child.key] is not None))
        groups.append((yield from child.fetch(run, keys)) if keys else {})
    return groups


@dataclass(frozen=True, slots=True)
class Keyed:
    """A statement whose rows belong to keys: `keys` names the parameter, the key is in column `key_place`."""

    statement: Asked
    keys: str
    key_place: int
    children: Sequence[Child]
    make: Make

    def lists(self, run: Run, keys: list[Any]) -> Steps[dict[Any, list[Any]]]:
        """For each key, what is made of its rows, in their order."""
        rows = yield from run.fetch(self.statement, {self.keys: keys})
        groups = yield from groups_of(run, self.children, rows)
        made: dict[Any, list[Any]] = {key: [] for key in keys}
        for row in rows:
            made[row[self.key_place]].append(self.make(row, groups, run))
        return made

    def single(self, run: Run, keys: list[Any]) -> Steps[dict[Any, Any]]:
        """For each key, what is made of its one row, or None."""
        lists = yield from self.lists(run, keys)
        return {key: made[0] if made else None for key, made in lists.items()}


def list_of(
    source: Source,
    key: ColumnElement[Any],
    below: Source,
    owner: ColumnElement[Any],
    made: Made,
    order: Sequence[ColumnElement[Any]],
    *conditions: ColumnElement[bool],
) -> Made:
    """All rows of `below` whose `owner` is the key in a row of `source`."""
    build = source.build
    if source.takes_in(below):
        place = source.nested(below, below.select(owner == key, *conditions).order_by(*order), key)
        return each_of(f"row[{place}]", made)
    keys, key_place = build.name("keys"), below.column(owner)
    owned = any_of(owner, bindparam(keys, type_=ListOf(owner.type)))
    statement = build.compile(below.select(owned, *conditions).order_by(*order))
    return source.child(key, Keyed(statement, keys, key_place, below.children, made.compiled()).lists, [])
