"""Arguments of a field with the variables of a run: what graphql-core gives, without walking the document again."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues
from graphql.utilities import coerce_input_literal

from resolvers.query.leaf import Leaf, NoLeaf
from resolvers.query.selection import Field

_Variables = Mapping[str, Any]
_Get = Callable[[_Variables], Any]


class _Unusual(Exception):
    """A variable without a value, or null where null may not be: graphql-core knows what that means."""


def arguments_of(field: Field, names: Collection[str]) -> Callable[[VariableValues], Mapping[str, Any]] | None:
    """These arguments for the variables of any run with the same skeleton; None where no variables are in them.

    The function raises GraphQLError.
    """
    varying = {name: node for name, node in _given(field, names) if _has_variables(node)}
    if not varying or field.definition is None:
        return None
    constant = {name: value for name, value in field.arguments().items() if name not in varying}
    getters = [(name, _getter(node, field.definition.args[name].type)) for name, node in varying.items()]

    def arguments(variables: VariableValues) -> Mapping[str, Any]:
        coerced = variables.coerced
        try:
            return {**constant, **{name: get(coerced) for name, get in getters}}
        except _Unusual:
            return field.arguments(variables)

    return arguments


def leaves_of(field: Field, names: Collection[str]) -> Mapping[str, Any]:
    """These arguments with leaves for all that may differ between runs with the same skeleton.

    Raises NoLeaf where only graphql-core knows what they are, and GraphQLError.
    """
    variables = field.selection.variable_values.coerced
    found = {name: value for name, value in field.arguments().items() if name in names}
    try:
        for name, node in _given(field, names):
            assert field.definition
            found[name] = _with_leaves(node, field.definition.args[name].type, variables)
    except _Unusual:
        raise NoLeaf from None
    return found


def _given(field: Field, names: Collection[str]) -> Iterator[tuple[str, ValueNode]]:
    """Those of these arguments that have a value in all runs with this skeleton."""
    for node in field.details[0].node.arguments or ():
        if node.name.value in names and not _is_absent(node.value, field.selection.variable_values.coerced):
            yield node.name.value, node.value


def _is_absent(node: ValueNode, variables: _Variables) -> bool:
    return isinstance(node, VariableNode) and node.name.value not in variables


def _with_leaves(node: ValueNode, type_: GraphQLInputType, variables: _Variables) -> Any:
    if isinstance(node, VariableNode):
        get = _getter(node, type_)
        return _leaves_in(get(variables), type_, get)
    if not _has_variables(node):
        return _getter(node, type_)(variables)
    nullable = get_nullable_type(type_)
    if isinstance(node, ObjectValueNode) and isinstance(nullable, GraphQLInputObjectType):
        return {
            name: _with_leaves(member, its, variables)
            for name, member, its in _members(node, nullable)
            if not (_is_absent(member, variables) and _may_be_absent(nullable.fields[name]))
        }
    if isinstance(node, ListValueNode) and isinstance(nullable, GraphQLList):
        if isinstance(get_named_type(nullable), GraphQLInputObjectType):
            return [_with_leaves(item, nullable.of_type, variables) for item in node.values]
        return Leaf(_getter(node, type_))
    raise _Unusual


def _may_be_absent(field: GraphQLInputField) -> bool:
    return not is_non_null_type(field.type) and not _has_default(field)


def _leaves_in(value: Any, type_: GraphQLInputType, get: _Get) -> Any:
    """As `skeleton` has it: what decides how a statement is shaped stays what it is."""
    named = get_named_type(type_)
    if isinstance(value, dict) and isinstance(named, GraphQLInputObjectType):
        return {
            name: _leaves_in(member, named.fields[name].type, _part_of(get, name)) for name, member in value.items()
        }
    if isinstance(value, list) and isinstance(named, GraphQLInputObjectType):
        return [_leaves_in(item, named, _part_of(get, place)) for place, item in enumerate(value)]
    return value if value is None or isinstance(value, bool | Enum) else Leaf(get)


def _part_of(get: _Get, key: str | int) -> _Get:
    return lambda variables: get(variables)[key]


def _has_variables(node: ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variables, node.values))
        case ObjectValueNode():
            return any(_has_variables(field.value) for field in node.fields)
    return False


def _getter(node: ValueNode, type_: GraphQLInputType) -> _Get:
    """What a value of the document is with the variables of a run."""
    if isinstance(node, VariableNode):
        return _variable(node.name.value, nullable=not is_non_null_type(type_))
    if not _has_variables(node):
        value = coerce_input_literal(node, type_)
        return _unusual if value is Undefined else lambda variables: value
    nullable = get_nullable_type(type_)
    if isinstance(node, ListValueNode) and isinstance(nullable, GraphQLList):
        items = [_getter(item, nullable.of_type) for item in node.values]
        return lambda variables: [get(variables) for get in items]
    if isinstance(node, ObjectValueNode) and isinstance(nullable, GraphQLInputObjectType):
        try:
            members = [(name, _getter(member, its)) for name, member, its in _members(node, nullable)]
        except _Unusual:
            return _unusual
        return lambda variables: {name: get(variables) for name, get in members}
    return _unusual


def _members(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Sequence[tuple[str, ValueNode, GraphQLInputType]]:
    """Of an object, in the order of its type, as graphql-core has it."""
    given = {field.name.value: field.value for field in node.fields}
    renamed = any(type_.fields[name].out_name not in (None, name) for name in given)
    has_defaults = any(_has_default(field) for name, field in type_.fields.items() if name not in given)
    if renamed or has_defaults or type_.out_type is not GraphQLInputObjectType.out_type:
        raise _Unusual
    return [(name, given[name], field.type) for name, field in type_.fields.items() if name in given]


def _has_default(field: GraphQLInputField) -> bool:
    return field.default_value is not Undefined or field.default is not None


def _variable(name: str, *, nullable: bool) -> _Get:
    def get(variables: _Variables) -> Any:
        value = variables.get(name, Undefined)
        if value is Undefined or (value is None and not nullable):
            raise _Unusual
        return value

    return get


def _unusual(variables: _Variables) -> Any:
    raise _Unusual
