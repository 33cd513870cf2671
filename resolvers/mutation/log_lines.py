"""Lines of the event log, made from an issue as it was and as it is: no change can be forgotten."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from models.values import fold
from models.words import SEVERITIES
from resolvers.caller import Actor
from resolvers.mutation.rows import EventRow, IssueRow, OccurrenceRow, RelationRow, ScopeRow, links_of, scope_json

SEVERITY_RANKS = {word: rank for rank, word in enumerate(SEVERITIES)}

Change = dict[str, Any]


class Field(NamedTuple):
    """A field of the schema: which columns it changes with, and how the schema spells its value."""

    name: str
    columns: tuple[str, ...]
    spelt: Callable[[IssueRow], Any]


def image(issue: IssueRow) -> dict[str, Any]:
    """All members of models.image.IMAGE_MEMBERS."""
    return {
        "id": issue.id,
        "namespace": issue.namespace,
        "namespace_folded": fold(issue.namespace),
        "title": issue.title,
        "title_folded": fold(issue.title),
        "description": issue.description,
        "description_folded": fold(issue.description),
        "source": issue.source,
        "source_folded": None if issue.source is None else fold(issue.source),
        "severity": issue.severity,
        "severity_rank": SEVERITY_RANKS[issue.severity],
        "issue_type": issue.issue_type,
        "state": issue.state,
        "detected_at": issue.detected_at,
        "last_detected_at": issue.last_detected_at,
        "resolved_at": issue.resolved_at,
        "acknowledged_at": issue.acknowledged_at,
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "occurrence_count": issue.occurrence_count,
        **_scope_members(issue.scope),
        "labels": _label_members(issue),
    }


def _scope_members(scope: ScopeRow) -> Mapping[str, str]:
    return {
        "scope_id": scope.id,
        "resource_type": scope.resource_type,
        "resource_type_folded": fold(scope.resource_type),
        "resource_name": scope.resource_name,
        "resource_name_folded": fold(scope.resource_name),
        "resource_namespace": scope.resource_namespace,
        "resource_namespace_folded": fold(scope.resource_namespace),
    }


def _label_members(issue: IssueRow) -> list[dict[str, str]]:
    return [{"name": label.name, "value": label.value, "value_folded": fold(label.value)} for label in issue.labels]


def _folded(name: str) -> Callable[[IssueRow], Mapping[str, Any]]:
    value = attrgetter(name)
    return lambda issue: {name: (text := value(issue)), f"{name}_folded": None if text is None else fold(text)}


# The members of an image that are made of a column, where that is more than the column itself.
_MADE_MEMBERS: Mapping[str, Callable[[IssueRow], Mapping[str, Any]]] = {
    **{name: _folded(name) for name in ("namespace", "title", "description", "source")},
    "severity": lambda issue: {"severity": issue.severity, "severity_rank": SEVERITY_RANKS[issue.severity]},
    "scope": lambda issue: _scope_members(issue.scope),
    "labels": lambda issue: {"labels": _label_members(issue)},
}


def created_line(position: int, kind: str, at: str, actor: Actor, issue: IssueRow, *further: Change) -> EventRow:
    """A line about an issue that is new here."""
    told = ((field.name, field.spelt(issue)) for field in FIELDS)
    changes = [{"field": name, "old": None, "new": value} for name, value in told if value is not None]
    return _line(position, kind, at, actor, issue, [*changes, *further], None, image(issue))


def changed_line(
    position: int, kind: str, at: str, actor: Actor, before: IssueRow, after: IssueRow, *further: Change
) -> EventRow:
    """A line about what differs."""
    changed = after.changed_since(before)
    new = image(after)
    # What an image has nothing of, such as links, and what only seems to change, such as text in another case.
    old = {name: value for name, value in _members(before, changed) if name in new and value != new[name]}
    return _line(position, kind, at, actor, after, [*_field_changes(before, after, changed), *further], old, new)


def gone_line(position: int, kind: str, at: str, actor: Actor, issue: IssueRow, *further: Change) -> EventRow:
    """A line about an issue that is no longer here."""
    return _line(position, kind, at, actor, issue, list(further), image(issue), None)


def relation_line(
    position: int, kind: str, at: str, actor: Actor, issue: IssueRow, other: IssueRow, relation: RelationRow
) -> EventRow:
    """A line at one end of a relation that was drawn (RELATED) or removed (UNRELATED)."""
    told = {"reason": relation.reason, "createdBy": _actor(relation, "created_by")}
    drawn = kind == "RELATED"
    changes = [
        {"field": name, "old": None if drawn else value, "new": value if drawn else None}
        for name, value in told.items()
        if value is not None
    ]
    return _line(position, kind, at, actor, issue, changes, {}, image(issue))._replace(
        relation_id=relation.id,
        relation_kind=relation.kind,
        source_id=relation.source_id,
        target_id=relation.target_id,
        other_namespace=other.namespace,
    )


def occurrence_change(occurrence: OccurrenceRow) -> Change:
    """The report that a line tells of."""
    told = {
        "id": occurrence.id,
        "at": occurrence.at,
        "receivedAt": occurrence.received_at,
        "runId": occurrence.run_id,
        "title": occurrence.title,
        "description": occurrence.description,
        "severity": occurrence.severity.upper(),
        "links": orjson.Fragment(occurrence.links),
        "actor": {"kind": occurrence.actor_kind, "id": occurrence.actor_id, "name": occurrence.actor_name},
    }
    return {"field": "occurrences", "old": None, "new": told}


def _members(issue: IssueRow, columns: Iterable[str]) -> Iterable[tuple[str, Any]]:
    for column in columns:
        made = _MADE_MEMBERS.get(column)
        if made is None:
            yield column, getattr(issue, column)
        else:
            yield from made(issue).items()


def _field_changes(before: IssueRow, after: IssueRow, columns: Iterable[str]) -> list[Change]:
    """As the API shows them, in the order of FIELDS."""
    places = {place for column in columns if (place := _PLACES.get(column)) is not None}
    changed = (FIELDS[place] for place in sorted(places))
    return [{"field": field.name, "old": field.spelt(before), "new": field.spelt(after)} for field in changed]


def _line(
    position: int,
    kind: str,
    at: str,
    actor: Actor,
    issue: IssueRow,
    changes: list[Change],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> EventRow:
    return EventRow(
        position,
        kind,
        at,
        issue.id,
        issue.namespace,
        issue.title,
        actor.kind.value,
        actor.id,
        actor.name,
        fold(actor.name),
        None,
        None,
        None,
        None,
        None,
        orjson.dumps(changes).decode(),
        None if before is None else orjson.dumps(before).decode(),
        None if after is None else orjson.dumps(after).decode(),
    )


def _actor(row: IssueRow | RelationRow, prefix: str) -> dict[str, str] | None:
    if getattr(row, f"{prefix}_kind") is None:
        return None
    return {name: getattr(row, f"{prefix}_{name}") for name in ("kind", "id", "name")}


def _plain(name: str, column: str) -> Field:
    return Field(name, (column,), attrgetter(column))


def _word(name: str, column: str) -> Field:
    """The schema's enums are the database's words in upper case."""
    value = attrgetter(column)
    return Field(name, (column,), lambda issue: value(issue).upper())


def _by(name: str, prefix: str) -> Field:
    columns = (f"{prefix}_kind", f"{prefix}_id", f"{prefix}_name")
    return Field(name, columns, lambda issue: _actor(issue, prefix))


FIELDS = (
    _plain("namespace", "namespace"),
    _plain("title", "title"),
    _plain("description", "description"),
    _word("severity", "severity"),
    _word("issueType", "issue_type"),
    _word("state", "state"),
    _plain("source", "source"),
    Field("scope", ("scope",), lambda issue: scope_json(issue.scope)),
    Field(
        "fingerprint",
        ("fingerprint",),
        lambda issue: {"key": issue.fingerprint, "parts": orjson.Fragment(issue.fingerprint_parts)},
    ),
    _plain("detectedAt", "detected_at"),
    _plain("lastDetectedAt", "last_detected_at"),
    _plain("occurrenceCount", "occurrence_count"),
    _plain("resolvedAt", "resolved_at"),
    _by("resolvedBy", "resolved_by"),
    _plain("acknowledgedAt", "acknowledged_at"),
    _by("acknowledgedBy", "acknowledged_by"),
    Field("links", ("links",), lambda issue: links_of(issue.links)),
    Field("labels", ("labels",), lambda issue: [label._asdict() for label in issue.labels]),
    Field("editedFields", ("edited_fields",), lambda issue: orjson.loads(issue.edited_fields) or None),
    _plain("createdAt", "created_at"),
)
_PLACES = {column: place for place, field in enumerate(FIELDS) for column in field.columns}
