"""The issues that statistics count, and what each of their parts looks at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, select

from resolvers.query.selection import Field

# What the parts look at of an issue, but for what is joined to it.
WORDS = ("state", "severity", "issue_type")
_TIMES = ("detected_at", "resolved_at")
OF_WORDS = frozenset({"total", "byState", "bySeverity", "byType"})
_COLUMNS: Mapping[str, Sequence[str]] = {
    "byNamespace": ("namespace",),
    "bySource": ("source",),
    "byScope": ("scope_id",),
    "timeToResolve": _TIMES,
}
_OF_POINTS: Mapping[str, Sequence[Sequence[str]]] = {
    "opened": (("detected_at",),),
    "resolved": (("resolved_at",),),
    "activeAtEnd": (_TIMES, _TIMES),
}


@dataclass(frozen=True, slots=True)
class Issues:
    """The issues that are counted: `tables` and `conditions` find them, `table` has their columns."""

    table: FromClause
    tables: FromClause
    conditions: Sequence[ColumnElement[bool]] = ()

    def select(self, *columns: ColumnElement[Any], each: FromClause | None = None) -> Select[Any]:
        """Of each of them, or of each row of a table that has their ids as `issue_id`."""
        tables = self.tables if each is None else self.tables.join(each, each.c.issue_id == self.table.c.id)
        return select(*columns).select_from(tables).where(and_(True, *self.conditions))

    def once(self, name: str, columns: Iterable[str]) -> "Issues":
        """The same with these columns alone, found once for all parts of a statement."""
        read = self.select(*(self.table.c[column] for column in sorted(columns))).cte(name)
        return Issues(read, read)


def reads_of(fields: Sequence[Field]) -> list[Sequence[str]]:
    """What each statement that looks at nothing but the issues looks at of them."""
    reads = [_COLUMNS[each.name] for each in fields if each.name in _COLUMNS]
    if any(each.name in OF_WORDS for each in fields):
        # One statement has them all.
        reads.append(WORDS)
    for each in fields:
        if each.name == "series":
            for name in {point.name for point in each.fields()}:
                reads += _OF_POINTS.get(name, ())
    return reads
