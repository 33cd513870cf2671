"""Our definitions: what every webhook of Kite and of the integration guide makes of its payload."""

from typing import Any

import pytest

from resolvers.mutation import CreateIssue, LabelValue, LinkValue, PartValue, ResolveScope
from tests.webhooks.tools import Tool

FAILURES: dict[str, Any] = {
    "pipeline-failure": (
        201,
        {
            "pipelineName": "build-api",
            "namespace": "team",
            "failureReason": "task <lint> failed",
            "severity": "critical",
            "runId": "run-1",
            "logsUrl": "https://logs.example/run-1",
        },
        CreateIssue(
            namespace="team",
            title="Pipeline run failed: build-api",
            description="The pipeline run build-api failed with reason: task <lint> failed",
            severity="critical",
            issue_type="pipeline",
            resource_type="pipelinerun",
            resource_name="build-api",
            links=(LinkValue("Pipeline Run Logs", "https://logs.example/run-1"),),
            source="pipeline",
            run_id="run-1",
        ),
    ),
    "mintmaker-custom": (
        201,
        {"pipelineId": "github.com/org/repo/main", "namespace": "team", "type": "error", "logs": ["one", "two"]},
        CreateIssue(
            namespace="team",
            title="Mintmaker error(2): github.com/org/repo/main",
            description="one\n--------------------------------\ntwo",
            severity="major",
            issue_type="dependency",
            resource_type="mintmaker-error",
            resource_name="github.com/org/repo/main",
            links=(
                LinkValue("Mintmaker docs", "https://konflux-ci.dev/docs/mintmaker/user/"),
                LinkValue("Renovate docs", "https://docs.renovatebot.com/configuration-options/"),
            ),
            source="mintmaker",
        ),
    ),
    "release-failure": (
        201,
        {
            "application": "shop",
            "namespace": "team",
            "failurePhase": "managed",
            "release": "shop-7",
            "pipelineRunUrl": "https://runs.example/7",
        },
        CreateIssue(
            namespace="team",
            title="Release shop-7 failed for application shop",
            description="The release failed in phase: managed. Link to logs: https://runs.example/7",
            severity="major",
            issue_type="release",
            resource_type="application",
            resource_name="shop",
            source="release",
        ),
    ),
    "build-failure": (
        200,
        {
            "componentName": "api",
            "namespace": "team",
            "buildId": "b-1",
            "errorMessage": "exit code 1",
            "buildLogsUrl": "https://builds.example/1",
        },
        CreateIssue(
            namespace="team",
            title="Build failed: api",
            description="exit code 1",
            severity="major",
            issue_type="build",
            resource_type="component",
            resource_name="api",
            links=(LinkValue("Build Logs", "https://builds.example/1"),),
            source="build",
            run_id="b-1",
        ),
    ),
    "deployment-failure": (
        200,
        {
            "applicationName": "shop",
            "namespace": "team",
            "deploymentId": "d-1",
            "failureReason": "quota",
            "dashboardUrl": "https://dash.example/1",
        },
        CreateIssue(
            namespace="team",
            title="Deployment failed: shop",
            description="quota",
            severity="critical",
            issue_type="release",
            resource_type="application",
            resource_name="shop",
            links=(LinkValue("Deployment Dashboard", "https://dash.example/1"),),
            source="deployment",
            run_id="d-1",
            fingerprint=(PartValue("kind", "deployment"),),
        ),
    ),
    "security-scan-failure": (
        200,
        {
            "componentName": "api",
            "namespace": "team",
            "scanId": "s-1",
            "vulnerabilities": ["CVE-2026-1", "CVE-2026-2"],
            "reportUrl": "https://scans.example/1",
        },
        CreateIssue(
            namespace="team",
            title="Security scan found 2 vulnerabilities: api",
            description="Vulnerabilities:\nCVE-2026-1\nCVE-2026-2",
            severity="critical",
            issue_type="dependency",
            resource_type="component",
            resource_name="api",
            links=(LinkValue("Security Report", "https://scans.example/1"),),
            labels=(LabelValue("vulnerability", "CVE-2026-1"), LabelValue("vulnerability", "CVE-2026-2")),
            source="security-scan",
            run_id="s-1",
            fingerprint=(PartValue("kind", "security-scan"),),
        ),
    ),
}


@pytest.mark.parametrize("path", FAILURES)
async def test_0_15_a_failure_with_everything(path):
    status, payload, command = FAILURES[path]
    tool = Tool()
    answer = await tool.post(path, payload, "namespace=team")
    assert answer.status == status
    assert answer.json == {"status": "success", "action": "created", "issue": {"id": "an-id", "for": "tekton"}}
    assert tool.command == command


REQUIRED = {
    "pipeline-failure": ("pipelineName", "namespace", "failureReason"),
    "mintmaker-custom": ("pipelineId", "namespace", "type"),
    "release-failure": ("application", "namespace", "failurePhase", "release"),
    "build-failure": ("componentName", "namespace", "errorMessage"),
    "deployment-failure": ("applicationName", "namespace", "failureReason"),
    "security-scan-failure": ("componentName", "namespace", "vulnerabilities"),
}


@pytest.mark.parametrize("path", REQUIRED)
async def test_required_is_what_the_contract_says_and_the_rest_is_not(path):
    payload = {name: FAILURES[path][1][name] for name in REQUIRED[path]}
    answer = await Tool().post(path, payload)
    assert answer.status in (200, 201)
    assert "notices" not in answer.json
    for name in payload.keys() - {"namespace"}:
        answer = await Tool().post(path, {key: value for key, value in payload.items() if key != name})
        key = name[0].upper() + name[1:]
        assert answer.status == 400
        assert f"Error:Field validation for '{key}' failed on the 'required' tag" in answer.json["details"]


SUCCESSES: dict[str, Any] = {
    "pipeline-success": (
        {"pipelineName": "build-api"},
        "pipeline build-api",
        {"resource_type": "pipelinerun", "resource_name": "build-api", "fingerprint": ()},
    ),
    "release-success": (
        {"application": "shop"},
        "application shop",
        {"resource_type": "application", "resource_name": "shop", "fingerprint": ()},
    ),
    "build-success": (
        {"componentName": "api"},
        "component api",
        {"resource_type": "component", "resource_name": "api", "issue_type": "build", "fingerprint": ()},
    ),
    "deployment-success": (
        {"applicationName": "shop"},
        "application shop",
        {
            "resource_type": "application",
            "resource_name": "shop",
            "issue_type": "release",
            "fingerprint": (PartValue("kind", "deployment"),),
        },
    ),
    "security-scan-success": (
        {"componentName": "api"},
        "component api",
        {
            "resource_type": "component",
            "resource_name": "api",
            "issue_type": "dependency",
            "fingerprint": (PartValue("kind", "security-scan"),),
        },
    ),
}


@pytest.mark.parametrize("path", SUCCESSES)
async def test_a_success(path):
    payload, about, values = SUCCESSES[path]
    tool = Tool()
    answer = await tool.post(path, {**payload, "namespace": "team"})
    assert (answer.status, answer.json) == (200, {"status": "success", "message": f"Resolved 3 issue(s) for {about}"})
    assert tool.command == ResolveScope(namespace="team", **values)


@pytest.mark.parametrize(
    ("type", "severity"), [("error", "major"), ("warning", "minor"), ("info", "info"), ("x", "info")]
)
async def test_how_bad_a_mintmaker_log_is(type, severity):
    tool = Tool()
    payload = {"pipelineId": "p", "namespace": "team", "type": type, "logs": ["one", None]}
    assert (await tool.post("mintmaker-custom", payload)).status == 201
    assert (tool.command.severity, tool.command.resource_type) == (severity, f"mintmaker-{type}")
    assert tool.command.title == f"Mintmaker {type}(2): p"


@pytest.mark.parametrize("logs", [{}, {"logs": []}, {"logs": None}])
async def test_a_mintmaker_run_without_logs_is_no_issue(logs):
    tool = Tool()
    answer = await tool.post("mintmaker-custom", {"pipelineId": "p", "namespace": "team", "type": "error", **logs})
    assert (answer.status, answer.json) == (200, {"info": "No logs provided, no issue created"})
    assert tool.writer.commands == []


async def test_a_release_without_a_run_says_nothing_of_logs():
    tool = Tool()
    payload = {"application": "a", "namespace": "team", "failurePhase": "tenant", "release": "r"}
    for url in (None, ""):
        await tool.post("release-failure", {**payload, "pipelineRunUrl": url})
        assert tool.writer.commands.pop().description == "The release failed in phase: tenant"


async def test_vulnerabilities_may_be_objects():
    tool = Tool()
    payload = {"componentName": "api", "namespace": "team", "vulnerabilities": [{"id": "CVE-1"}]}
    assert (await tool.post("security-scan-failure", payload)).status == 200
    assert tool.command.labels == (LabelValue("vulnerability", '{"id":"CVE-1"}'),)
    assert tool.command.title == "Security scan found 1 vulnerabilities: api"
