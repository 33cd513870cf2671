"""`issuegraph export`: beside a running server, and in the very words that its GraphQL has."""

import json
import stat

import pytest

from tests.serving import Server
from tests.web.test_cli import Shell

ISSUES = """{ issues(where: {namespace: {eq: "team"}}, first: 10) { position nodes {
  id namespace title description severity issueType state detectedAt lastDetectedAt occurrenceCount
  resolvedAt resolvedBy { kind id name } acknowledgedAt acknowledgedBy { kind id name } createdAt updatedAt
  editedFields source labels { name value } fingerprint { key parts { name value } }
  scope { id resourceType resourceName resourceNamespace } links { id title url }
  occurrences(first: 10) { nodes {
    id at receivedAt runId title description severity links { id title url } actor { kind id name } } }
  relatedFrom(first: 10) { nodes {
    id kind source { id } target { id } createdBy { kind id name } reason createdAt } }
  timeline(first: 10) { nodes {
    position kind at actor { kind id name } issueId namespace title
    relation { id kind sourceId targetId } changes { field old new } } }
} } }"""
AUDIT = "{ auditEvents { nodes { kind namespace subject actor { kind name } details } } }"


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def report(server, namespace, name, **more):
    given = {"namespace": namespace, "title": f"{name} failed", "description": "why", "severity": "MAJOR"}
    scope = {"resourceType": "component", "resourceName": name, "resourceNamespace": namespace}
    query = "mutation ($in: CreateIssueInput!) { createIssue(input: $in) { issue { id } userErrors { message } } }"
    made = server.ask(query, **{"in": {**given, "issueType": "BUILD", "scope": scope, **more}})["createIssue"]
    assert made["userErrors"] == []
    return made["issue"]["id"]


def filled(server):
    """Everything that an issue can have, in namespace team."""
    link = {"title": "log", "url": "https://ci.example.com/1"}
    label = {"name": "tier", "value": "é\u2028"}
    parts = [{"name": "branch", "value": "main"}]
    full = {"links": [link], "labels": [label], "source": "ci", "fingerprint": parts}
    one = report(server, "team", "api", runId="1", **full)
    assert report(server, "team", "api", runId="2", **full) == one
    other = report(server, "team", "page")
    far = report(server, "rival", "db")
    server.ask(
        """mutation ($one: ID!, $other: ID!, $far: ID!) {
          a: updateIssue(input: {id: $one, title: "by hand"}) { userErrors { message } }
          b: acknowledgeIssue(input: {id: $one}) { userErrors { message } }
          c: resolveIssue(input: {id: $other}) { userErrors { message } }
          d: relateIssues(input: {sourceId: $one, targetId: $other, kind: CAUSED_BY, reason: "r"}) { position }
          e: relateIssues(input: {sourceId: $one, targetId: $far, kind: RELATED}) { position }
        }""",
        one=one,
        other=other,
        far=far,
    )


def lines_of(text):
    """The objects. Not `splitlines`: text may have what Python takes for the end of a line."""
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def test_an_export_has_what_graphql_answers_and_is_in_the_audit(database_url, shell):
    with Server(database_url, shell.directory) as server:
        filled(server)
        ran_first = shell.run("export", "--namespace", "team", DATABASE_URL=database_url)
        assert ran_first.returncode == 0, ran_first
        answer = server.ask(ISSUES)["issues"]
        of_kind = {}
        for line in lines_of(ran_first.stdout):
            of_kind.setdefault(line.pop("__typename"), []).append(line)
        relations = [relation for issue in answer["nodes"] for relation in issue.pop("relatedFrom")["nodes"]]
        events = [event for issue in answer["nodes"] for event in issue.pop("timeline")["nodes"]]
        for issue in answer["nodes"]:
            issue["occurrences"] = issue["occurrences"]["nodes"]
        by_id = lambda each: each["id"]  # noqa: E731
        assert sorted(of_kind["Issue"], key=by_id) == sorted(answer["nodes"], key=by_id)
        assert sorted(of_kind["Relation"], key=by_id) == sorted(relations, key=by_id)
        assert of_kind["IssueEvent"] == sorted(events, key=lambda event: event["position"])
        assert of_kind["Export"][0]["namespace"] == "team"
        assert of_kind["Export"][0]["position"] == answer["position"]
        others = dict.fromkeys(("deployments", "changes", "tracked"), 0)
        counts = {"issues": 2, "relations": 2, "events": len(events), **others}
        assert of_kind["ExportEnd"] == [counts]
        assert f"2 issues, 2 relations, {len(events)} lines" in ran_first.stderr

        file = shell.directory / "team.jsonl"
        for _ in range(2):
            ran = shell.run("export", "--namespace", "team", "--output", str(file), DATABASE_URL=database_url)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "is there already" in ran.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        again = shell.run("export", "--namespace", "team", DATABASE_URL=database_url)
        # The first line tells the time.
        assert lines_of(file.read_text())[1:] == lines_of(again.stdout)[1:] == lines_of(ran_first.stdout)[1:]
        assert {path.name for path in shell.directory.glob("*.jsonl*")} == {"team.jsonl"}
        told = [entry for entry in server.ask(AUDIT)["auditEvents"]["nodes"] if entry["kind"] == "ISSUES_EXPORTED"]
        # What was not handed out is not in it.
        assert [(entry["namespace"], entry["actor"]["kind"], entry["details"]) for entry in told] == [
            ("team", "PERSON", counts)
        ] * 3


def test_a_namespace_is_named_exactly_and_the_database_is_there(shell, sqlite_url):
    for output in ([], ["--output", "none.jsonl"]):
        ran = shell.run("export", "--namespace", "team-*", *output, DATABASE_URL=sqlite_url)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "nothing of a namespace 'team-*'" in ran.stderr
    assert not [*shell.directory.glob("*none.jsonl*")]
    assert "issuegraph migrate" in shell.fails("export", "--namespace", "team")
    assert shell.run("export").returncode == 2
    assert "was not written" in shell.fails(
        "export", "--namespace", "team", "--output", "not/there.jsonl", DATABASE_URL=sqlite_url
    )
