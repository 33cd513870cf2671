"""Variables as graphql-core coerces them, with what it finds out about their definitions found out once."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_variable_values,
    input_is_nested_too_deeply,
)
from graphql.utilities import coerce_input_literal, coerce_input_value

from resolvers.errors import RequestError

# Each takes as long to tell as the object is large that it is in.
MAX_ERRORS = 10
# In lists and objects: reading each takes as long as a row of an answer.
MAX_VALUES = 10_000


class Variables:
    """Of one operation."""

    def __init__(self, schema: GraphQLSchema, definition: OperationDefinitionNode) -> None:
        self._schema = schema
        self._definitions = definition.variable_definitions or ()
        signatures = [get_variable_signature(schema, each) for each in self._definitions]
        self._known = [_Known(each) for each in signatures if not isinstance(each, GraphQLError)]
        self._is_plain = len(self._known) == len(signatures)

    def coerce(self, given: Mapping[str, Any]) -> VariableValues:
        """What graphql-core makes of the values that a client gave. Raises RequestError with its words."""
        found = self._coerced(given) if self._is_plain else None
        if found is None:
            by_core = get_variable_values(
                self._schema, self._definitions, dict(given), max_errors=MAX_ERRORS, hide_suggestions=True
            )
            if isinstance(by_core, list):
                raise RequestError(by_core)
            return by_core
        return found

    def _coerced(self, given: Mapping[str, Any]) -> VariableValues | None:
        """None where something is wrong, or might be."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for known in self._known:
            value = given.get(known.name, Undefined)
            if value is Undefined:
                sources[known.name] = VariableValueSource(known.signature)
                if known.default is not Undefined:
                    coerced[known.name] = known.default
                elif known.needed:
                    return None
                continue
            sources[known.name] = VariableValueSource(known.signature, value)
            if known.leaf is not None and value is not None:
                try:
                    made = known.leaf.coerce_input_value(value)
                except Exception:
                    return None
            elif known.item is not None and type(value) is list:
                try:
                    made = list(map(known.item.coerce_input_value, value))
                    if Undefined in made:
                        return None
                except Exception:
                    return None
            elif known.may_nest and input_is_nested_too_deeply(value, known.signature.type):
                return None
            else:
                made = coerce_input_value(value, known.signature.type)
            if made is Undefined:
                return None
            coerced[known.name] = made
        return VariableValues(sources, coerced)


def values_in(given: Mapping[str, Any]) -> int:
    """How many values there are within the lists and objects among variables. Raises RequestError for too many."""
    count = 0
    found: list[Any] = [value for value in given.values() if type(value) is list or type(value) is dict]
    while found:
        value = found.pop()
        count += len(value)
        if count > MAX_VALUES:
            raise RequestError([GraphQLError(f"variables may have {MAX_VALUES:,} values at most")])
        inner = value.values() if type(value) is dict else value
        found += [each for each in inner if type(each) is list or type(each) is dict]
    return count


class _Known:
    """What is known of a variable before there is a value."""

    def __init__(self, signature: GraphQLVariableSignature) -> None:
        self.signature = signature
        self.name = signature.name
        nullable = get_nullable_type(signature.type)
        self.leaf = nullable if isinstance(nullable, GraphQLScalarType | GraphQLEnumType) else None
        # Of a list without nulls.
        item = get_nullable_type(nullable.of_type) if isinstance(nullable, GraphQLList) else None
        is_plain_list = isinstance(nullable, GraphQLList) and is_non_null_type(nullable.of_type)
        self.item = item if is_plain_list and isinstance(item, GraphQLScalarType | GraphQLEnumType) else None
        # Lists of leaves are as deep as their type.
        self.may_nest = not is_leaf_type(get_named_type(signature.type))
        literal = signature.default.literal if signature.default else None
        self.default = Undefined if literal is None else coerce_input_literal(literal, signature.type)
        # A default that cannot be coerced is for graphql-core to tell.
        self.needed = is_non_null_type(signature.type) or signature.default is not None
