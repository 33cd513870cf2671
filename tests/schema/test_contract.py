"""What the server publishes holds the whole contract, and the committed file is what it publishes."""

from pathlib import Path
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    print_ast,
    specified_scalar_types,
)
from graphql.pyutils import Undefined
from graphql.utilities import ast_from_value

from schema import sdl

HERE = Path(__file__).parent
contract = build_schema((HERE / "contract.graphql").read_text())
published = build_schema(sdl())
types: dict[str, Any] = dict(published.type_map)
agreed: dict[str, Any] = dict(contract.type_map)


def default(argument: GraphQLArgument) -> str | None:
    if argument.default_value is Undefined:
        return None
    node = ast_from_value(argument.default_value, argument.type)
    return print_ast(node) if node else None


def missing():
    """Each thing of the contract that the published schema has not, or has otherwise."""
    for name, expected in agreed.items():
        if name.startswith("__") or name in specified_scalar_types:
            continue
        found: Any = types.get(name)
        if type(found) is not type(expected):
            yield f"type {name}"
        elif isinstance(expected, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in expected.values.keys() - found.values.keys())
        elif isinstance(expected, GraphQLInputObjectType):
            for field, member in expected.fields.items():
                other = found.fields.get(field)
                if other is None or str(other.type) != str(member.type) or default(other) != default(member):
                    yield f"input {name}.{field}: {member.type} = {default(member)}"
            extra = found.fields.keys() - expected.fields.keys()
            yield from (f"more required: {name}.{f}" for f in extra if str(found.fields[f].type).endswith("!"))
        elif isinstance(expected, GraphQLObjectType | GraphQLInterfaceType):
            if {str(one) for one in expected.interfaces} - {str(one) for one in found.interfaces}:
                yield f"interfaces of {name}"
            for field, member in expected.fields.items():
                other = found.fields.get(field)
                if other is None or str(other.type) != str(member.type):
                    yield f"{name}.{field}: {member.type}"
                    continue
                for argument, details in member.args.items():
                    given = other.args.get(argument)
                    if given is None or str(given.type) != str(details.type) or default(given) != default(details):
                        yield f"{name}.{field}({argument}: {details.type} = {default(details)})"


def test_the_published_schema_holds_the_whole_contract():
    assert list(missing()) == []
    assert types["DateTime"].specified_by_url == agreed["DateTime"].specified_by_url


def test_the_committed_schema_is_the_published_one():
    assert (HERE.parent.parent / "schema" / "schema.graphql").read_text() == sdl()


def described():
    """Each thing of ours in the published schema, with its description."""
    for name, type_ in types.items():
        if name.startswith("__") or name in specified_scalar_types:
            continue
        yield name, type_.description
        for member, details in (getattr(type_, "fields", None) or getattr(type_, "values", None) or {}).items():
            yield f"{name}.{member}", details.description
            for argument, given in getattr(details, "args", {}).items():
                yield f"{name}.{member}({argument})", given.description


def test_everything_has_a_description_that_is_a_sentence():
    wanting = [name for name, words in described() if not words or not words.endswith((".", "?")) or "  " in words]
    assert wanting == []


def test_private_fields_are_not_published():
    assert "issuePage" not in sdl()
    assert "allRelatedFrom" not in sdl()
