"""Columns as the JSON of an answer shows them, and rows within rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select, true
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


def shown(database: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as text where the driver would have to make one of it, value by value (PostgreSQL's would)."""
    makes = database == "postgresql" and isinstance(column.type, Id | Time | JsonText)
    return _shown(column) if makes else column


def can_be_records(database: str, columns: int, levels: int) -> bool:
    """Whether the database of this name can give rows with so many columns, and levels of rows, as one value."""
    return database == "postgresql" or (columns <= _SQLITE_COLUMNS and levels <= _SQLITE_LEVELS)


def records(database: str, rows: Select[Any]) -> ColumnElement[Any]:
    """All rows of a select as one value."""
    if database == "postgresql":
        row = func.row(*rows.selected_columns)
        made = rows.with_only_columns(row, maintain_column_froms=True)
        return func.array(made.scalar_subquery(), type_=Records())
    labelled = [column.label(f"c{number}") for number, column in enumerate(rows.selected_columns)]
    ordered = rows.with_only_columns(*labelled, maintain_column_froms=True).subquery("r")
    items: list[ColumnElement[Any]] = []
    for label in labelled:
        item: ColumnElement[Any] = literal_column(f"r.{label.name}")
        # What is JSON already is a text for SQLite.
        items.append(func.json(item) if isinstance(label.type, Records) else item)
    array = func.json_group_array(func.json_array(*items), type_=Records())
    return select(array).select_from(ordered).scalar_subquery()


def beside(database: str, rows: Select[Any], others: Sequence[Select[Any]]) -> Select[Any]:
    """The rows, behind their columns all rows of each of the others as one value, and whether it is a row of theirs.

    The values stand in the first row alone, which is there where there are no rows as well.
    """
    labelled = [column.label(f"c{number}") for number, column in enumerate(rows.selected_columns)]
    is_row: ColumnElement[bool] = literal_column("true").label("is_row")
    main = rows.with_only_columns(*labelled, is_row, maintain_column_froms=True).subquery("main")
    values = [records(database, other).label(f"v{number}") for number, other in enumerate(others)]
    there = select(*values).subquery("beside")
    is_first = func.row_number().over() == literal_column("1")
    *columns, is_there = main.columns
    return select(*columns, *(case((is_first, value)) for value in there.columns), is_there).select_from(
        there.outerjoin(main, true())
    )
