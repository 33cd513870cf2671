"""An issue as Kite's REST shows it: the document that asks for it, and its keys in Kite's order."""

from collections.abc import Mapping
from typing import Any

from resolvers.mutation.outcome import LeftIssue
from resolvers.mutation.rows import IssueRow, links_of, scope_json

_ISSUE = """
fragment issue on Issue {
  id title description severity issueType state detectedAt resolvedAt namespace scopeId
  scope { id resourceType resourceName resourceNamespace }
  links { id title url }
  createdAt updatedAt occurrenceCount lastDetectedAt acknowledgedAt labels { name value } url
}
"""
_RELATED = """
fragment related on Issue {
  allRelatedFrom { id target { ...issue } }
  allRelatedTo { id source { ...issue } }
}
"""

PAGE = (
    """query ($where: IssueWhere!, $limit: Int!, $offset: Int!) {
  page: issuePage(where: $where, limit: $limit, offset: $offset) { nodes { ...issue ...related } totalCount }
}
"""
    + _ISSUE
    + _RELATED
)
MANY = (
    """query ($ids: [ID!]!, $limit: Int!) {
  page: issuePage(where: {id: {in: $ids}}, limit: $limit, offset: 0) { nodes { ...issue ...related } }
}
"""
    + _ISSUE
    + _RELATED
)
ONE = "query ($id: ID!) { issue(id: $id) { ...issue ...related } }" + _ISSUE + _RELATED
# For who may not see its neighbours.
ALONE = "query ($id: ID!) { issue(id: $id) { ...issue } }" + _ISSUE


def issue_json(issue: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of an issue that one of these documents brought (`Kite: GET /issues/:id`)."""
    # An issue within a relation tells of no relations: that would never end.
    end = _issue(issue, None, None)
    related_from = [
        _relation(drawn["id"], end, _issue(drawn["target"], None, None)) for drawn in issue.get("allRelatedFrom", ())
    ]
    related_to = [
        _relation(drawn["id"], _issue(drawn["source"], None, None), end) for drawn in issue.get("allRelatedTo", ())
    ]
    return {**end, "relatedFrom": related_from, "relatedTo": related_to}


def left_json(left: LeftIssue, public_url: str) -> dict[str, Any]:
    """The same of an issue as a command left it."""
    id = left.row.id
    ends = [(relation, _as_told(other, public_url)) for relation, other in left.relations]
    return issue_json(
        {
            **_as_told(left.row, public_url),
            "allRelatedFrom": [{"id": drawn.id, "target": end} for drawn, end in ends if drawn.source_id == id],
            "allRelatedTo": [{"id": drawn.id, "source": end} for drawn, end in ends if drawn.source_id != id],
        }
    )


def _as_told(row: IssueRow, public_url: str) -> dict[str, Any]:
    """What the document's fragment `issue` brings of it; words in lower case, as they are shown."""
    scope = row.scope
    return {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "severity": row.severity,
        "issueType": row.issue_type,
        "state": row.state,
        "detectedAt": row.detected_at,
        "resolvedAt": row.resolved_at,
        "namespace": row.namespace,
        "scopeId": scope.id,
        "scope": scope_json(scope),
        "links": links_of(row.links),
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "occurrenceCount": row.occurrence_count,
        "lastDetectedAt": row.last_detected_at,
        "acknowledgedAt": row.acknowledged_at,
        "labels": [label._asdict() for label in row.labels],
        "url": f"{public_url}/issues/{row.id}",
    }


def _relation(id: str, source: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": id, "sourceId": source["id"], "targetId": target["id"], "source": source, "target": target}


def _issue(issue: Mapping[str, Any], related_from: Any, related_to: Any) -> dict[str, Any]:
    return {
        "id": issue["id"],
        "title": issue["title"],
        "description": issue["description"],
        "severity": issue["severity"].lower(),
        "issueType": issue["issueType"].lower(),
        "state": issue["state"],
        "detectedAt": _time(issue["detectedAt"]),
        "resolvedAt": _time(issue["resolvedAt"]),
        "namespace": issue["namespace"],
        "scopeId": issue["scopeId"],
        "scope": issue["scope"],
        "links": [{**link, "issueId": issue["id"]} for link in issue["links"]],
        "relatedFrom": related_from,
        "relatedTo": related_to,
        "createdAt": _time(issue["createdAt"]),
        "updatedAt": _time(issue["updatedAt"]),
        "occurrenceCount": issue["occurrenceCount"],
        "lastDetectedAt": _time(issue["lastDetectedAt"]),
        "acknowledgedAt": _time(issue["acknowledgedAt"]),
        "labels": issue["labels"],
        "url": issue["url"],
    }


def _time(text: str | None) -> str | None:
    """As Go writes it: without zeros at the end of the fraction."""
    return None if text is None else text.removesuffix("Z").rstrip("0").removesuffix(".") + "Z" if "." in text else text
