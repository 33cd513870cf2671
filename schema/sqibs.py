"""Filters of Callgoose SQIBS, as they are filled in there."""

from collections.abc import Sequence

import strawberry
from strawberry import UNSET

from resolvers.errors import UserError as BrokenRule
from resolvers.webhooks.filters import HIGH, LOW, Condition, Filter
from schema.enums import Word, enum

MAX_FILTERS = 50
MAX_CONDITIONS = 2
MAX_CONTAINED = 50
MAX_KEY_LENGTH = 200

_KEY = "A key of the payload, at any depth, or a path with dots."
_CONDITIONS = f"One or {MAX_CONDITIONS}; all must hold."


@enum("How bad what a filter triggers is, where the payload does not say.")
class SqibsUrgency(Word):
    HIGH = HIGH, "Major."
    LOW = LOW, "Minor."


@strawberry.input(description="A payload JSON key and what its value contains.")
class SqibsConditionInput:
    key: str = strawberry.field(description=_KEY)
    contains: list[str] | None = strawberry.field(
        default=UNSET, description="One of these, whatever the case; none: the key must be there."
    )


@strawberry.input(description="What opens an incident.")
class SqibsTriggerInput:
    conditions: list[SqibsConditionInput] = strawberry.field(description=_CONDITIONS)
    title_from: str | None = strawberry.field(default=UNSET, description="Incident Title From. " + _KEY)
    description_from: str | None = strawberry.field(default=UNSET, description="Incident Description From. " + _KEY)
    map_with: str | None = strawberry.field(default=UNSET, description="Map Incident With. " + _KEY)
    urgency: SqibsUrgency = strawberry.field(default=SqibsUrgency.HIGH, description="Urgency.")


@strawberry.input(description="What resolves the active incident with the same mapped value.")
class SqibsResolveInput:
    conditions: list[SqibsConditionInput] = strawberry.field(description=_CONDITIONS)
    map_with: str | None = strawberry.field(default=UNSET, description="Incident Mapped With. " + _KEY)


@strawberry.input(description="A filter of a service of SQIBS.")
class SqibsFilterInput:
    trigger: SqibsTriggerInput = strawberry.field(description="What opens an incident.")
    resolve: SqibsResolveInput | None = strawberry.field(default=UNSET, description="What resolves it.")


def filters_of(given: Sequence[SqibsFilterInput]) -> tuple[list[Filter], list[Filter]] | BrokenRule:
    """What triggers and what resolves, or what is wrong with them."""
    if not 0 < len(given) <= MAX_FILTERS:
        return _wrong(("filters",), f"give 1 to {MAX_FILTERS} filters")
    resolving = {
        number: each.resolve for number, each in enumerate(given) if isinstance(each.resolve, SqibsResolveInput)
    }
    problems = [_wrong_conditions((str(number), "trigger"), each.trigger) for number, each in enumerate(given)]
    problems += [_wrong_conditions((str(number), "resolve"), each) for number, each in resolving.items()]
    for problem in problems:
        if problem is not None:
            return problem
    return [_filter(each.trigger) for each in given], [_filter(each) for each in resolving.values()]


def _wrong_conditions(place: tuple[str, str], given: SqibsTriggerInput | SqibsResolveInput) -> BrokenRule | None:
    path = ("filters", *place, "conditions")
    if not 0 < len(given.conditions) <= MAX_CONDITIONS:
        return _wrong(path, f"give 1 to {MAX_CONDITIONS} conditions")
    for number, each in enumerate(given.conditions):
        at = (*path, str(number))
        if not 0 < len(each.key.strip()) <= MAX_KEY_LENGTH:
            return _wrong((*at, "key"), f"a key has 1 to {MAX_KEY_LENGTH} characters")
        if len(each.contains or ()) > MAX_CONTAINED:
            return _wrong((*at, "contains"), f"give {MAX_CONTAINED} texts at most")
    return None


def _filter(given: SqibsTriggerInput | SqibsResolveInput) -> Filter:
    conditions = [Condition(key=each.key.strip(), contains=tuple(each.contains or ())) for each in given.conditions]
    if isinstance(given, SqibsResolveInput):
        return Filter(conditions=conditions, map_with=given.map_with or "")
    return Filter(
        conditions=conditions,
        map_with=given.map_with or "",
        title_from=given.title_from or "",
        description_from=given.description_from or "",
        urgency=given.urgency,
    )


def _wrong(field: tuple[str, ...], message: str) -> BrokenRule:
    return BrokenRule(code="INVALID", field=field, message=message)
