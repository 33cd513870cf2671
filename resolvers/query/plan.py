"""A plan under construction, and a plan in motion."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from graphql import GraphQLEnumType, GraphQLSchema
from graphql.execution.values import VariableValues
from sqlalchemy import BindParameter, ColumnElement, FromClause, Select, bindparam, or_, select
from sqlalchemy.types import TypeEngine

from models import EventLog
from models import database as storage
from models.base import Base, Word
from models.database import NO_VALUES, Database, Row, Statement, Steps, Values
from models.dialect import ListOf, any_of, has_prefix_of
from models.shown import beside, can_be_records, records
from resolvers.caller import Namespaces
from resolvers.errors import BadRequest
from resolvers.query.arguments import arguments_of, leaves_of
from resolvers.query.leaf import Leaf, NoLeaf
from resolvers.query.selection import Field
from resolvers.query.where import Node, leaves

Groups = Sequence[Mapping[Any, Any]]  # for each child of a statement: what belongs to which key
Make = Callable[[Row, Groups, "Run"], Any]  # one value of the answer, from a row
Arguments = Mapping[str, Any]

# What of memory goes with a statement of a plan, with all that was made of the selection and the arguments for it.
BYTES_A_STATEMENT = 10_000
BYTES_A_PARAMETER = 1_500
BYTES_A_CHARACTER = 8


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
    text_of_position: Callable[[int], str]
    # Is told of the bytes of the rows.
    count: storage.Count
    # The end of the log as this snapshot has it, as clients know it; empty when nothing asks for it.
    position: str = ""
    # What the statement at the start brought, by place.
    started: Row = ()
    # Rows that several fields look at.
    kept: dict[Any, Any] = field(default_factory=dict)

    def fetch(self, asked: "Asked", values: Values = NO_VALUES) -> Steps[Sequence[Row]]:
        """The rows, in this snapshot."""
        if isinstance(asked, int):
            rows: Sequence[Row] = self.started[asked]
            return rows
        return (yield storage.Fetch(asked, {**self.values, **values} if values else self.values, self.count))


# A statement, or the place of its rows among what one statement at the start of the run brings.
Asked = Statement | int


# What belongs to each of these keys; every key is in the answer.
Fetch = Callable[[Run, list[Any]], Steps[Mapping[Any, Any]]]


@dataclass(frozen=True, slots=True)
class First:
    """The statement at the start: `started` makes of its rows what each asked for, by place."""

    statement: Statement
    started: Callable[[Sequence[Row]], Row]


# Values of parameters that come from the arguments of one field: the same plan serves other values.
BoundValues = Callable[[VariableValues], Mapping[str, Any]]


# How a field that is no column is selected: for a statement, the table of its object, and the field.
Special = Callable[[Any, FromClause, Field], Any]


@dataclass(slots=True)
class Build:
    """A plan under construction, for callers who read everywhere or not, or act everywhere or not.

    `special` says how fields that are no columns are selected, by the names of type and field.
    """

    setting: Setting
    special: Mapping[tuple[str, str], Special]
    everywhere: bool
    acts_everywhere: bool
    binders: list[BoundValues] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    statements: int = 0
    # About the memory that its statements take.
    bytes: int = 0
    end_of_log: Asked | None = None
    # Whether what is made of one row may stand in the answer for many.
    shares: bool = False
    _first: list[Select[Any]] = field(default_factory=list)
    # The place of the first of which there are many.
    _main: int | None = None
    _named: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def asks_at_once(self) -> bool:
        """Whether a statement costs a journey: then all that can be is asked in one."""
        return self.setting.database.name == "postgresql"

    def want_position(self) -> None:
        """Has the run read the end of the log."""
        if self.end_of_log is None:
            self.end_of_log = self.ask_first(select(EventLog.end))

    def name(self, word: str) -> str:
        """A name that no other parameter or table of the plan has."""
        self._named[word] += 1
        return f"{word}__{self._named[word]}"

    def alias(self, model: type[Base], word: str) -> FromClause:
        """The model's table under a name of its own."""
        return _alias(model, self.name(word))

    def parameter(self, word: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
        """A parameter whose value a binder or a fetch gives."""
        return bindparam(self.name(word), type_=type_)

    def bind(
        self,
        field: Field,
        names: Collection[str],
        values: Callable[[Arguments], Mapping[str, Any]],
        *,
        each_time: bool = False,
    ) -> None:
        """Has `values` of these arguments of the field bound in every run. Raises what `values` raises now.

        `each_time`: they differ though the arguments do not, as the clock does.
        """
        now = values(field.arguments())
        arguments = arguments_of(field, names)
        if arguments is None and not each_time:
            self.constants.update(now)
        else:
            get = arguments or field.arguments
            self.binders.append(lambda variables: values(get(variables)))

    def tree(self, prefix: str, field: Field, names: Collection[str], make: Callable[[Arguments], Node]) -> Node:
        """What `make` makes of these arguments; in every run its values are bound to `<prefix>0`, `<prefix>1`, ...

        Leaves may stand in it for values. Raises GraphQLError and what `make` raises.
        """
        try:
            node = make(leaves_of(field, names))
        except NoLeaf:
            self.bind(field, names, lambda arguments: dict(_values(prefix, make(arguments))))
            return make(field.arguments())
        varying = []
        for name, value in _values(prefix, node):
            if isinstance(value, Leaf):
                varying.append((name, value.get))
            else:
                self.constants[name] = value
        if varying:
            self.binders.append(lambda variables: {name: plain(get(variables.coerced)) for name, get in varying})
        return node

    def visible(self, *namespaces: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The conditions under which the caller may read; none for who reads everywhere."""
        return [] if self.everywhere else _within("visible", namespaces)

    def acted_on(self, *namespaces: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The conditions under which the caller is shown what it has acted on, but for what is around it."""
        return [] if self.acts_everywhere else _within("acting", namespaces)

    def compile(self, rows: Select[Any]) -> Statement:
        """SQL to keep."""
        self.statements += 1
        statement = self.setting.database.compile(rows)
        self.bytes += (
            BYTES_A_STATEMENT + BYTES_A_PARAMETER * len(statement.names) + BYTES_A_CHARACTER * len(statement.sql)
        )
        return statement

    def ask_first(self, rows: Select[Any], *, are_many: bool = False, levels: int = 0, together: bool = False) -> Asked:
        """Rows for which nothing else must be known: where it can be, all such of a plan are one statement.

        `are_many` are the rows of a list, which come cheaper than what is beside them. `levels` of rows lie within
        these. What is asked `together` is one statement where that saves no journey, too: it shares what it reads.
        """
        name = self.setting.database.name
        if not (self.asks_at_once or (together and can_be_records(name, len(rows.selected_columns), levels + 1))):
            return self.compile(rows)
        if are_many and self._main is None:
            self._main = len(self._first)
        self._first.append(rows)
        return len(self._first) - 1

    def first_statement(self) -> First | None:
        """What brings the rows of `ask_first`; None when there is nothing to bring. At the end of the building."""
        match self._first:
            case []:
                return None
            case [rows]:
                return First(self.compile(rows), lambda found: (found,))
        # Rows within a row cost half as much again: those of the main one are rows.
        name, place = self.setting.database.name, self._main
        if place is None:
            return First(self.compile(select(*(records(name, rows) for rows in self._first))), itemgetter(0))
        others = list(self._first)
        main = others.pop(place)
        width = len(main.selected_columns)
        return First(self.compile(beside(name, main, others)), lambda found: _started(found, place, width))


def _started(rows: Sequence[Row], place: int, width: int) -> Row:
    """The rows are those of the one at this place, `width` columns wide; those of the others stand beside the first."""
    first = rows[0]
    started: list[Any] = list(first[width:-1])
    # The last column says whether there is a row, or nothing but what is beside.
    started.insert(place, rows if first[-1] else [])
    return started


def _values(prefix: str, node: Node) -> Iterator[tuple[str, Any]]:
    """The values of a tree under the names that `Conditions(prefix)` gives them. Raises BadRequest."""
    for number, value in enumerate(leaves(node)):
        yield f"{prefix}{number}", plain(value)


@lru_cache(maxsize=300)
def _alias(model: type[Base], name: str) -> FromClause:
    # Its columns take SQLAlchemy a third of the time that a plan takes, and other plans have the same names.
    return model.__table__.alias(name)


def _within(word: str, namespaces: Sequence[ColumnElement[str]]) -> list[ColumnElement[bool]]:
    names = bindparam(f"{word}_names", type_=ListOf(Word()))
    prefixes = bindparam(f"{word}_prefixes", type_=ListOf(Word()))
    return [or_(any_of(namespace, names), has_prefix_of(namespace, prefixes)) for namespace in namespaces]


def visible_values(namespaces: Namespaces, word: str = "visible") -> dict[str, Any]:
    """The values behind `Build.visible`, or with the word `acting` behind `Build.acted_on`."""
    return {f"{word}_names": list(namespaces.names), f"{word}_prefixes": list(namespaces.prefixes)}


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
