"""From selected fields to columns and to the shape of the answer; a field of the schema is the column of its name."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type
from sqlalchemy import FromClause

from resolvers.errors import Unplannable
from resolvers.query.made import Made, at, call, constant, make_object, named, unless_none
from resolvers.query.plan import enum_names
from resolvers.query.selection import Field
from resolvers.query.source import Source

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def column_name(field_name: str) -> str:
    """`detectedAt` is `detected_at`."""
    return _HUMP.sub("_", field_name).lower()


def make_of(source: Source, table: FromClause, fields: Sequence[Field]) -> Made:
    """The object of a row of `table`, with these fields. Raises Unplannable."""
    return object_of(fields, lambda field: _make_field(source, table, field))


def object_of(fields: Sequence[Field], make: Callable[[Field], Made]) -> Made:
    """An object with these fields, each made by `make`, but for the name of its type."""
    return make_object(
        [(field.key, constant(field.parent) if field.name == "__typename" else make(field)) for field in fields]
    )


def make_optional(source: Source, table: FromClause, fields: Sequence[Field]) -> Made:
    """The same of a table that is joined where it has a row; null where it has none."""
    return unless_none(source.column(table.c.id), make_of(source, table, fields))


def _make_field(source: Source, table: FromClause, field: Field) -> Made:
    special = source.build.special.get((field.parent, field.name))
    if special:
        made: Made = special(source, table, field)
        return made
    name = column_name(field.name)
    if name not in table.c or field.definition is None:
        raise Unplannable(f"{field.parent}.{field.name} cannot be planned")
    place = source.column(table.c[name])
    if isinstance(get_named_type(field.definition.type), GraphQLEnumType):
        words, names = named(enum_names(field.selection.schema, field.type_name))
        return Made(f"{words}[row[{place}]]", names)
    return at(place)


def make_json(source: Source, table: FromClause, column: str, field: Field) -> Made:
    """What is selected of a column that holds JSON in the schema's own names."""
    pick = picker(field)
    return call(lambda text: pick(orjson.loads(text)), at(source.column(table.c[column])))


def picker(field: Field) -> Callable[[Any], Any]:
    """Takes what is selected below a field from a value in the schema's own names; lists item by item."""
    assert field.definition
    if not isinstance(get_named_type(field.definition.type), GraphQLObjectType):
        return lambda value: value
    below = [(each.key, each.name, picker(each) if each.definition else None) for each in field.fields()]
    type_name = field.type_name

    def pick(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [pick(item) for item in value]
        return {key: of(value.get(name)) if of else type_name for key, name, of in below}

    return pick


def make_actor(source: Source, table: FromClause, prefix: str, field: Field) -> Made:
    """Who did something, from the three columns `<prefix>_kind`, `_id` and `_name`."""
    places = {part: source.column(table.c[f"{prefix}_{part}"]) for part in ("kind", "id", "name")}
    return unless_none(places["kind"], object_of(field.fields(), lambda each: at(places[each.name])))
