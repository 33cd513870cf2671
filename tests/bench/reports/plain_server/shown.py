"""An issue as the answers show it, and as the log keeps it."""

from datetime import UTC, datetime
from typing import Any

from tests.bench.reports.plain_server.tables import Issue, Relation


def shown(issue: Issue, base_url: str) -> dict[str, Any]:
    """The whole of it, with those beside it."""

    def relation(drawn: Relation, source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(drawn.id),
            "sourceId": str(drawn.source_id),
            "targetId": str(drawn.target_id),
            "source": source,
            "target": target,
        }

    own = _alone(issue, base_url)
    end = {**own, "relatedFrom": None, "relatedTo": None}
    related_from = [relation(drawn, end, _end(drawn.target, base_url)) for drawn in issue.related_from]
    related_to = [relation(drawn, _end(drawn.source, base_url), end) for drawn in issue.related_to]
    return {**own, "relatedFrom": related_from, "relatedTo": related_to}


def image(issue: Issue) -> dict[str, Any]:
    """What the log keeps of it."""
    return {
        "namespace": issue.namespace,
        "scopeId": str(issue.scope_id),
        "title": issue.title,
        "description": issue.description,
        "severity": issue.severity,
        "issueType": issue.issue_type,
        "state": issue.state,
        "source": issue.source,
        "detectedAt": _time(issue.detected_at),
        "lastDetectedAt": _time(issue.last_detected_at),
        "occurrenceCount": issue.occurrence_count,
        "resolvedAt": _time(issue.resolved_at),
        "links": [{"title": link.title, "url": link.url} for link in issue.links],
        "labels": [{"name": label.name, "value": label.value} for label in issue.labels],
    }


def _end(issue: Issue, base_url: str) -> dict[str, Any]:
    return {**_alone(issue, base_url), "relatedFrom": None, "relatedTo": None}


def _alone(issue: Issue, base_url: str) -> dict[str, Any]:
    id = str(issue.id)
    return {
        "id": id,
        "title": issue.title,
        "description": issue.description,
        "severity": issue.severity,
        "issueType": issue.issue_type,
        "state": issue.state,
        "detectedAt": _time(issue.detected_at),
        "resolvedAt": _time(issue.resolved_at),
        "namespace": issue.namespace,
        "scopeId": str(issue.scope_id),
        "scope": {
            "id": str(issue.scope.id),
            "resourceType": issue.scope.resource_type,
            "resourceName": issue.scope.resource_name,
            "resourceNamespace": issue.scope.resource_namespace,
        },
        "links": [{"id": str(link.id), "title": link.title, "url": link.url, "issueId": id} for link in issue.links],
        "createdAt": _time(issue.created_at),
        "updatedAt": _time(issue.updated_at),
        "occurrenceCount": issue.occurrence_count,
        "lastDetectedAt": _time(issue.last_detected_at),
        "acknowledgedAt": _time(issue.acknowledged_at),
        "labels": [{"name": label.name, "value": label.value} for label in issue.labels],
        "url": f"{base_url}issues/{id}",
    }


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    # SQLite keeps no zone; all of them are UTC.
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment.tzinfo else f"{moment.isoformat()}Z"
