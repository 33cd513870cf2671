"""Lines of the event log, made from an issue as it was and as it is: no change can be forgotten."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from models.values import fold
from models.words import SEVERITIES
from resolvers.caller import Actor
from resolvers.mutation.rows import IssueRow, LinkRow, OccurrenceRow, RelationRow, ScopeRow

SEVERITY_RANKS = {word: rank for rank, word in enumerate(SEVERITIES)}

Change = dict[str, Any]
Line = dict[str, Any]


class Field(NamedTuple):
    """A field of the schema: which columns it changes with, and how the schema spells its value."""

    name: str
    columns: Callable[[IssueRow], Any]
    spelt: Callable[[IssueRow], Any]


def image(issue: IssueRow) -> dict[str, Any]:
    """All members of models.image.IMAGE_MEMBERS."""
    scope = issue.scope
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
        "scope_id": scope.id,
        "resource_type": scope.resource_type,
        "resource_type_folded": fold(scope.resource_type),
        "resource_name": scope.resource_name,
        "resource_name_folded": fold(scope.resource_name),
        "resource_namespace": scope.resource_namespace,
        "resource_namespace_folded": fold(scope.resource_namespace),
        "labels": [
            {"name": label.name, "value": label.value, "value_folded": fold(label.value)} for label in issue.labels
        ],
    }


def issue_line(
    kind: str, at: str, actor: Actor, before: IssueRow | None, after: IssueRow | None, further: tuple[Change, ...]
) -> Line:
    """A line about one issue; `before` None: it is new here, `after` None: it is gone from here."""
    old = None if before is None else image(before)
    new = None if after is None else image(after)
    if old and new:
        old = {name: value for name, value in old.items() if value != new[name]}
    issue = after or before
    assert issue is not None
    changes = field_changes(before, after) if after else []
    return _line(kind, at, actor, issue, [*changes, *further], old, new)


def relation_line(kind: str, at: str, actor: Actor, issue: IssueRow, other: IssueRow, relation: RelationRow) -> Line:
    """A line at one end of a relation that was drawn (RELATED) or removed (UNRELATED)."""
    told = {"reason": relation.reason, "createdBy": _actor(relation, "created_by")}
    drawn = kind == "RELATED"
    changes = [
        {"field": name, "old": None if drawn else value, "new": value if drawn else None}
        for name, value in told.items()
        if value is not None
    ]
    return _line(kind, at, actor, issue, changes, {}, image(issue)) | {
        "relation_id": relation.id,
        "relation_kind": relation.kind,
        "source_id": relation.source_id,
        "target_id": relation.target_id,
        "other_namespace": other.namespace,
    }


def field_changes(before: IssueRow | None, after: IssueRow) -> list[Change]:
    """What differs, as the API's field changes; without `before`, all that is not null."""
    if before is None:
        told = ((field.name, field.spelt(after)) for field in FIELDS)
        return [{"field": name, "old": None, "new": value} for name, value in told if value is not None]
    return [
        {"field": field.name, "old": field.spelt(before), "new": field.spelt(after)}
        for field in FIELDS
        if field.columns(before) != field.columns(after)
    ]


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
        "links": links_of(occurrence.links),
        "actor": {"kind": occurrence.actor.kind, "id": occurrence.actor.id, "name": occurrence.actor.name},
    }
    return {"field": "occurrences", "old": None, "new": told}


def _line(
    kind: str,
    at: str,
    actor: Actor,
    issue: IssueRow,
    changes: list[Change],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> Line:
    return {
        "kind": kind,
        "at": at,
        "issue_id": issue.id,
        "namespace": issue.namespace,
        "title": issue.title,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_name_folded": fold(actor.name),
        "relation_id": None,
        "relation_kind": None,
        "source_id": None,
        "target_id": None,
        "other_namespace": None,
        "changes": orjson.dumps(changes).decode(),
        "before": None if before is None else orjson.dumps(before).decode(),
        "after": None if after is None else orjson.dumps(after).decode(),
    }


def _actor(row: IssueRow | RelationRow, prefix: str) -> dict[str, str] | None:
    if getattr(row, f"{prefix}_kind") is None:
        return None
    return {name: getattr(row, f"{prefix}_{name}") for name in ("kind", "id", "name")}


def links_of(links: tuple[LinkRow, ...]) -> list[dict[str, str]]:
    """As JSON shows them."""
    return [{"id": link.id, "title": link.title, "url": link.url} for link in links]


def _scope(scope: ScopeRow) -> dict[str, str]:
    return {
        "id": scope.id,
        "resourceType": scope.resource_type,
        "resourceName": scope.resource_name,
        "resourceNamespace": scope.resource_namespace,
    }


def _plain(name: str, column: str) -> Field:
    return Field(name, attrgetter(column), attrgetter(column))


def _word(name: str, column: str) -> Field:
    """The schema's enums are the database's words in upper case."""
    value = attrgetter(column)
    return Field(name, value, lambda issue: value(issue).upper())


def _by(name: str, prefix: str) -> Field:
    columns = attrgetter(f"{prefix}_kind", f"{prefix}_id", f"{prefix}_name")
    return Field(name, columns, lambda issue: _actor(issue, prefix))


FIELDS = (
    _plain("namespace", "namespace"),
    _plain("title", "title"),
    _plain("description", "description"),
    _word("severity", "severity"),
    _word("issueType", "issue_type"),
    _word("state", "state"),
    _plain("source", "source"),
    Field("scope", attrgetter("scope"), lambda issue: _scope(issue.scope)),
    Field(
        "fingerprint",
        attrgetter("fingerprint"),
        lambda issue: {"key": issue.fingerprint, "parts": orjson.loads(issue.fingerprint_parts)},
    ),
    _plain("detectedAt", "detected_at"),
    _plain("lastDetectedAt", "last_detected_at"),
    _plain("occurrenceCount", "occurrence_count"),
    _plain("resolvedAt", "resolved_at"),
    _by("resolvedBy", "resolved_by"),
    _plain("acknowledgedAt", "acknowledged_at"),
    _by("acknowledgedBy", "acknowledged_by"),
    Field("links", attrgetter("links"), lambda issue: links_of(issue.links)),
    Field("labels", attrgetter("labels"), lambda issue: [label._asdict() for label in issue.labels]),
    Field("editedFields", attrgetter("edited_fields"), lambda issue: orjson.loads(issue.edited_fields) or None),
    _plain("createdAt", "created_at"),
)
