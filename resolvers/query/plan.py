"""A plan under construction, and a plan in motion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLEnumType, GraphQLSchema
from graphql.execution.values import VariableValues
from sqlalchemy import BindParameter, ColumnElement, FromClause, bindparam, or_
from sqlalchemy.types import TypeEngine

from models import database as storage
from models.base import Word
from models.database import Database, Row, Statement, Steps, Values
from models.dialect import ListOf, any_of, has_prefix_of
from resolvers.caller import Namespaces
from resolvers.errors import BadRequest
from resolvers.query.selection import Field

Groups = Sequence[Mapping[Any, Any]]  # for each child of a statement: what belongs to which key
Make = Callable[[Row, Groups], Any]  # one value of the answer, from a row
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """How much one field may bring. `page` items, `ids` in a list, `graph_nodes` and `graph_depth`."""

    page: int = 100
    default_page: int = 50
    ids: int = 200
    graph_nodes: int = 1_000
    graph_depth: int = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """What plans are built with, the same for all of them."""

    database: Database
    public_url: str
    limits: QueryLimits


@dataclass(slots=True)
class Run:
    """One execution of a plan, in one snapshot."""

    values: dict[str, Any]
    # The end of the log as this snapshot has it, as clients know it; empty when nothing asks for it.
    position: str
    text_of_position: Callable[[int], str]
    # Rows that several fields look at.
    kept: dict[Any, Any] = field(default_factory=dict)

    def fetch(self, statement: Statement, values: Values) -> Steps[list[Row]]:
        """The rows, in this snapshot."""
        return (yield storage.Fetch(statement, self.values | dict(values)))


# What belongs to each of these keys; every key is in the answer.
Fetch = Callable[[Run, list[Any]], Steps[Mapping[Any, Any]]]


@dataclass(frozen=True, slots=True)
class Binder:
    """Values of parameters that come from the arguments of one field: the same plan serves other values."""

    field: Field
    values: Callable[[Arguments], Mapping[str, Any]]


# How a field that is no column is selected: for a statement, the table of its object, and the field.
Special = Callable[[Any, FromClause, Field], Make]


@dataclass(slots=True)
class Build:
    """A plan under construction, for callers who read everywhere or not.

    `special` says how fields that are no columns are selected, by the names of type and field.
    """

    setting: Setting
    special: Mapping[tuple[str, str], Special]
    everywhere: bool
    binders: list[Binder] = field(default_factory=list)
    needs_position: bool = False
    statements: int = 0
    _named: int = 0

    def name(self, word: str) -> str:
        """A name that no other parameter or table of the plan has."""
        self._named += 1
        return f"{word}__{self._named}"

    def parameter(self, word: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
        """A parameter whose value a binder or a fetch gives."""
        return bindparam(self.name(word), type_=type_)

    def bind(self, field: Field, values: Callable[[Arguments], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Has `values` of the field's arguments bound in every run; the values now. Raises what `values` raises."""
        self.binders.append(Binder(field, values))
        return values(field.arguments())

    def visible(self, *namespaces: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The conditions under which the caller may read; none for who reads everywhere."""
        if self.everywhere:
            return []
        names = bindparam("visible_names", type_=ListOf(Word()))
        prefixes = bindparam("visible_prefixes", type_=ListOf(Word()))
        return [or_(any_of(namespace, names), has_prefix_of(namespace, prefixes)) for namespace in namespaces]

    def compile(self, statement: Any) -> Statement:
        """SQL to keep."""
        self.statements += 1
        return self.setting.database.compile(statement)


def visible_values(namespaces: Namespaces) -> dict[str, Any]:
    """The values behind `Build.visible`."""
    return {"visible_names": list(namespaces.names), "visible_prefixes": list(namespaces.prefixes)}


def bound_values(binders: Sequence[Binder], variable_values: VariableValues) -> dict[str, Any]:
    """What the fields' arguments bring in a run with these variables. Raises GraphQLError and BadRequest."""
    values: dict[str, Any] = {}
    for binder in binders:
        values.update(binder.values(binder.field.arguments(variable_values)))
    return values


def whole_number(name: str, value: int, least: int, most: int) -> int:
    """An argument within its range. Raises BadRequest."""
    if not least <= value <= most:
        raise BadRequest(f"{name} must be between {least} and {most}")
    return value


def plain(value: Any) -> Any:
    """A value as rows can hold it. Raises BadRequest for a text that no database can hold (NUL, lone surrogates)."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        if "\0" in value:
            raise BadRequest("a text contains a NUL character")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise BadRequest("a text contains half a surrogate pair")
        return str(value)
    return value


def enum_names(schema: GraphQLSchema, type_name: str) -> dict[str, str]:
    """What the schema calls the words of the database."""
    enum = schema.type_map[type_name]
    assert isinstance(enum, GraphQLEnumType)
    return {str(value.value): name for name, value in enum.values.items()}
