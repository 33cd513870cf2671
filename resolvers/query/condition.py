"""A filter tree as SQL: over rows, and over the images in lines of the log."""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    column,
    exists,
    false,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from models import Label
from models.base import JsonText, Word
from models.dialect import ListOf, any_of, contains, json_has, json_integer, json_items, json_member, starts_with
from resolvers.query.where import OR_NULL, All, HasLabel, Node, Not, Some, Test

Condition = ColumnElement[bool]
# PostgreSQL makes a join of each, and takes seconds to find an order for many; an offset keeps it from that.
MAX_LABELS_JOINED = 4
INTEGERS = frozenset({"severity_rank", "occurrence_count"})


class Tested(Protocol):
    """Where a tree finds its members."""

    def member(self, name: str) -> ColumnElement[Any]:
        """The member as SQL."""
        ...

    def has_label(self, holds: Callable[["Tested"], Condition]) -> Condition:
        """Whether there is a label (members `name`, `value`, `value_folded`) for which it holds."""
        ...


class Rows:
    """Columns of the tables that are joined, the first that has the name."""

    def __init__(self, *tables: FromClause) -> None:
        self._tables = tables
        self._labels = 0

    def member(self, name: str) -> ColumnElement[Any]:
        """The column. Raises KeyError when no table has it."""
        for table in self._tables:
            if name in table.c:
                return table.c[name]
        raise KeyError(name)

    def has_label(self, holds: Callable[[Tested], Condition]) -> Condition:
        """By the table of labels."""
        label = Label.__table__.alias()
        found: Select[Any] = select(literal_column("1")).where(
            label.c.issue_id == self.member("id"), holds(Rows(label))
        )
        self._labels += 1
        if self._labels > MAX_LABELS_JOINED:
            found = found.offset(literal_column("0"))
        return exists(found)


class _JsonMembers:
    """Members of one JSON object."""

    def __init__(self, document: ColumnElement[str]) -> None:
        self._document = document

    def member(self, name: str) -> ColumnElement[Any]:
        return _json(self._document, name)

    def has_label(self, holds: Callable[[Tested], Condition]) -> Condition:
        raise NotImplementedError("labels have no labels")


class Image:
    """The issue as it was just before or just after a line of the log."""

    def __init__(self, line: FromClause, moment: str) -> None:
        self._before, self._after = line.c.before, line.c.after
        self._is_after = moment == "after"

    @property
    def exists(self) -> Condition:
        """Whether there was an issue at that moment, for readers of the line's namespace."""
        return (self._after if self._is_after else self._before).is_not(None)

    def member(self, name: str) -> ColumnElement[Any]:
        """`before` holds only what the line changed, unless the issue is gone."""
        after = _json(self._after, name)
        if self._is_after:
            return after
        changed = or_(self._after.is_(None), json_has(self._before, literal_column(f"'{name}'")))
        return case((changed, _json(self._before, name)), else_=after)

    def has_label(self, holds: Callable[[Tested], Condition]) -> Condition:
        """By the list in the image."""
        labels = cast(self.member("labels"), JsonText)
        items = json_items(labels).table_valued(column("value", Word())).alias()
        return exists(
            select(literal_column("1")).select_from(items).where(holds(_JsonMembers(cast(items.c.value, JsonText))))
        )


def _json(document: ColumnElement[str], name: str) -> ColumnElement[Any]:
    function = json_integer if name in INTEGERS else json_member
    return function(document, literal_column(f"'{name}'"))


class Conditions:
    """Compiles trees; binds the values of their leaves, in order, to `<prefix>0`, `<prefix>1`, ..."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._bound = 0

    def of(self, node: Node, tested: Tested) -> Condition:
        """The condition that decides as the tree does."""
        match node:
            case All(parts):
                return and_(true(), *(self.of(part, tested) for part in parts))
            case Some(parts):
                return or_(false(), *(self.of(part, tested) for part in parts))
            case Not(part):
                return not_(self.of(part, tested))
            case HasLabel(_, value):
                name = self._bind(Word())
                return tested.has_label(lambda label: and_(label.member("name") == name, self.of(value, label)))
            case Test():
                return self._test(node, tested.member(node.member))

    def _test(self, test: Test, found: ColumnElement[Any]) -> Condition:
        if test.op == "is_null":
            return found.is_(None) if test.value else found.is_not(None)
        type_: TypeEngine[Any] = found.type
        value = self._bind(ListOf(type_) if test.op == "in" else type_)
        compared = _COMPARISONS[test.op](found, value)
        if test.member not in OR_NULL:
            return compared
        # Null fulfils nothing but `ne`, also under `not`.
        return or_(found.is_(None), compared) if test.op == "ne" else and_(found.is_not(None), compared)

    def _bind(self, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        parameter = bindparam(f"{self._prefix}{self._bound}", type_=type_)
        self._bound += 1
        return parameter


_COMPARISONS: dict[str, Callable[[Any, Any], Condition]] = {
    "eq": lambda found, value: found == value,
    "ne": lambda found, value: found != value,
    "in": any_of,
    "gt": lambda found, value: found > value,
    "gte": lambda found, value: found >= value,
    "lt": lambda found, value: found < value,
    "lte": lambda found, value: found <= value,
    "contains": contains,
    "starts_with": starts_with,
}
