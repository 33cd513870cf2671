"""The five questions, as issuegraph is asked them, and the variables they are asked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.data import Sizes, issue_id, namespaces, related_issues

# Of the days that the data is about.
SERIES = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"}

PAGE = """
query Page($namespace: String!) {
  issues(where: {namespace: {eq: $namespace}, state: {eq: ACTIVE}}, first: 50) {
    nodes {
      id title description severity issueType state detectedAt occurrenceCount
      scope { id resourceType resourceName resourceNamespace }
      links { title url }
      relatedFrom(first: 10) { nodes { target { id title state } } }
      relatedTo(first: 10) { nodes { source { id title state } } }
    }
  }
}"""

ISSUE = """
query Issue($id: ID!) {
  issue(id: $id) {
    id namespace title description severity issueType state detectedAt lastDetectedAt occurrenceCount resolvedAt
    acknowledgedAt createdAt updatedAt source
    scope { id resourceType resourceName resourceNamespace }
    links { id title url }
    labels { name value }
    relatedFrom(first: 10) { nodes { id kind createdAt target { id title state } } }
    relatedTo(first: 10) { nodes { id kind createdAt source { id title state } } }
  }
}"""

GRAPH = """
query Graph($ids: [ID!]!) {
  issueGraph(ids: $ids, depth: 2) {
    nodes { distance issue { id title severity state } }
    edges { sourceId targetId relation { kind } }
  }
}"""

CONNECTION = """
query Connection($namespace: String!, $severity: Severity!, $first: Int!) {
  issues(where: {namespace: {eq: $namespace}, state: {eq: ACTIVE}, severity: {eq: $severity}}, first: $first) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id title severity issueType detectedAt scope { resourceType resourceName } } }
  }
}"""

STATS = """
query Stats($namespace: String!, $from: DateTime!, $to: DateTime!) {
  issueStats(where: {namespace: {eq: $namespace}}) {
    total
    byState { state count }
    bySeverity { severity count }
    byType { issueType count }
    byNamespace { namespace count }
    byScope { scope { resourceType resourceName resourceNamespace } count }
    byLabel(name: "team") { label { name value } count }
    bySource { source count }
    series(from: $from, to: $to, bucket: DAY) { start opened resolved activeAtEnd occurrences }
    timeToResolve { count median p90 }
  }
}"""

DOCUMENTS = {"page": PAGE, "issue": ISSUE, "graph": GRAPH, "connection": CONNECTION, "stats": STATS}
TITLES = {
    "page": "50 active issues, all around them",
    "issue": "one issue, everything",
    "graph": "the graph, two steps",
    "connection": "a filtered page, with totalCount",
    "stats": "issueStats, every breakdown",
}


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` are the variables of the requests, in turn."""

    name: str
    asked: Sequence[dict[str, Any]]


def questions(sizes: Sizes) -> list[Question]:
    """All of them, about the data of these sizes."""
    step = max(1, sizes.issues // 200)
    spaces = namespaces(sizes)[:20]
    asked: dict[str, list[dict[str, Any]]] = {
        "page": [{"namespace": name} for name in spaces],
        "issue": [{"id": issue_id(number)} for number in range(3, sizes.issues, step)],
        "graph": [{"ids": [id]} for id in related_issues(sizes, 200)],
        "connection": [
            {"namespace": name, "severity": severity, "first": 20}
            for name in spaces
            for severity in ("MAJOR", "CRITICAL")
        ],
        "stats": [{"namespace": name, **SERIES} for name in spaces],
    }
    return [Question(name, variables) for name, variables in asked.items()]
