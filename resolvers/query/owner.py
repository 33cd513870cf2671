"""Whose rows a subquery holds: said inside of it, though known only when what it hangs on is.

From outside the condition would come too late: SQLite reads a UNION as a whole before it looks at it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from models.dialect import Condition


class Owner:
    """Decides whose rows they are: `belongs` is put in when that is known, before anything is compiled."""

    def __init__(self) -> None:
        self.belongs: Callable[[ColumnElement[Any]], ColumnElement[bool]] | None = None

    def of(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition that the row with this column belongs to the owner."""
        return _belongs(column, owner=self)


class _belongs(Condition):  # noqa: N801 - named as it reads in a statement
    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], *, owner: Owner) -> None:
        super().__init__(column)
        self.owner = owner


@compiles(_belongs)
def _belongs_sql(element: _belongs, compiler: SQLCompiler, **kw: Any) -> str:
    assert element.owner.belongs
    (column,) = element.clauses
    return compiler.process(element.owner.belongs(column), **kw)
