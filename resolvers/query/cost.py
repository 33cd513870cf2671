"""What an operation may cost at most, before it runs: found out once a document, but for what variables decide."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

# Where the schema's fields keep a `FieldCost`.
EXTENSION = "issuegraph.cost"
# `__schema` and `__type`, whatever is selected of them: the answer is bounded by the schema.
INTROSPECTION = 100


@dataclass(frozen=True, slots=True)
class ListLength:
    """How long a list may be: as one of the `arguments` says (a number, or a list by its length), else `default`.

    `of` are the lists within the field's object that are so long; without it the field is the list itself.
    An argument may be a member of an input object: `input.ids`.
    """

    arguments: tuple[str, ...] = ()
    default: int = 1
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldCost:
    """How long the lists of a field may be, and its `weight`: what it costs beside its objects, however many."""

    weight: int = 0
    sizes: tuple[ListLength, ...] = ()


_Variables = Mapping[str, Any]
# A number, or what gives it from coerced variables.
Amount = int | Callable[[_Variables], int]
# What a directive asks of a variable: its name, and whether it must be true.
_Condition = tuple[str, bool]
_FREE = FieldCost()


def cost_of(
    schema: GraphQLSchema, definition: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Amount:
    """The cost of a valid operation, at least 1: 1 an object, 0 a leaf, and a list as many times as it may be long."""
    root = schema.get_root_type(definition.operation)
    assert root
    cost = _Costs(schema, fragments).of_object([definition.selection_set], root, {})
    return max(1, cost) if isinstance(cost, int) else lambda variables: max(1, cost(variables))


@dataclass(slots=True)
class _Selected:
    """The nodes of one response key, and when each is there."""

    nodes: list[FieldNode]
    conditions: list[frozenset[_Condition]]


class _Costs:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments

    def of_object(
        self, sets: Sequence[SelectionSetNode], type_: GraphQLObjectType, sizes: Mapping[str, Amount]
    ) -> Amount:
        """Of what is selected below an object; `sizes` are those of its lists that a field above knows."""
        found: dict[str, _Selected] = {}
        for selections in sets:
            for node, conditions in self._fields(selections, type_, frozenset()):
                key = node.alias.value if node.alias else node.name.value
                selected = found.setdefault(key, _Selected([], []))
                selected.nodes.append(node)
                selected.conditions.append(conditions)
        return sum_of(_where(each.conditions, self._of_field(each.nodes, type_, sizes)) for each in found.values())

    def _of_field(self, nodes: Sequence[FieldNode], parent: GraphQLObjectType, sizes: Mapping[str, Amount]) -> Amount:
        name = nodes[0].name.value
        if name.startswith("__"):
            return 0 if name == "__typename" else INTROSPECTION
        field = parent.fields[name]
        known: FieldCost = field.extensions.get(EXTENSION, _FREE)
        type_ = get_named_type(field.type)
        if not is_composite_type(type_):
            return known.weight
        below: dict[str, Amount] = {}
        # Of an object that is no list it is 1.
        size = sizes.get(name, 1)
        for each in known.sizes:
            length = _length(each, nodes[0].arguments or ())
            if each.of:
                below.update(dict.fromkeys(each.of, length))
            else:
                size = length
        sets = [node.selection_set for node in nodes if node.selection_set]
        possible = self._schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        inside = _most([self.of_object(sets, each, below) for each in possible])  # type: ignore[arg-type]
        return sum_of([known.weight, _times(size, sum_of([1, inside]))])

    def _fields(
        self, selections: SelectionSetNode, type_: GraphQLObjectType, conditions: frozenset[_Condition]
    ) -> Iterator[tuple[FieldNode, frozenset[_Condition]]]:
        """The fields that may be in an object of this type, fragments resolved."""
        for node in selections.selections:
            own = _conditions(node)
            if own is None:
                continue
            if isinstance(node, FieldNode):
                yield node, conditions | own
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._fits(type_, node.type_condition.name.value):
                    yield from self._fields(node.selection_set, type_, conditions | own)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._fits(type_, fragment.type_condition.name.value):
                    yield from self._fields(fragment.selection_set, type_, conditions | own)

    def _fits(self, type_: GraphQLObjectType, condition: str) -> bool:
        named = self._schema.type_map[condition]
        return named is type_ or (is_abstract_type(named) and self._schema.is_sub_type(named, type_))


def sum_of(amounts: Iterable[Amount]) -> Amount:
    """Of all of them."""
    fixed, varying = 0, []
    for amount in amounts:
        if isinstance(amount, int):
            fixed += amount
        else:
            varying.append(amount)
    if not varying:
        return fixed
    if len(varying) == 1:
        (only,) = varying
        return (lambda variables: fixed + only(variables)) if fixed else only
    return lambda variables: fixed + sum([each(variables) for each in varying])


def _times(size: Amount, amount: Amount) -> Amount:
    if isinstance(size, int):
        if isinstance(amount, int):
            return size * amount
        return lambda variables: size * amount(variables)
    if isinstance(amount, int):
        return lambda variables: size(variables) * amount
    return lambda variables: size(variables) * amount(variables)


def _most(amounts: Sequence[Amount]) -> Amount:
    if len(amounts) == 1:
        return amounts[0]
    fixed = [amount for amount in amounts if isinstance(amount, int)]
    varying = [amount for amount in amounts if not isinstance(amount, int)]
    least = max(fixed, default=0)
    return (lambda variables: max(least, *[each(variables) for each in varying])) if varying else least


def _where(conditions: Sequence[frozenset[_Condition]], amount: Amount) -> Amount:
    """The amount where one of the conditions holds, else 0."""
    if not all(conditions) or amount == 0:
        return amount

    def found(variables: _Variables) -> int:
        if not any(all(variables.get(name) is wanted for name, wanted in each) for each in conditions):
            return 0
        return amount if isinstance(amount, int) else amount(variables)

    return found


def _conditions(node: SelectionNode) -> frozenset[_Condition] | None:
    """What @skip and @include ask of variables; None for what is never there."""
    asked: set[_Condition] = set()
    for directive in node.directives or ():
        if directive.name.value not in ("skip", "include"):
            continue
        wanted = directive.name.value == "include"
        (argument,) = directive.arguments or ()
        if isinstance(argument.value, VariableNode):
            asked.add((argument.value.name.value, wanted))
        elif isinstance(argument.value, BooleanValueNode) and argument.value.value is not wanted:
            return None
    return frozenset(asked)


def _length(size: ListLength, arguments: Sequence[ArgumentNode]) -> Amount:
    """How long a list may be with these arguments."""
    given = {argument.name.value: argument.value for argument in arguments}
    lengths = [_length_of(given[name], path) for name, *path in _paths(size) if name in given]
    fixed = max([length for length in lengths if isinstance(length, int)], default=_SILENT)
    varying = [length for length in lengths if not isinstance(length, int)]
    default = size.default
    if not varying:
        return default if fixed == _SILENT else fixed
    if fixed == _SILENT and len(varying) == 1:
        (only,) = varying

        def its_length(variables: _Variables) -> int:
            found = only(variables)
            return default if found == _SILENT else found

        return its_length

    def length(variables: _Variables) -> int:
        longest = max(fixed, *[each(variables) for each in varying])
        return default if longest == _SILENT else longest

    return length


def _paths(size: ListLength) -> Iterator[list[str]]:
    for argument in size.arguments:
        yield argument.split(".")


# What stands for a value that says nothing: the default is taken.
_SILENT = -1


def _length_of(node: ValueNode, path: Sequence[str]) -> Amount:
    match node:
        case VariableNode():
            name = node.name.value
            return lambda variables: _length_in(variables.get(name), path)
        case ObjectValueNode() if path:
            inside = [field.value for field in node.fields if field.name.value == path[0]]
            return _length_of(inside[0], path[1:]) if inside else _SILENT
        case IntValueNode():
            return max(0, int(node.value))
        case ListValueNode():
            return len(node.values)
        case NullValueNode():
            return _SILENT
    return 1


def _length_in(value: Any, path: Sequence[str]) -> int:
    if type(value) is int:
        return value if value > 0 else 0
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        return len(value)
    if value is None:
        return _SILENT
    return 1
