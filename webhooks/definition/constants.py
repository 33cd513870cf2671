"""What is the same for every delivery, so that what can never hold is found when a definition is saved."""

import time
from collections.abc import Iterator
from typing import Any

from models.values import parse_time
from resolvers.mutation.checks import is_web_address
from webhooks.compiling import give_way
from webhooks.expressions import Context, Expression, Template
from webhooks.fence import branches_of
from webhooks.functions import text_of
from webhooks.work import Work

# In place of a value: it depends on the delivery.
DEPENDS = object()
# What a field that need not be there may always be.
_EMPTY = (None, "")


def constant_of(source: Template | Expression) -> Any:
    """What it always gives, or DEPENDS. Raises Failed where it never gives anything."""
    if isinstance(source, Template) and not source.expressions:
        return source.parts[0]
    expressions = source.expressions if isinstance(source, Template) else (source,)
    if any(expression.compiled.variables or expression.compiled.paths for expression in expressions):
        return DEPENDS
    begun = time.perf_counter()
    functions = frozenset(name for expression in expressions for name in expression.compiled.functions)
    value = source.value(Context({}, functions, work=Work()))
    give_way(begun)
    return value


def constant_branches(template: Template, variables: frozenset[str]) -> Iterator[Expression]:
    """Of one that is nothing but a choice, `${a ? b : c}`, what it may give that is the same for every delivery."""
    if len(template.parts) != 1:
        return
    for expression in template.expressions:
        for branch in branches_of(expression.source):
            chosen = Expression(branch, variables)
            if not chosen.compiled.variables and not chosen.compiled.paths:
                yield chosen


def no_text(value: Any) -> str | None:
    """What is wrong with a constant text that must be there; likewise below. None: nothing."""
    return None if text_of(value).strip() else "must not be empty"


def no_condition(value: Any) -> str | None:
    """Of a `when`."""
    return None if isinstance(value, bool) else "must give true or false"


def no_time(value: Any) -> str | None:
    """Of a time, which may be empty."""
    try:
        if value not in _EMPTY:
            parse_time(text_of(value))
    except ValueError:
        return "must be an RFC 3339 time with an offset"
    return None


def no_address(value: Any) -> str | None:
    """Of a link's address, which may be empty."""
    return None if value in _EMPTY or is_web_address(text_of(value)) else "must be a http or https address"


def no_list(value: Any) -> str | None:
    """Of a list."""
    return None if isinstance(value, list) else "must be one ${...} that gives a list"


def no_object(value: Any) -> str | None:
    """Of an object, which may be empty."""
    return None if value in _EMPTY or isinstance(value, dict) else "must be one ${...} that gives an object"
