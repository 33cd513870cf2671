"""A filter tree as a Python function, over images of issues and over lines: decides exactly as the SQL does."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from resolvers.query.lists import issue_of_line
from resolvers.query.plan import plain
from resolvers.query.where import ALWAYS, All, HasLabel, Node, Not, Some, Test, event_where, leaves
from resolvers.subscription.line import Image, Line, Match

Holds = Callable[[Mapping[str, Any]], bool]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "in": lambda found, values: found in values,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "contains": lambda found, part: part in found,
    "starts_with": lambda found, part: found.startswith(part),
}


def predicate(node: Node) -> Holds:
    """Whether the tree holds for members by their names (those of `models.image`)."""
    match node:
        case All(parts):
            all_of = tuple(map(predicate, parts))
            return lambda members: all(holds(members) for holds in all_of)
        case Some(parts):
            some_of = tuple(map(predicate, parts))
            return lambda members: any(holds(members) for holds in some_of)
        case Not(part):
            holds_not = predicate(part)
            return lambda members: not holds_not(members)
        case HasLabel(name, value):
            fits = predicate(value)
            return lambda members: any(label["name"] == name and fits(label) for label in members["labels"])
        case Test(member, "is_null", value):
            return lambda members: (members[member] is None) is value
        case Test(member, "ne", value):
            return lambda members: members[member] != value
        case Test(member, op, value):
            compare = _COMPARISONS[op]
            return lambda members: (found := members[member]) is not None and compare(found, value)


def matcher(where: Mapping[str, Any] | None) -> Callable[[Line], Match | None]:
    """What a line means for an IssueEventWhere: None when neither the line nor its issue is in it.

    Raises BadRequest.
    """
    node = event_where(where)
    holds_for_line = _checked_predicate(node)
    in_list = image_matcher(issue_of_line(where))

    def match(line: Line) -> Match | None:
        if node != ALWAYS and not holds_for_line(_members(line)):
            return None
        return in_list(line)

    return match


def image_matcher(node: Node) -> Callable[[Line], Match | None]:
    """What a line means for the list of issues that a tree describes. Raises BadRequest for what no row can hold."""
    holds = _checked_predicate(node)

    def match(line: Line) -> Match | None:
        was, is_ = _holds(holds, line.before), _holds(holds, line.after)
        if is_:
            return Match.STAYED if was else Match.ENTERED
        return Match.LEFT if was else None

    return match


def _checked_predicate(node: Node) -> Holds:
    for value in leaves(node):
        # The SQL refuses these too.
        plain(value)
    return predicate(node)


def _holds(holds: Holds, image: Image | None) -> bool:
    return image is not None and holds(image)


def _members(line: Line) -> Mapping[str, Any]:
    return {name: getattr(line, name) for name in ("kind", "at", *_ACTOR)}


_ACTOR = ("actor_kind", "actor_id", "actor_name", "actor_name_folded")
