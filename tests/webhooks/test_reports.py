"""Webhooks with the writer and both databases behind them: what is in the tables when tools have reported."""

import json
import re

import pytest

from models import Issue, Label, Link, Occurrence, Relation, Run, Scope
from resolvers.mutation import CreateIssue, LabelValue, LinkValue, PartValue, ResolveScope
from tests.resolvers.mutation.house import TEKTON
from tests.resolvers.mutation.house import house as open_house
from tests.webhooks.tools import Tool, definition

FAILURE = {"pipelineName": "frontend", "namespace": "team", "failureReason": "Dependency conflict", "runId": "run-1"}
TESTS_FAILED = {**FAILURE, "failureReason": "Unit tests failed", "runId": "run-2"}
LOGS = "https://konflux.dev/logs/pipelineruns/"

PER_REASON = """\
webhooks:
  - path: /hooks/tool
    fields:
      pipelineName: {type: text, required: true}
      namespace: {type: text, required: true}
      failureReason: {type: text}
      runId: {type: text}
    rules:
      - when: body.failureReason == null
        resolve:
          scope: {resourceType: pipelinerun, resourceName: "${body.pipelineName}"}
        answer:
          about: pipeline ${body.pipelineName}
      - report:
          title: "Pipeline run failed: ${body.pipelineName}"
          description: ${body.failureReason}
          severity: major
          issueType: pipeline
          scope: {resourceType: pipelinerun, resourceName: "${body.pipelineName}"}
          runId: ${body.runId}
          fingerprint:
            reason: ${body.failureReason}
"""


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house


@pytest.fixture
def tool(house):
    return Tool(house.writer)


async def test_two_failures_of_one_pipeline_are_one_issue_with_both_reasons_and_logs(house, tool):
    first = await tool.post("pipeline-failure", FAILURE)
    second = await tool.post("pipeline-failure", TESTS_FAILED)
    assert [first.json["action"], second.json["action"]] == ["created", "updated"]
    assert first.json["issue"]["id"] == second.json["issue"]["id"]
    issue = await house.row(Issue)
    assert (issue["occurrence_count"], issue["source"]) == (2, "pipeline")
    occurrences = await house.rows(Occurrence)
    assert [row["description"].rpartition(": ")[2] for row in occurrences] == [
        "Dependency conflict",
        "Unit tests failed",
    ]
    assert [link["url"] for row in occurrences for link in json.loads(row["links"])] == [LOGS + "run-1", LOGS + "run-2"]
    success = await tool.post("pipeline-success", {"pipelineName": "frontend", "namespace": "team"})
    assert success.json["message"] == "Resolved 1 issue(s) for pipeline frontend"
    again = await tool.post("pipeline-success", {"pipelineName": "frontend", "namespace": "team"})
    assert (again.status, again.json["message"]) == (200, "Resolved 0 issue(s) for pipeline frontend")


async def test_a_definition_of_ones_own_may_tell_failures_apart_by_their_reason(house, tmp_path):
    tool = Tool(house.writer, definition(tmp_path, PER_REASON))
    ids = [(await tool.post("/hooks/tool", payload)).json["issue"]["id"] for payload in (FAILURE, TESTS_FAILED)]
    assert len(set(ids)) == 2
    assert {row["source"] for row in await house.rows(Issue)} == {"tool"}
    success = await tool.post("/hooks/tool", {"pipelineName": "frontend", "namespace": "team"})
    assert success.json["message"] == "Resolved 2 issue(s) for pipeline frontend"
    assert {row["state"] for row in await house.rows(Issue)} == {"RESOLVED"}


async def test_0_2_a_run_is_reported_once(house, tool):
    await tool.post("pipeline-failure", FAILURE)
    before = await house.log()
    for _ in range(2):
        repeat = await tool.post("pipeline-failure", {**FAILURE, "failureReason": "another"})
        assert (repeat.status, repeat.json["action"]) == (201, "unchanged")
        assert await house.log() == before
        await tool.post("pipeline-success", FAILURE)
        before = await house.log()


async def test_0_1_a_failure_after_a_resolve_is_a_new_issue_related_to_the_old(house, tool):
    first = await tool.post("pipeline-failure", FAILURE)
    await tool.post("pipeline-success", FAILURE)
    second = await tool.post("pipeline-failure", TESTS_FAILED)
    assert second.json["action"] == "created"
    relation = await house.row(Relation)
    assert (relation["kind"], relation["source_id"]) == ("RECURRENCE_OF", second.json["issue"]["id"])
    assert relation["target_id"] == first.json["issue"]["id"]


async def test_links_are_replaced_when_a_report_brings_some(house, tool):
    await tool.post("build-failure", {"componentName": "a", "errorMessage": "e", "buildLogsUrl": "https://x/1"}, TEAM)
    await tool.post("build-failure", {"componentName": "a", "errorMessage": "e"}, TEAM)
    assert (await house.row(Link))["url"] == "https://x/1"
    await tool.post("build-failure", {"componentName": "a", "errorMessage": "e", "buildLogsUrl": "https://x/2"}, TEAM)
    assert (await house.row(Link))["url"] == "https://x/2"


TEAM = "namespace=team"
RELEASE = {"application": "shop", "failurePhase": "managed", "release": "r"}
DEPLOYMENT = {"applicationName": "shop", "failureReason": "quota"}
BUILD = {"componentName": "api", "errorMessage": "exit code 1"}
SCAN = {"componentName": "api", "vulnerabilities": ["CVE-1"]}


async def active(house):
    return {row["title"].split()[0] for row in await house.rows(Issue, Issue.state == "ACTIVE")}


async def test_each_success_resolves_its_own_and_nothing_else(house, tool):
    for path, payload in (
        ("release-failure", RELEASE),
        ("deployment-failure", DEPLOYMENT),
        ("build-failure", BUILD),
        ("security-scan-failure", SCAN),
    ):
        assert (await tool.post(path, payload, TEAM)).json["action"] == "created"
    for path, payload, left in (
        ("release-success", RELEASE, {"Deployment", "Build", "Security"}),
        ("build-success", BUILD, {"Deployment", "Security"}),
        ("deployment-success", DEPLOYMENT, {"Security"}),
        ("security-scan-success", SCAN, set()),
    ):
        answer = await tool.post(path, payload, TEAM)
        assert answer.json["message"].startswith("Resolved 1 issue(s) for ")
        assert await active(house) == left


async def test_a_success_of_a_deployment_leaves_a_release_alone(house, tool):
    await tool.post("release-failure", RELEASE, TEAM)
    answer = await tool.post("deployment-success", DEPLOYMENT, TEAM)
    assert answer.json["message"] == "Resolved 0 issue(s) for application shop"


async def test_kites_successes_resolve_any_type_on_the_scope(house, tool):
    other = CreateIssue(
        namespace="team",
        title="Tests failed",
        description="d",
        severity="minor",
        issue_type="test",
        resource_type="application",
        resource_name="shop",
    )
    await house.do(other)
    answer = await tool.post("release-success", RELEASE, TEAM)
    assert answer.json["message"] == "Resolved 1 issue(s) for application shop"


TABLES = (Scope, Issue, Occurrence, Run, Link, Label)
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")


async def all_rows(house):
    """As text, each id told by its first appearance and no times."""
    seen: dict[str, int] = {}
    rows = {model.__tablename__: await house.rows(model) for model in TABLES} | {"log": await house.log()}
    text = ID.sub(lambda id: f"id {seen.setdefault(id[0], len(seen))}", json.dumps(rows, sort_keys=True))
    return json.loads(TIME.sub("a time", text))


async def test_a_webhook_and_the_same_command_leave_equal_rows(house, tool, sqlite_url):
    scan = {"componentName": "api", "vulnerabilities": ["CVE-1", "CVE-2"], "reportUrl": "https://x/1"}
    async with open_house(sqlite_url) as other:
        for run in ("1", "2"):
            await tool.post("security-scan-failure", {**scan, "scanId": run}, TEAM)
            command = CreateIssue(
                namespace="team",
                title="Security scan found 2 vulnerabilities: api",
                description="Vulnerabilities:\nCVE-1\nCVE-2",
                severity="critical",
                issue_type="dependency",
                resource_type="component",
                resource_name="api",
                links=(LinkValue("Security Report", "https://x/1"),),
                labels=(LabelValue("vulnerability", "CVE-1"), LabelValue("vulnerability", "CVE-2")),
                source="security-scan",
                run_id=run,
                fingerprint=(PartValue("kind", "security-scan"),),
            )
            await other.do(command, TEKTON)
        success = {"resource_type": "component", "resource_name": "api", "issue_type": "dependency"}
        await tool.post("security-scan-success", scan, TEAM)
        await other.do(
            ResolveScope(namespace="team", **success, fingerprint=(PartValue("kind", "security-scan"),)), TEKTON
        )
        rows = await all_rows(house)
        assert len(rows["log"]) == 3
        assert rows == await all_rows(other)
