"""Validation by graphql-core's rules: what each has to say about a kind of node is found out once, not once a document.

Asking thirty rules for their methods took a third of the time of validating.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from graphql import (
    BREAK,
    SKIP,
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OverlappingFieldsCanBeMergedRule,
    specified_rules,
    validate,
)
from graphql.language.visitor import EnterLeaveVisitor
from graphql.validation import ASTValidationContext, ValidationContext
from graphql.validation.validate import ValidationAbortedError

from resolvers.query.merging import surely_merge

_Method = Callable[..., Any]
_RULES: Sequence[type[ASTValidationRule]] = tuple(specified_rules)
# What comparing fields and fragments with each other may take; graphql-core counts it, 2 for two of them.
_COMPARING = 10_000
# In all errors of a document.
_MOST_CHARACTERS = 30_000
# The one that graphql-core gives though it is told to leave them out.
_SUGGESTION = re.compile(r" Did you mean '\w+ \{ \.\.\. \}'\?$")


def errors_in(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What the specification's rules find wrong, without a word of what would be right. Raises RecursionError."""
    errors = validate(schema, document, [_AllRules], hide_suggestions=True)
    for error in errors:
        error.message = _SUGGESTION.sub("", error.message)
    return errors


class _Counted:
    """Passes errors on until they are too long together: each may have the whole document in it."""

    def __init__(self, report: Callable[[GraphQLError], None]) -> None:
        self._report = report
        self._characters = 0

    def __call__(self, error: GraphQLError) -> None:
        if self._characters > _MOST_CHARACTERS:
            raise ValidationAbortedError("Too many validation errors, error limit reached. Validation aborted.")
        self._characters += len(error.message)
        self._report(error)


class _AllRules(ASTValidationRule):
    """All rules side by side, as graphql-core's ParallelVisitor has them; none of them edits a document."""

    def __init__(self, context: ASTValidationContext) -> None:
        super().__init__(context)
        self._rules = [rule(context) for rule in _RULES]
        # The node below which a rule wants to see nothing, or BREAK.
        self._resting: dict[int, Any] = {}
        context.on_error = _Counted(context.on_error)  # type: ignore[method-assign]
        for number, rule in enumerate(self._rules):
            if isinstance(rule, OverlappingFieldsCanBeMergedRule):
                rule.rule_context.remaining_complexity_budget = _COMPARING
                if isinstance(context, ValidationContext) and surely_merge(context.schema, context.document):
                    self._resting[number] = BREAK

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        known = self.enter_leave_map.get(kind)
        if known is None:
            known = self.enter_leave_map[kind] = self._enter_leave(*_methods(kind))
        return known

    def _enter_leave(self, entering: "_Names", leaving: "_Names") -> EnterLeaveVisitor:
        if not entering and not leaving:
            return EnterLeaveVisitor(None, None)
        enters = [(number, getattr(self._rules[number], name)) for number, name in entering]
        leaves = [(number, getattr(self._rules[number], name)) for number, name in leaving]
        resting = self._resting

        def enter(node: Node, *where: Any) -> None:
            for number, method in enters:
                if number not in resting:
                    result = method(node, *where)
                    if result is SKIP or result is False:
                        resting[number] = node
                    elif result is BREAK or result is True:
                        resting[number] = BREAK

        def leave(node: Node, *where: Any) -> None:
            rested = [number for number, since in resting.items() if since is node]
            for number, method in leaves:
                if number not in resting and method(node, *where) in (BREAK, True):
                    resting[number] = BREAK
            for number in rested:
                del resting[number]

        return EnterLeaveVisitor(enter, leave)


_Names = Sequence[tuple[int, str]]


@cache
def _methods(kind: str) -> tuple[_Names, _Names]:
    """Which rules have a method for entering a node of this kind, and for leaving it: by number, with its name."""
    return _named(f"enter_{kind}", "enter"), _named(f"leave_{kind}", "leave")


def _named(special: str, general: str) -> _Names:
    found = []
    for number, rule in enumerate(_RULES):
        name = special if hasattr(rule, special) else general
        if hasattr(rule, name):
            found.append((number, name))
    return found
