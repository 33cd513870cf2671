"""What tells plans apart: the document, the operation, the skeleton of the variables, and how a search is shaped."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from resolvers.caller import Caller
from resolvers.query.document import Operation
from resolvers.query.search import search_where
from resolvers.query.selection import Field
from resolvers.query.where import shape


def operation_key(operation: Operation, caller: Caller) -> Any:
    """What tells the plans of operations apart, but for what is written in their arguments' texts."""
    return id(operation.document), operation.name, reads_everywhere(caller), skeleton(operation.variables)


def reads_everywhere(caller: Caller) -> bool:
    """Whether the statements need no condition on namespaces."""
    return caller.readable.everywhere


def acts_everywhere(caller: Caller) -> bool:
    """Whether there is no condition on namespaces for what the caller has acted on."""
    return caller.acting.everywhere


def skeleton(value: Any) -> Any:
    """All of some variables that decides how a statement is shaped: what is there, and the words of enums."""
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return ""
    # Members are in the order of their definitions.
    if kind is dict:
        return tuple([(key, skeleton(member)) for key, member in value.items()])
    if kind is list:
        return tuple(map(skeleton, value)) if value and type(value[0]) is dict else ("list",)
    if value is None or isinstance(value, bool | Enum):
        return value
    return ""


def search_shape(field: Field) -> Any:
    """What the words of a search decide about a statement. Raises BadRequest."""
    arguments = field.arguments()
    where = arguments.get("where")
    texts = [arguments.get("search"), where.get("search") if isinstance(where, Mapping) else None]
    return tuple(shape(search_where(text)) for text in texts)
