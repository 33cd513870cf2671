"""Filters as one small tree: the same tree is compiled to SQL (`condition.py`) and to Python (`predicate.py`).

Two-valued: a value that is null fulfils no comparison but `ne` and `isNull`, and `not` is the exact complement.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.image import ISSUE_MEMBERS, SCOPE_MEMBERS
from models.values import fold, parse_id
from models.words import SEVERITIES
from resolvers.errors import BadRequest
from resolvers.query.leaf import made

MAX_WHERE_DEPTH = 20
MAX_WHERE_TESTS = 300

Given = Mapping[str, Any]  # an input object as graphql-core coerced it; leaves may stand for its values


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts, always."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; without parts, never."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Test:
    """A member compared with a value.

    `member` is a column (and a member of images) or of the thing that is tested. `op`: eq, ne, in, gt, gte, lt, lte,
    contains and starts_with (both sides folded), is_null (`value` is the bool; part of the shape of the statement).
    """

    member: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class HasLabel:
    """The issue has a label of this name for whose value `value` holds (members `value`, `value_folded`)."""

    name: str
    value: "Node"


Node = All | Some | Not | Test | HasLabel

ALWAYS = All(())
NEVER = Some(())
OR_NULL = frozenset(
    {"source", "source_folded", "resolved_at", "acknowledged_at", "actor_kind", "actor_id", "actor_name"}
    | {"actor_name_folded"}
)
SCOPE_ONLY = frozenset(SCOPE_MEMBERS)
assert not SCOPE_ONLY & set(ISSUE_MEMBERS)


def leaves(node: Node) -> list[Any]:
    """The values of a tree in the order in which `condition.py` binds them."""
    found: list[Any] = []
    _add_leaves(node, found)
    return found


def _add_leaves(node: Node, found: list[Any]) -> None:
    match node:
        case Test(_, op, value):
            if op != "is_null":
                found.append(value)
        case All(parts) | Some(parts):
            for part in parts:
                _add_leaves(part, found)
        case Not(part):
            _add_leaves(part, found)
        case HasLabel(name, value):
            found.append(name)
            _add_leaves(value, found)


def shape(node: Node) -> Any:
    """All of a tree but its values: equal shapes are one statement."""
    match node:
        case All(parts):
            return ("all", *map(shape, parts))
        case Some(parts):
            return ("any", *map(shape, parts))
        case Not(part):
            return ("not", shape(part))
        case HasLabel(_, value):
            return ("label", shape(value))
        case Test(member, op, value):
            return (member, op, value if op == "is_null" else None)


def uses_scope(node: Node) -> bool:
    """Whether a column of the scope is needed."""
    match node:
        case All(parts) | Some(parts):
            return any(map(uses_scope, parts))
        case Not(part):
            return uses_scope(part)
        case Test(member, _, _):
            return member in SCOPE_ONLY
    return False


def both(*nodes: Node) -> Node:
    """All of them hold."""
    parts = tuple([node for node in nodes if node is not ALWAYS and node != ALWAYS])
    return parts[0] if len(parts) == 1 else All(parts)


def issue_where(given: Given | None) -> Node:
    """The tree of an IssueWhere. Raises BadRequest for one that is larger than a database would take."""
    tree = _issue_where(given, MAX_WHERE_DEPTH)
    if _tests(tree) > MAX_WHERE_TESTS:
        raise BadRequest(f"where may have {MAX_WHERE_TESTS} conditions at most")
    return tree


def _issue_where(given: Given | None, levels: int) -> Node:
    if not levels:
        raise BadRequest(f"where may be nested {MAX_WHERE_DEPTH} levels deep at most")
    parts: list[Node] = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        match name:
            case "and":
                parts.append(All(tuple(_issue_where(each, levels - 1) for each in value)))
            case "or":
                parts.append(Some(tuple(_issue_where(each, levels - 1) for each in value)))
            case "not":
                parts.append(Not(_issue_where(value, levels - 1)))
            case "scope":
                parts.append(scope_where(value, id_member="scope_id"))
            case "label":
                parts.append(HasLabel(value["name"], _text("value", value.get("value") or {})))
            case _:
                member, parse = _ISSUE_MEMBERS[name]
                parts.append(parse(member, value))
    return both(*parts)


def _tests(node: Node) -> int:
    """How many conditions a tree has; one that always or never holds is one too."""
    match node:
        case All(parts) | Some(parts):
            return sum(map(_tests, parts)) or 1
        case Not(part):
            return _tests(part)
        case HasLabel(_, value):
            return _tests(value)
    return 1


def scope_where(given: Given | None, *, id_member: str = "id") -> Node:
    """The tree of a ScopeWhere, on rows of `scope`, or of issues joined with theirs (`id_member` scope_id)."""
    parts: list[Node] = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        if name == "id":
            parts.append(_id(id_member, value))
        else:
            parts.append(_text(_SCOPE_MEMBERS[name], value))
    return both(*parts)


def event_where(given: Given | None) -> Node:
    """The tree of what an IssueEventWhere says of the line itself (`issue` and `search` are of its issue)."""
    parts: list[Node] = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        if name == "kind":
            parts.append(_word("kind", value))
        elif name == "at":
            parts.append(_ordered("at", value))
        elif name == "actor":
            parts.append(_actor_where(value))
    return both(*parts)


def _actor_where(given: Given) -> Node:
    parts: list[Node] = [Not(Test("actor_kind", "is_null", True))]
    for name, value in given.items():
        if value is None:
            continue
        if name == "id":
            # Not a UUID: whatever text names an actor.
            parts.append(_comparisons("actor_id", value, {"eq": _as_is, "in": _as_is}))
        elif name == "name":
            parts.append(_text("actor_name", value))
        else:
            parts.append(Test("actor_kind", "eq", made(str, value)))
    return both(*parts)


def _comparisons(member: str, given: Given, ops: Mapping[str, Callable[[Any], Any]]) -> Node:
    return both(*(Test(member, op, made(ops[op], value)) for op, value in given.items() if value is not None))


def _text(member: str, given: Given) -> Node:
    parts: list[Node] = []
    for op, value in given.items():
        if value is None:
            continue
        if op in ("contains", "startsWith"):
            op = "contains" if op == "contains" else "starts_with"
            parts.append(Test(f"{member}_folded", op, made(fold, value)))
        else:
            parts.append(Test(member, op, value))
    return both(*parts)


def _id(member: str, given: Given) -> Node:
    parts: list[Node] = []
    if given.get("eq") is not None:
        parts.append(Test(member, "in", made(lambda id: ids([id]), given["eq"])))
    if given.get("in") is not None:
        parts.append(Test(member, "in", made(ids, given["in"])))
    return both(*parts)


def ids(texts: Sequence[str]) -> list[str]:
    """The ids among these texts, as rows have them; what is malformed is nothing's id."""
    return [id for id in map(parse_id, texts) if id]


def _ordered(member: str, given: Given) -> Node:
    parts: list[Node] = []
    for op, value in given.items():
        if value is not None:
            parts.append(Test(member, "is_null" if op == "isNull" else op, value))
    return both(*parts)


def _severity(member: str, given: Given) -> Node:
    """By rank, as the indexes have it."""
    ops: dict[str, Callable[[Any], Any]] = {**dict.fromkeys(("eq", "gte", "lte"), _rank), "in": _ranks}
    return _comparisons(f"{member}_rank", given, ops)


def _rank(severity: Any) -> int:
    return SEVERITIES.index(str(severity))


def _ranks(severities: Sequence[Any]) -> list[int]:
    return [_rank(severity) for severity in severities]


def _word(member: str, given: Given) -> Node:
    ops: dict[str, Callable[[Any], Any]] = {"eq": str, "in": _words}
    return _comparisons(member, given, ops)


def _as_is(value: Any) -> Any:
    return value


def _words(values: Sequence[Any]) -> list[str]:
    return [str(value) for value in values]


_SCOPE_MEMBERS = {
    "resourceType": "resource_type",
    "resourceName": "resource_name",
    "resourceNamespace": "resource_namespace",
}
_ISSUE_MEMBERS: dict[str, tuple[str, Callable[[str, Given], Node]]] = {
    "id": ("id", _id),
    "namespace": ("namespace", _text),
    "title": ("title", _text),
    "description": ("description", _text),
    "source": ("source", _text),
    "severity": ("severity", _severity),
    "issueType": ("issue_type", _word),
    "state": ("state", _word),
    "detectedAt": ("detected_at", _ordered),
    "lastDetectedAt": ("last_detected_at", _ordered),
    "resolvedAt": ("resolved_at", _ordered),
    "updatedAt": ("updated_at", _ordered),
    "acknowledgedAt": ("acknowledged_at", _ordered),
    "createdAt": ("created_at", _ordered),
    "occurrenceCount": ("occurrence_count", _ordered),
}
