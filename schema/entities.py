"""Entities in what a mutation answers: the read planner selects them, graphql-core passes them through as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.caller import Caller
from schema.request import Info


@dataclass(frozen=True, slots=True)
class Planned:
    """A value in the shape of the answer already: nothing below it is executed."""

    data: Any


class ExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's execution, but for what the planner has made."""

    def build_resolve_info(self, *field: Any) -> Any:
        """With graphql-core's variables: the planner wants to know which were given, not only their values."""
        info: Any = super().build_resolve_info(*field)
        return info._replace(variable_values=self.variable_values)

    def complete_value(self, return_type: Any, field_nodes: Any, info: Any, path: Any, result: Any, *rest: Any) -> Any:
        """The value in the shape of the answer."""
        if isinstance(result, Planned):
            return result.data
        return super().complete_value(return_type, field_nodes, info, path, result, *rest)


async def entities(info: Info, type_name: str, ids: Sequence[str]) -> Any:
    """What the caller has acted on and may still be shown, in the order of `ids`, as this field selects it."""
    found = await _select(info, type_name, ids, info.context.caller)
    return Planned([entity for entity in found if entity is not None])


async def readable(info: Info, type_name: str, ids: Sequence[str]) -> Any:
    """What the caller may read, acted on or not, in the order of `ids`, as this field selects it."""
    found = await _select(info, type_name, ids, info.context.caller.only_reading)
    return Planned([entity for entity in found if entity is not None])


async def entity(info: Info, type_name: str, id: str | None) -> Any:
    """One entity; None for no id, and for one that the caller may no longer be shown or that is gone again."""
    if id is None:
        return None
    return Planned((await _select(info, type_name, [id], info.context.caller))[0])


async def found_by_id(info: Info, type_name: str, ids: Sequence[str]) -> dict[str, Any]:
    """By id, for several fields that select alike: None for what the caller may not read."""
    return dict(zip(ids, await _select(info, type_name, ids, info.context.caller.only_reading), strict=True))


async def _select(info: Info, type_name: str, ids: Sequence[str], caller: Caller) -> list[dict[str, Any] | None]:
    if not ids:
        return []
    async with info.context.reading() as size:
        return await info.context.planner.entities(type_name, ids, info._raw_info, caller, size)
