"""How many conditions an operation has: each is planned, and tried on row after row, however little comes back."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from resolvers.query.cost import Amount, sum_of

# What one more of each costs (see resolvers.query.cost).
CONDITION_COST = 10

_FILTERS = ("where", "search")
# A word of a search is looked for in the title, the description and the scope; a label has a statement of its own.
_OF_A_WORD = 3
_OF_A_LABEL = 2


def conditions_of(definition: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Amount:
    """In every `where` and `search` of a valid operation, as often as it is used; fragments where they are spread."""
    return sum_of(_of_value(name, value) for name, value in _filters(definition.selection_set, fragments))


def _filters(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[str, ValueNode]]:
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            yield from _filters(fragments[node.name.value].selection_set, fragments)
            continue
        if isinstance(node, FieldNode):
            for argument in node.arguments or ():
                if argument.name.value in _FILTERS:
                    yield argument.name.value, argument.value
        if node.selection_set:  # type: ignore[attr-defined]
            yield from _filters(node.selection_set, fragments)  # type: ignore[attr-defined]


def _of_value(name: str, node: ValueNode) -> Amount:
    match node:
        case VariableNode():
            variable = node.name.value
            return lambda variables: _in_value(name, variables.get(variable))
        case ObjectValueNode():
            parts = [(field.name.value, field.value) for field in node.fields]
            return _weighed(name, sum_of(_of_value(*part) for part in parts) if parts else 1)
        case ListValueNode() if node.values and not _has_leaves(node):
            return sum_of(_of_value(name, value) for value in node.values)
        case NullValueNode():
            return 0
        case StringValueNode() if name == "search":
            return _in_value(name, node.value)
    return 1


def _has_leaves(node: ListValueNode) -> bool:
    return not any(isinstance(value, ObjectValueNode | VariableNode) for value in node.values)


def _in_value(name: str, value: Any) -> int:
    """Of a variable's value, coerced or not, where a member of this name has it."""
    kind = type(value)
    if kind is dict:
        count = sum([_in_value(*member) for member in value.items()]) if value else 1
        return _weighed_number(name, count)
    if kind is list:
        objects = [each for each in value if type(each) is dict]
        return sum([_in_value(name, each) for each in objects]) if objects else 1
    if value is None:
        return 0
    if name == "search" and kind is str:
        return _OF_A_WORD * max(1, len(value.split()))
    return 1


def _weighed_number(name: str, count: int) -> int:
    if name == "label":
        return count + _OF_A_LABEL
    # Of a line of the log: as it was before, and after.
    return 2 * count if name == "issue" else count


def _weighed(name: str, amount: Amount) -> Amount:
    if isinstance(amount, int):
        return _weighed_number(name, amount)
    return lambda variables: _weighed_number(name, amount(variables))
