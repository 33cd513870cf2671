"""PostGraphile 5: a schema made from the tables. Its documents ask for lists, which cost it less than connections."""

from collections.abc import Mapping
from typing import Any

from tests.bench.contestants import Asked, Contestant
from tests.bench.contestants.reading import node, spelled

PAGE = """
query Page($namespace: String!) {
  allIssuesList(
    condition: {namespace: $namespace, state: "ACTIVE"}
    orderBy: [DETECTED_AT_DESC, ROW_ID_DESC]
    first: 50
  ) {
    id: rowId title description severity issueType state detectedAt occurrenceCount
    scope: scopeByScopeId { id: rowId resourceType resourceName resourceNamespace }
    links: linksByIssueIdList(orderBy: ORDINAL_ASC) { title url }
    relatedFrom: relationsBySourceIdList(first: 10, orderBy: ROW_ID_DESC) {
      target: issueByTargetId { id: rowId title state }
    }
    relatedTo: relationsByTargetIdList(first: 10, orderBy: ROW_ID_DESC) {
      source: issueBySourceId { id: rowId title state }
    }
  }
}"""

ISSUE = """
query Issue($id: UUID!) {
  issueByRowId(rowId: $id) {
    id: rowId namespace title description severity issueType state detectedAt lastDetectedAt occurrenceCount resolvedAt
    acknowledgedAt createdAt updatedAt source
    scope: scopeByScopeId { id: rowId resourceType resourceName resourceNamespace }
    links: linksByIssueIdList(orderBy: ORDINAL_ASC) { id: rowId title url }
    labels: labelsByIssueIdList(orderBy: [NAME_ASC, VALUE_ASC]) { name value }
    relatedFrom: relationsBySourceIdList(first: 10, orderBy: ROW_ID_DESC) {
      id: rowId kind createdAt target: issueByTargetId { id: rowId title state }
    }
    relatedTo: relationsByTargetIdList(first: 10, orderBy: ROW_ID_DESC) {
      id: rowId kind createdAt source: issueBySourceId { id: rowId title state }
    }
  }
}"""

GRAPH = """
query Graph($ids: [UUID!]!) {
  issueGraph(ids: $ids, depth: 2) {
    nodes { distance issue { id: rowId title severity state } }
    edges { sourceId targetId kind }
  }
}"""

CONNECTION = """
query Connection($namespace: String!, $severityRank: Int!, $first: Int!) {
  issues: allIssues(
    condition: {namespace: $namespace, state: "ACTIVE", severityRank: $severityRank}
    orderBy: [DETECTED_AT_DESC, ROW_ID_DESC]
    first: $first
  ) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges {
      cursor
      node { id: rowId title severity issueType detectedAt scope: scopeByScopeId { resourceType resourceName } }
    }
  }
}"""

SEVERITIES = ("INFO", "MINOR", "MAJOR", "CRITICAL")


def _connection_variables(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The column that the index has, and so the only condition on the severity that PostGraphile offers."""
    rank = SEVERITIES.index(asked["severity"])
    return {"namespace": asked["namespace"], "severityRank": rank, "first": asked["first"]}


def _with_nodes(issue: Mapping[str, Any]) -> dict[str, Any]:
    """Its two lists of relations as connections."""
    lists = {name: {"nodes": issue[name]} for name in ("relatedFrom", "relatedTo")}
    found: dict[str, Any] = spelled({**issue, **lists})
    return found


def _read_page(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"issues": {"nodes": [_with_nodes(issue) for issue in data["allIssuesList"]]}}


def _read_issue(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"issue": _with_nodes(data["issueByRowId"])}


def _read_graph(data: Mapping[str, Any]) -> dict[str, Any]:
    graph = data["issueGraph"]
    edges = [
        {"sourceId": edge["sourceId"], "targetId": edge["targetId"], "relation": {"kind": edge["kind"]}}
        for edge in graph["edges"]
    ]
    return {"issueGraph": {"nodes": spelled(graph["nodes"]), "edges": edges}}


CONTESTANT = Contestant(
    name="postgraphile",
    title="PostGraphile 5",
    command=node("postgraphile.mjs"),
    questions={
        "page": Asked(PAGE, _read_page),
        "issue": Asked(ISSUE, _read_issue),
        "graph": Asked(GRAPH, _read_graph),
        "connection": Asked(CONNECTION, spelled, _connection_variables),
    },
    environment={"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
)
