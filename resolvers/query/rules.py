"""Limits of a document as validation rules, so that every way of running one obeys them."""

from dataclasses import dataclass
from typing import Any

from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What one document may hold: `tokens` of text, `depth` of fields, and per operation `fields` (fragments
    counted where they are spread), `aliases`, `root_fields` and `directives`."""

    tokens: int = 5_000
    depth: int = 15
    fields: int = 2_000
    aliases: int = 100
    root_fields: int = 50
    directives: int = 50


@dataclass(slots=True)
class _Size:
    top: int = 0  # fields at its own level
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def add(self, other: "_Size", levels: int) -> None:
        self.depth = max(self.depth, other.depth + levels)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives


def limit_rule(limits: DocumentLimits) -> type[ASTValidationRule]:
    """The rule that refuses operations beyond `limits`. Made once: each making is another class."""

    class OperationLimits(ASTValidationRule):
        """An operation has a limited size."""

        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._fragments: dict[str, _Size] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            size = self._measure(node.selection_set)
            size.directives += len(node.directives or ())
            found = {
                "levels of fields": (size.depth, limits.depth),
                "fields": (size.fields, limits.fields),
                "aliases": (size.aliases, limits.aliases),
                "directives": (size.directives, limits.directives),
                "root fields": (size.top, limits.root_fields),
            }
            for name, (given, most) in found.items():
                if given > most:
                    message = f"An operation may have at most {most} {name}; this one has {given}."
                    self.context.report_error(GraphQLError(message, node, extensions={"code": "TOO_COMPLEX"}))

        def _measure(self, selections: SelectionSetNode | None) -> _Size:
            size = _Size()
            for node in selections.selections if selections else ():
                size.directives += len(node.directives or ())
                if isinstance(node, FieldNode):
                    size.fields += 1
                    size.top += 1
                    size.aliases += node.alias is not None
                    # Introspection is bounded by itself, and tools nest it deeply.
                    is_introspection = node.name.value.startswith("__")
                    below = self._measure(node.selection_set)
                    if is_introspection:
                        below.depth = 0
                    size.add(below, 1)
                elif isinstance(node, InlineFragmentNode):
                    inside = self._measure(node.selection_set)
                    size.add(inside, 0)
                    size.top += inside.top
                elif isinstance(node, FragmentSpreadNode):
                    inside = self._fragment(node.name.value)
                    size.add(inside, 0)
                    size.top += inside.top
            return size

        def _fragment(self, name: str) -> _Size:
            if name not in self._fragments:
                # A fragment that spreads itself is another rule's business; here it must only end.
                self._fragments[name] = _Size()
                fragment = self.context.get_fragment(name)
                if isinstance(fragment, FragmentDefinitionNode):
                    self._fragments[name] = self._measure(fragment.selection_set)
            return self._fragments[name]

    return OperationLimits
