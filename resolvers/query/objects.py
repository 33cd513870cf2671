"""From selected fields to columns and to the shape of the answer; a field of the schema is the column of its name."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type
from sqlalchemy import FromClause

from models.base import Base
from resolvers.errors import Unplannable
from resolvers.query.plan import Make, Run, enum_names
from resolvers.query.selection import Field
from resolvers.query.source import Source, at, constant, make_object

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def column_name(field_name: str) -> str:
    """`detectedAt` is `detected_at`."""
    return _HUMP.sub("_", field_name).lower()


def make_of(source: Source, table: FromClause, fields: Sequence[Field]) -> Make:
    """The object of a row of `table`, with these fields. Raises Unplannable."""
    return make_object([(field.key, _make_field(source, table, field)) for field in fields])


def make_optional(source: Source, table: FromClause, fields: Sequence[Field]) -> Make:
    """The same of a table that is joined where it has a row; null where it has none."""
    key, make = source.column(table.c.id), make_of(source, table, fields)
    return lambda row, groups: None if row[key] is None else make(row, groups)


def _make_field(source: Source, table: FromClause, field: Field) -> Make:
    if field.name == "__typename":
        return constant(field.parent)
    special = source.build.special.get((field.parent, field.name))
    if special:
        return special(source, table, field)
    name = column_name(field.name)
    if name not in table.c or field.definition is None:
        raise Unplannable(f"{field.parent}.{field.name} cannot be planned")
    place = source.column(table.c[name])
    if isinstance(get_named_type(field.definition.type), GraphQLEnumType):
        names = enum_names(field.selection.schema, field.type_name)
        return lambda row, groups: names.get(row[place])
    return at(place)


def make_json(source: Source, table: FromClause, column: str, field: Field) -> Make:
    """What is selected of a column that holds JSON in the schema's own names."""
    place, pick = source.column(table.c[column]), picker(field)
    return lambda row, groups: pick(orjson.loads(row[place]))


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


def make_actor(source: Source, table: FromClause, prefix: str, field: Field) -> Make:
    """Who did something, from the three columns `<prefix>_kind`, `_id` and `_name`."""
    kind, id_, name = (source.column(table.c[f"{prefix}_{part}"]) for part in ("kind", "id", "name"))
    pick = picker(field)
    return lambda row, groups: (
        None if row[kind] is None else pick({"kind": row[kind], "id": row[id_], "name": row[name]})
    )


def child(
    source: Source, key: Any, fetch: Callable[[Run, list[Any]], Any], *, default: Callable[[], Any] = lambda: None
) -> Make:
    """What a fetch has for the key in each row."""
    key_place, group = source.child(key, fetch)

    def make(row: Any, groups: Any) -> Any:
        found = groups[group].get(row[key_place])
        return default() if found is None else found

    return make


def table_of(source: Source, model: type[Base]) -> FromClause:
    """The model's table under a name of its own."""
    return model.__table__.alias(source.build.name(model.__tablename__))
