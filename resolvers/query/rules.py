"""Limits of a document, so that every way of running one obeys them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Token,
    TokenKind,
)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What one document may hold: `tokens` of text, `operations`, `depth` of fields, and per operation `fields`
    (fragments counted where they are spread), `aliases`, `root_fields` and `directives`; `cost` and `conditions`, see
    resolvers.query.cost and resolvers.query.conditions."""

    tokens: int = 5_000
    operations: int = 50
    depth: int = 15
    fields: int = 2_000
    aliases: int = 100
    root_fields: int = 50
    directives: int = 50
    cost: int = 20_000
    conditions: int = 200


_TOO_COMPLEX = {"code": "TOO_COMPLEX"}
# Characters of one; a longer name or number is a mistake, or meant to keep us busy.
_LENGTHS = {TokenKind.NAME: ("name", 1_000), TokenKind.INT: ("number", 100), TokenKind.FLOAT: ("number", 100)}
_LONG = re.compile(r"(?<![\w.+-])[\w.+-]{101,}")


@dataclass(slots=True)
class _Totals:
    top: int = 0  # fields at its own level
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def add(self, other: "_Totals", levels: int) -> None:
        self.depth = max(self.depth, other.depth + levels)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives


def beyond(limits: DocumentLimits, document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with the size of a document's operations. Not by a visitor, which takes ten times as long."""
    if lengthy := _lengthy(document):
        return lengthy
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    measure = _Measure(fragments)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > limits.operations:
        message = f"A document may have at most {limits.operations} operations; this one has {len(operations)}."
        return [GraphQLError(message, extensions=_TOO_COMPLEX)]
    return [error for node in operations for error in _errors(limits, node, measure.of(node.selection_set))]


def _lengthy(document: DocumentNode) -> list[GraphQLError]:
    where = document.loc
    # What is found may be in a string, which is no matter.
    if where is None or not _LONG.search(where.source.body):
        return []
    token: Token | None = where.start_token
    while token:
        what, most = _LENGTHS.get(token.kind, ("", 0))
        if what and len(token.value or "") > most:
            message = f"A {what} may have at most {most:,} characters; this one has {len(token.value or ''):,}."
            return [GraphQLError(message, source=where.source, positions=[token.start], extensions=_TOO_COMPLEX)]
        token = token.next
    return []


def _errors(limits: DocumentLimits, node: OperationDefinitionNode, totals: _Totals) -> Iterator[GraphQLError]:
    found = {
        "levels of fields": (totals.depth, limits.depth),
        "fields": (totals.fields, limits.fields),
        "aliases": (totals.aliases, limits.aliases),
        "directives": (totals.directives + len(node.directives or ()), limits.directives),
        "root fields": (totals.top, limits.root_fields),
    }
    for name, (given, most) in found.items():
        if given > most:
            message = f"An operation may have at most {most} {name}; this one has {given}."
            yield GraphQLError(message, node, extensions=_TOO_COMPLEX)


class _Measure:
    """Of selections; a fragment is measured once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._nodes = fragments
        self._fragments: dict[str, _Totals] = {}

    def of(self, selections: SelectionSetNode | None) -> _Totals:
        totals = _Totals()
        for node in selections.selections if selections else ():
            totals.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                totals.fields += 1
                totals.top += 1
                totals.aliases += node.alias is not None
                # Introspection is bounded by itself, and tools nest it deeply.
                is_introspection = node.name.value.startswith("__")
                below = self.of(node.selection_set)
                if is_introspection:
                    below.depth = 0
                totals.add(below, 1)
            elif isinstance(node, InlineFragmentNode):
                inside = self.of(node.selection_set)
                totals.add(inside, 0)
                totals.top += inside.top
            elif isinstance(node, FragmentSpreadNode):
                inside = self._fragment(node.name.value)
                totals.add(inside, 0)
                totals.top += inside.top
        return totals

    def _fragment(self, name: str) -> _Totals:
        if name not in self._fragments:
            # A fragment that spreads itself is another rule's business; here it must only end.
            self._fragments[name] = _Totals()
            if name in self._nodes:
                self._fragments[name] = self.of(self._nodes[name].selection_set)
        return self._fragments[name]
