"""Columns as the JSON of an answer shows them, and rows within rows (PostgreSQL)."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, Text

from models.base import Id, JsonText, Time


class _shown(FunctionElement[str]):  # noqa: N801 - named as it reads in a statement
    type = Text()
    inherit_cache = True


@compiles(_shown, "postgresql")
def _shown_postgresql(element: _shown, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = element.clauses
    sql = compiler.process(column, **{**kw, "within_columns_clause": False})
    if isinstance(column.type, Time):
        return f"""to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"({sql})::text"


@compiles(_shown, "sqlite")
def _shown_sqlite(element: _shown, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **{**kw, "within_columns_clause": False})


def shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as text where the driver would have to make one of it, value by value."""
    return _shown(column) if isinstance(column.type, Id | Time | JsonText) else column


def as_shown(rows: Select[Any]) -> list[ColumnElement[Any]]:
    """The columns of a select."""
    return [shown(column) for column in rows.selected_columns]


def records(rows: Select[Any]) -> ColumnElement[Any]:
    """All rows of a select as one value, a list of tuples (PostgreSQL's `array(SELECT row(...))`)."""
    row = func.row(*as_shown(rows), type_=NullType())
    made = rows.with_only_columns(row, maintain_column_froms=True)
    return func.array(made.scalar_subquery(), type_=NullType())
