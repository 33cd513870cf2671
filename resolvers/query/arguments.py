"""Arguments of a field with the variables of a run: what graphql-core gives, without walking the document again."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues
from graphql.utilities import coerce_input_literal

from resolvers.query.selection import Field

_Variables = Mapping[str, Any]
_Get = Callable[[_Variables], Any]


class _Unusual(Exception):
    """A variable without a value, or null where null may not be: graphql-core knows what that means."""


def arguments_of(field: Field, names: Collection[str]) -> Callable[[VariableValues], Mapping[str, Any]] | None:
    """These arguments for the variables of any run with the same skeleton; None where no variables are in them.

    The function raises GraphQLError.
    """
    given = {node.name.value: node.value for node in field.details[0].node.arguments or ()}
    varying = {name: node for name, node in given.items() if name in names and _has_variables(node)}
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
        return _object(node, nullable)
    return _unusual


def _object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> _Get:
    given = {field.name.value: field.value for field in node.fields}
    absent = [field for name, field in type_.fields.items() if name not in given]
    renamed = any(type_.fields[name].out_name not in (None, name) for name in given)
    has_defaults = any(field.default_value is not Undefined or field.default is not None for field in absent)
    if renamed or has_defaults or type_.out_type is not GraphQLInputObjectType.out_type:
        return _unusual
    # In the order of the type, as graphql-core has it.
    members = [(name, _getter(given[name], field.type)) for name, field in type_.fields.items() if name in given]
    return lambda variables: {name: get(variables) for name, get in members}


def _variable(name: str, *, nullable: bool) -> _Get:
    def get(variables: _Variables) -> Any:
        value = variables.get(name, Undefined)
        if value is Undefined or (value is None and not nullable):
            raise _Unusual
        return value

    return get


def _unusual(variables: _Variables) -> Any:
    raise _Unusual
