"""The rows that a statement of the writer is given: one after the other on SQLite, all at once on PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, column, func
from sqlalchemy.types import TypeEngine

from models.dialect import ListOf


class Given:
    """The columns of those rows, by name. On PostgreSQL each column is one array, bound as one parameter."""

    def __init__(self, types: Mapping[str, TypeEngine[Any]], *, at_once: bool) -> None:
        self._types = types
        self.rows: FromClause | None = None
        if at_once:
            arrays = (bindparam(name, type_=ListOf(type_)) for name, type_ in types.items())
            columns = (column(name, type_) for name, type_ in types.items())
            self.rows = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        if self.rows is None:
            return bindparam(name, type_=self._types[name])
        return self.rows.c[name]
