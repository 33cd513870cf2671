"""Whether the fields of a document can be merged, found out by looking at each selection once.

graphql-core compares every field with every other one of its name, and every fragment with every other one that is
spread beside it. What is plainly alike needs none of that.
"""

from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    print_ast,
)

# Selections that are looked at: a fragment counts wherever it is spread.
MOST_LOOKS = 10_000

_Found = tuple[FieldNode, GraphQLOutputType | None]
# Selections that make one object together, and its type.
_Level = tuple[GraphQLNamedType | None, list[SelectionSetNode]]


def surely_merge(schema: GraphQLSchema, document: DocumentNode) -> bool:
    """True where no two fields of one response name differ; False where some do, and might be in conflict.

    Stricter than the specification, which allows more to fields of objects that are never the same one.
    """
    return _Look(schema, document).is_plain()


class _Look:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document
        named = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
        self._fragments = {one.name.value: one for one in named}
        self._is_ambiguous = len(named) > len(self._fragments)
        self._spread: set[str] = set()
        self._known: set[tuple[str | None, frozenset[int]]] = set()
        self._arguments: dict[int, tuple[tuple[str, str], ...]] = {}
        self._left = MOST_LOOKS

    def is_plain(self) -> bool:
        if self._is_ambiguous:
            return False
        operations = [one for one in self._document.definitions if isinstance(one, OperationDefinitionNode)]
        if not self._all_alike((self._schema.get_root_type(one.operation), [one.selection_set]) for one in operations):
            return False
        # Those that no operation spreads, which is a mistake of its own.
        return all(
            name in self._spread or self._all_alike([(self._type(one), [one.selection_set])])
            for name, one in self._fragments.items()
        )

    def _all_alike(self, levels: Iterable[_Level]) -> bool:
        waiting = list(levels)
        while waiting:
            parent, sets = waiting.pop()
            key = parent.name if parent else None, frozenset(map(id, sets))
            if key in self._known:
                continue
            self._known.add(key)
            for found in self._by_key(parent, sets).values():
                if len(found) > 1 and not self._are_alike(found):
                    return False
                below = [node.selection_set for node, _ in found if node.selection_set]
                if below:
                    type_ = found[0][1]
                    waiting.append((get_named_type(type_) if type_ else None, below))
            if self._left < 0:
                return False
        return True

    def _by_key(self, parent: GraphQLNamedType | None, sets: list[SelectionSetNode]) -> dict[str, list[_Found]]:
        found: dict[str, list[_Found]] = {}
        spread: set[str] = set()
        waiting = [(parent, each) for each in sets]
        while waiting and self._left >= 0:
            type_, selections = waiting.pop()
            self._left -= len(selections.selections)
            for node in selections.selections:
                if isinstance(node, FieldNode):
                    key = node.alias.value if node.alias else node.name.value
                    found.setdefault(key, []).append((node, self._type_of_field(type_, node.name.value)))
                elif isinstance(node, InlineFragmentNode):
                    waiting.append((self._type(node) if node.type_condition else type_, node.selection_set))
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    fragment = self._fragments.get(node.name.value)
                    if fragment:
                        waiting.append((self._type(fragment), fragment.selection_set))
        self._spread |= spread
        return found

    def _type(self, node: FragmentDefinitionNode | InlineFragmentNode) -> GraphQLNamedType | None:
        return self._schema.type_map.get(node.type_condition.name.value) if node.type_condition else None

    def _type_of_field(self, parent: GraphQLNamedType | None, name: str) -> GraphQLOutputType | None:
        field = self._schema.get_field(parent, name) if is_composite_type(parent) else None
        return field.type if field else None

    def _are_alike(self, found: list[_Found]) -> bool:
        first, first_type = found[0]
        if first_type is None:
            return False
        name, type_, arguments = first.name.value, str(first_type), self._arguments_of(first)
        return all(
            node.name.value == name
            and (other is first_type or str(other) == type_)
            and self._arguments_of(node) == arguments
            and not any(directive.name.value == "stream" for directive in node.directives or ())
            for node, other in found
        )

    def _arguments_of(self, node: FieldNode) -> tuple[tuple[str, str], ...]:
        if not node.arguments:
            return ()
        known = self._arguments.get(id(node))
        if known is None:
            known = tuple(sorted((each.name.value, print_ast(each.value)) for each in node.arguments))
            self._arguments[id(node)] = known
        return known
