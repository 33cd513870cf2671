"""Columns as the JSON of an answer shows them, and rows within rows."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Text, UserDefinedType

from models.base import Id, JsonText, Time

# SQLite's functions take 127 arguments, before 3.48.
_SQLITE_COLUMNS = 100
# SQLite's parser holds 100 symbols, before 3.46; a level of rows takes 13 of them, conditions the rest.
_SQLITE_LEVELS = 3


class Records(UserDefinedType[list[Any]]):
    """Rows as one value: a list of tuples from PostgreSQL, a list of lists in JSON from SQLite."""

    cache_ok = True


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


def can_be_records(database: str, columns: int, levels: int) -> bool:
    """Whether the database of this name can give rows with so many columns, and levels of rows, as one value."""
    return database == "postgresql" or (columns <= _SQLITE_COLUMNS and levels <= _SQLITE_LEVELS)


def records(database: str, rows: Select[Any]) -> ColumnElement[Any]:
    """All rows of a select as one value."""
    if database == "postgresql":
        row = func.row(*as_shown(rows))
        made = rows.with_only_columns(row, maintain_column_froms=True)
        return func.array(made.scalar_subquery(), type_=Records())
    names = [f"c{number}" for number, _ in enumerate(rows.selected_columns)]
    labelled = (column.label(name) for column, name in zip(rows.selected_columns, names, strict=True))
    ordered = rows.with_only_columns(*labelled, maintain_column_froms=True).subquery("r")
    # What is JSON already is a text for SQLite.
    items = (func.json(item) if isinstance(item.type, Records) else item for item in ordered.c)
    return select(func.json_group_array(func.json_array(*items), type_=Records())).scalar_subquery()
