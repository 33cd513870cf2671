"""The declarative base and the column types whose stored values are the strings of `models.values`."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Dialect, MetaData, String, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class _RawUuid(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "UUID"


class _RawTimestamp(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TIMESTAMP WITH TIME ZONE"


class _RawJsonb(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"


class Id(TypeDecorator[str]):
    """A UUID as 36 characters of text: `uuid` on PostgreSQL, text on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _RawUuid() if dialect.name == "postgresql" else String(36)


class Time(TypeDecorator[str]):
    """A moment in our 27 characters: `timestamptz` on PostgreSQL, text on SQLite."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _RawTimestamp() if dialect.name == "postgresql" else String(27)


class JsonText(TypeDecorator[str]):
    """JSON as its text, in and out: `jsonb` on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _RawJsonb() if dialect.name == "postgresql" else Text()


class LongJson(JsonText):
    """The same of which a row may have very much: what reads it counts how long it is."""

    cache_ok = True


class Word(TypeDecorator[str]):
    """Text that sorts by code point on both databases, as Python sorts it."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return postgresql.TEXT(collation="C") if dialect.name == "postgresql" else Text()


class LongWord(Word):
    """The same of which a row may have very much: what reads it counts how long it is."""

    cache_ok = True


Position = BigInteger()  # a place in the log: 64 bits


class Base(DeclarativeBase):
    """All tables; constraints are named so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, words: tuple[str, ...], *, or_null: bool = False) -> CheckConstraint:
    """The CHECK that a column holds one of `words` (no native enums: see the rules of the house)."""
    return CheckConstraint(_OneOf(column, words, or_null=or_null), name=column)


class _OneOf(ColumnElement[bool]):
    inherit_cache = False

    def __init__(self, column: str, words: tuple[str, ...], *, or_null: bool) -> None:
        self.column = column
        self.words = words
        self.beginning = f"{column} IS NULL OR " if or_null else ""


@compiles(_OneOf)
def _as_list(element: _OneOf, _compiler: DDLCompiler, **_: Any) -> str:
    listed = ", ".join(f"'{word}'" for word in element.words)
    return f"{element.beginning}{element.column} IN ({listed})"


@compiles(_OneOf, "sqlite")
def _as_alternatives(element: _OneOf, _compiler: DDLCompiler, **_: Any) -> str:
    # For a list of three or more SQLite builds a table each time a row is written.
    return element.beginning + " OR ".join(f"{element.column} = '{word}'" for word in element.words)
