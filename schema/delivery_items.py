"""The items of a delivery in the shape of the answer: there may be thousands, which nothing executes one by one."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema
from graphql.execution.collect_fields import FieldDetails

from resolvers.query.selection import Field, Selection
from resolvers.turns import mapped
from resolvers.webhooks.history import KeptItem
from schema.entities import Planned
from schema.enums import DeliveryAction
from schema.request import Info

TYPE = "DeliveryItem"
# Issues that are read at a time.
_ISSUES_AT_ONCE = 100
_ACTIONS = {action.value: action.name for action in DeliveryAction}
_LEAVES: dict[str, Callable[[KeptItem], Any]] = {
    "__typename": lambda result: TYPE,
    "index": lambda result: result["index"],
    "action": lambda result: _ACTIONS[result["action"]],
    "rule": lambda result: result["rule"],
    "message": lambda result: result["message"],
    "notices": lambda result: result["notices"],
    "namespace": lambda result: result["namespace"],
    "issueIds": lambda result: result["issue_ids"],
}
_OF_PART: dict[str, Callable[[Sequence[str]], str]] = {
    "__typename": lambda part: "FingerprintPart",
    "name": lambda part: part[0],
    "value": lambda part: part[1],
}


async def shown(info: Info, results: Sequence[KeptItem]) -> Any:
    """What the field of `info` selects of items; others have their turn in between.

    Raises Unavailable, TooLarge and Overloaded.
    """
    raw = info._raw_info
    selection = Selection(raw.schema, raw.operation, raw.fragments, raw.variable_values)
    fields = selection.subfields(tuple(FieldDetails(node, None) for node in raw.field_nodes), TYPE)
    members = [(field.key, await _member(info, field, results)) for field in fields]
    return Planned(await mapped(lambda result: {key: value(result) for key, value in members}, results))


async def _member(info: Info, field: Field, results: Sequence[KeptItem]) -> Callable[[KeptItem], Any]:
    if field.name == "issues":
        return await _issues(info, field, results)
    if field.name == "fingerprint":
        parts = [(part.key, _OF_PART[part.name]) for part in field.fields()]
        return lambda result: [{key: value(part) for key, value in parts} for part in result["fingerprint"]]
    return _LEAVES[field.name]


async def _issues(info: Info, field: Field, results: Sequence[KeptItem]) -> Callable[[KeptItem], Any]:
    """Those of all items that the caller may read."""
    nodes = [each.node for each in field.details]
    raw = info._raw_info
    of_field = raw._replace(field_name=field.name, field_nodes=nodes, parent_type=_type_of_items(raw.schema))
    ids = list(dict.fromkeys(id for result in results for id in result["issue_ids"]))
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _ISSUES_AT_ONCE):
        some = ids[start : start + _ISSUES_AT_ONCE]
        context = info.context
        issues = await context.planner.entities("Issue", some, of_field, context.caller.only_reading, context.size)
        found.update((id, issue) for id, issue in zip(some, issues, strict=True) if issue is not None)
    return lambda result: [found[id] for id in result["issue_ids"] if id in found]


def _type_of_items(schema: GraphQLSchema) -> GraphQLObjectType:
    type_ = schema.type_map[TYPE]
    assert isinstance(type_, GraphQLObjectType)
    return type_
