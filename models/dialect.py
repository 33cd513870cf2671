"""What the two databases spell differently, as SQL functions that SQLAlchemy compiles for each."""

from typing import Any

from sqlalchemy import ARRAY, Boolean, Dialect, Float, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.base import Id, Time, Word


class ListOf(TypeDecorator[list[Any]]):
    """A list bound as one parameter: an array on PostgreSQL, a JSON text on SQLite (`Statement.bind` makes it)."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return Text()
        return ARRAY(Text() if isinstance(self.item, Word) else self.item)


class Condition(FunctionElement[bool]):
    """A function that is a condition as it stands, so that SQLite may use an index for it (no `= 1` behind it)."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "Condition":
        """Each spelling below brings its own parentheses."""
        return self


class any_of(Condition):  # noqa: N801 - named as it reads in a statement
    """`any_of(column, bindparam(name, type_=ListOf(type)))`: the column is one of the bound list."""

    inherit_cache = True


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, items = element.clauses
    return f"({compiler.process(column, **kw)} = ANY({compiler.process(items, **kw)}))"


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, items = element.clauses
    return f"({compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(items, **kw)})))"


class has_prefix_of(Condition):  # noqa: N801
    """`has_prefix_of(column, bindparam(name, type_=ListOf(Word())))`: the column starts with one of the bound list."""

    inherit_cache = True


@compiles(has_prefix_of, "postgresql")
def _has_prefix_of_postgresql(element: has_prefix_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, items = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(EXISTS (SELECT 1 FROM unnest({items}) AS prefix(value) WHERE starts_with({column}, prefix.value)))"


@compiles(has_prefix_of, "sqlite")
def _has_prefix_of_sqlite(element: has_prefix_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, items = (compiler.process(clause, **kw) for clause in element.clauses)
    return (
        f"(EXISTS (SELECT 1 FROM json_each({items}) AS prefix"
        f" WHERE substr({column}, 1, length(prefix.value)) = prefix.value))"
    )


class contains(Condition):  # noqa: N801
    """`contains(text, part)`: plain substring, no patterns; both sides folded by the caller."""

    inherit_cache = True


@compiles(contains, "postgresql")
def _contains_postgresql(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(strpos({text}, {part}) > 0)"


@compiles(contains, "sqlite")
def _contains_sqlite(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(instr({text}, {part}) > 0)"


class starts_with(Condition):  # noqa: N801
    """`starts_with(text, part)`: plain prefix, no patterns; both sides folded by the caller."""

    inherit_cache = True


@compiles(starts_with, "postgresql")
def _starts_with_postgresql(element: starts_with, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"starts_with({text}, {part})"


@compiles(starts_with, "sqlite")
def _starts_with_sqlite(element: starts_with, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = element.clauses
    # The part is written twice, and so is bound twice: positional parameters are counted by the compiler.
    text_sql = compiler.process(text, **kw)
    part_sql, part_again = compiler.process(part, **kw), compiler.process(part, **kw)
    return f"(substr({text_sql}, 1, length({part_sql})) = {part_again})"


class few_are(Condition):  # noqa: N801
    """`few_are(condition)`: tells SQLite's planner, and it alone, that few rows fulfil it."""

    inherit_cache = True


@compiles(few_are, "sqlite")
def _few_are_sqlite(element: few_are, compiler: SQLCompiler, **kw: Any) -> str:
    return f"likelihood({compiler.process(element.clauses, **kw)}, 0.00001)"


class in_any_order(FunctionElement[Any]):  # noqa: N801
    """`in_any_order(column)`, to group by: SQLite would take an index for its order before one that finds few rows."""

    inherit_cache = True


@compiles(in_any_order)
def _in_any_order(element: in_any_order, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(in_any_order, "sqlite")
def _in_any_order_sqlite(element: in_any_order, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


class json_member(FunctionElement[str]):  # noqa: N801
    """`json_member(document, literal_column("'name'"))`: a member as text, NULL when it is null or absent."""

    type = Text()
    inherit_cache = True


@compiles(json_member, "postgresql")
def _json_member_postgresql(element: json_member, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({document} ->> {name})"


@compiles(json_member, "sqlite")
def _json_member_sqlite(element: json_member, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({document}, '$.' || {name})"


class json_integer(FunctionElement[int]):  # noqa: N801
    """Like `json_member`, of a member that is a whole number."""

    type = Integer()
    inherit_cache = True


@compiles(json_integer, "postgresql")
def _json_integer_postgresql(element: json_integer, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({document} ->> {name})::bigint"


@compiles(json_integer, "sqlite")
def _json_integer_sqlite(element: json_integer, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({document}, '$.' || {name})"


class json_has(Condition):  # noqa: N801
    """`json_has(document, literal_column("'name'"))`: whether a JSON object has the member, null or not."""

    inherit_cache = True


@compiles(json_has, "postgresql")
def _json_has_postgresql(element: json_has, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"jsonb_exists({document}, {name})"


@compiles(json_has, "sqlite")
def _json_has_sqlite(element: json_has, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(json_type({document}, '$.' || {name}) IS NOT NULL)"


class json_items(FunctionElement[str]):  # noqa: N801
    """`json_items(list_of_text).table_valued(column("value", Word()))`: one row for each item of a JSON list."""

    inherit_cache = True


@compiles(json_items, "postgresql")
def _json_items_postgresql(element: json_items, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **kw)})"


class json_members(FunctionElement[str]):  # noqa: N801
    """`json_members(column).table_valued(column("value", type))`: one row for each item of a JSON list kept as text.

    Each is JSON; on SQLite one that is an object or a list is.
    """

    inherit_cache = True


@compiles(json_members, "postgresql")
def _json_members_postgresql(element: json_members, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_elements({compiler.process(element.clauses, **kw)}::json)"


@compiles(json_items, "sqlite")
@compiles(json_members, "sqlite")
def _json_each(element: json_items | json_members, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


class list_length(FunctionElement[int]):  # noqa: N801
    """`list_length(column)`: how many items a JSON list has that is kept as text."""

    type = Integer()
    inherit_cache = True


@compiles(list_length, "postgresql")
def _list_length_postgresql(element: list_length, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_length({compiler.process(element.clauses, **kw)}::json)"


@compiles(list_length, "sqlite")
def _list_length_sqlite(element: list_length, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_length({compiler.process(element.clauses, **kw)})"


class any_row_of(Condition):  # noqa: N801
    """`any_row_of(bindparam(name, type_=JsonText()), column, ...)`: the columns are one of a JSON list of lists."""

    inherit_cache = True


@compiles(any_row_of, "postgresql")
def _any_row_of_postgresql(element: any_row_of, compiler: SQLCompiler, **kw: Any) -> str:
    rows, *columns = element.clauses
    listed = ", ".join(compiler.process(column, **kw) for column in columns)
    members = ", ".join(
        f"(item.value ->> {place}){'::uuid' if isinstance(column.type, Id) else ''}"
        for place, column in enumerate(columns)
    )
    return f"(({listed}) IN (SELECT {members} FROM jsonb_array_elements({compiler.process(rows, **kw)}) AS item))"


@compiles(any_row_of, "sqlite")
def _any_row_of_sqlite(element: any_row_of, compiler: SQLCompiler, **kw: Any) -> str:
    rows, *columns = element.clauses
    listed = ", ".join(compiler.process(column, **kw) for column in columns)
    members = ", ".join(f"json_extract(item.value, '$[{place}]')" for place in range(len(columns)))
    return f"(({listed}) IN (SELECT {members} FROM json_each({compiler.process(rows, **kw)}) AS item))"


class time_bucket(FunctionElement[str]):  # noqa: N801
    """`time_bucket(literal_column("'hour'"), time)`: the start of the minute, hour, day or week (Monday) in UTC."""

    type = Time()
    inherit_cache = True


@compiles(time_bucket, "postgresql")
def _time_bucket_postgresql(element: time_bucket, compiler: SQLCompiler, **kw: Any) -> str:
    unit, time = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(date_trunc({unit}, {time} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"


_BUCKETS = {
    "'minute'": "(substr({0}, 1, 16) || ':00.000000Z')",
    "'hour'": "(substr({0}, 1, 13) || ':00:00.000000Z')",
    "'day'": "(substr({0}, 1, 10) || 'T00:00:00.000000Z')",
    "'week'": "(date({0}, '-6 days', 'weekday 1') || 'T00:00:00.000000Z')",
}


@compiles(time_bucket, "sqlite")
def _time_bucket_sqlite(element: time_bucket, compiler: SQLCompiler, **kw: Any) -> str:
    unit, time = (compiler.process(clause, **kw) for clause in element.clauses)
    return _BUCKETS[unit].format(time)


class seconds_between(FunctionElement[float]):  # noqa: N801
    """`seconds_between(start, end)`: how long that is, exact to the microsecond."""

    type = Float()
    inherit_cache = True


@compiles(seconds_between, "postgresql")
def _seconds_between_postgresql(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(EXTRACT(EPOCH FROM ({end} - {start}))::double precision)"


@compiles(seconds_between, "sqlite")
def _seconds_between_sqlite(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return (
        f"(strftime('%s', {end}) - strftime('%s', {start})"
        f" + (substr({end}, 21, 6) - substr({start}, 21, 6)) / 1000000.0)"
    )


class later_of(FunctionElement[str]):  # noqa: N801
    """`later_of(one, other)`: the later of two times, neither null."""

    type = Time()
    inherit_cache = True


@compiles(later_of, "postgresql")
def _later_of_postgresql(element: later_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **kw)})"


@compiles(later_of, "sqlite")
def _later_of_sqlite(element: later_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"max({compiler.process(element.clauses, **kw)})"
