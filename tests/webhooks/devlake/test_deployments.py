"""Deployments and pull requests as DevLake's clients post them; one that fails is an issue until one succeeds."""

import json

import pytest

from models import Change, Deployment, DeploymentChange, Issue, Label
from resolvers.caller import Permission
from tests.resolvers.mutation.house import caller
from webhooks.devlake.plans import repository_name

COMMIT = {
    "repoUrl": "https://git.example/org/shop.git",
    "refName": "main",
    "startedDate": "2026-01-31T12:00:00+00:00",
    "finishedDate": "2026-01-31T12:30:00+00:00",
    "commitSha": "015e3d3b480e417aede5a1293bd61de9b0fd051d",
    "commitMsg": "more of it",
}
SAMPLE = {
    "id": "deploy-1",
    "startedDate": "2026-01-31T12:00:00+00:00",
    "finishedDate": "2026-01-31T12:30:00+00:00",
    "result": "SUCCESS",
    "deploymentCommits": [COMMIT],
}
PULL_REQUEST = {
    "id": "pr-1",
    "displayTitle": "Add a cart",
    "pullRequestKey": 7,
    "createdDate": "2026-01-30T12:00:00+00:00",
    "mergedDate": "2026-01-31T12:00:00+00:00",
    "status": "MERGED",
    "mergeCommitSha": COMMIT["commitSha"],
    "headRef": "cart",
    "baseRef": "main",
    "authorName": "Ada",
    "isDraft": False,
}


def deployments(devlake):
    return f"/api/rest/plugins/webhook/connections/{devlake.id}/deployments"


def failed(**values):
    return {**SAMPLE, "result": "FAILURE", **values}


def required(key, tag="required"):
    field = key.rpartition(".")[2]
    return f"Key: 'WebhookDeploymentReq.{key}' Error:Field validation for '{field}' failed on the '{tag}' tag"


async def test_a_deployment_is_kept_once_whatever_the_path(devlake):
    paths = (f"connections/{devlake.id}", str(devlake.id), "connections/by-name/shop", "projects/shop")
    for path, action in zip(paths, ["created", "unchanged", "unchanged", "unchanged"], strict=True):
        status, told = await devlake.post(f"/rest/plugins/webhook/{path}/deployments", SAMPLE)
        data = told.pop("data")
        assert (status, told) == (200, {"code": 0, "success": True, "message": "success", "causes": None})
        # Nothing was broken that it could have repaired.
        assert [(item["rule"], item["action"]) for item in data["items"]] == [
            ("deployment", action),
            ("deployment succeeded", "resolved"),
        ]
    row = await devlake.row(Deployment)
    assert {name: row[name] for name in ("namespace", "source", "external_id", "environment", "result")} == {
        "namespace": "team",
        "source": "devlake",
        "external_id": "deploy-1",
        "environment": "PRODUCTION",
        "result": "SUCCESS",
    }
    assert (row["started_at"], row["finished_at"]) == ("2026-01-31T12:00:00.000000Z", "2026-01-31T12:30:00.000000Z")
    change = await devlake.row(DeploymentChange)
    assert (change["sha"], change["repository"]) == (COMMIT["commitSha"], COMMIT["repoUrl"])
    assert (change["message"], change["ref_name"], change["result"]) == ("more of it", "main", "SUCCESS")
    assert await devlake.rows(Issue) == []


async def test_one_that_fails_opens_an_issue_that_the_next_success_resolves(devlake):
    _, told = await devlake.post(deployments(devlake), failed(name="shop", displayTitle="of the day"))
    record, issue = told["data"]["items"]
    assert (record["action"], issue["action"], issue["rule"]) == ("created", "created", "deployment failed")
    row = await devlake.row(Issue)
    assert issue["issue"]["id"] == row["id"]
    assert (row["title"], row["severity"], row["issue_type"]) == (
        "Deployment failed: shop (PRODUCTION)",
        "critical",
        "release",
    )
    assert row["detected_at"] == "2026-01-31T12:30:00.000000Z"
    assert "of the day" in row["description"]
    assert f"org/shop main {COMMIT['commitSha']} more of it" in row["description"]
    parts = {part["name"]: part["value"] for part in json.loads(row["fingerprint_parts"])}
    assert (parts["resourceType"], parts["resourceName"]) == ("application", "shop")
    assert (parts["kind"], parts["environment"]) == ("deployment", "PRODUCTION")
    # It is sent again, and then a success that is older comes late, and one elsewhere.
    await devlake.post(deployments(devlake), failed(name="shop", displayTitle="of the day"))
    assert (await devlake.row(Issue))["occurrence_count"] == 1
    await devlake.post(
        deployments(devlake), {**SAMPLE, "id": "0", "name": "shop", "finishedDate": "2026-01-31T12:29:00Z"}
    )
    await devlake.post(
        deployments(devlake),
        {**SAMPLE, "id": "2", "name": "shop", "environment": "STAGING", "finishedDate": "2026-01-31T14:00:00Z"},
    )
    assert (await devlake.row(Issue))["state"] == "ACTIVE"
    _, told = await devlake.post(
        deployments(devlake), {**SAMPLE, "id": "3", "name": "shop", "finishedDate": "2026-01-31T14:30:00Z"}
    )
    assert told["data"]["items"][1]["issues"] == [row["id"]]
    row = await devlake.row(Issue)
    assert (row["state"], row["resolved_at"]) == ("RESOLVED", "2026-01-31T14:30:00.000000Z")


async def test_several_repositories_without_a_name_are_an_application_each(devlake):
    other = {**COMMIT, "repoUrl": "git@git.example:org/cart.git", "commitSha": "b"}
    again = {**COMMIT, "commitSha": "c"}
    _, told = await devlake.post(
        deployments(devlake), failed(environment="STAGING", deploymentCommits=[COMMIT, other, again])
    )
    assert [item["action"] for item in told["data"]["items"]] == ["created"] * 3
    rows = await devlake.rows(Issue)
    assert [(row["title"], row["severity"]) for row in rows] == [
        ("Deployment failed: org/shop (STAGING)", "major"),
        ("Deployment failed: org/cart (STAGING)", "major"),
    ]
    assert [row["sha"] for row in await devlake.rows(DeploymentChange)] == [COMMIT["commitSha"], "b", "c"]


async def test_other_results_are_kept_and_open_or_resolve_nothing(devlake):
    await devlake.post(deployments(devlake), failed())
    for result in ("ABORT", "MANUAL", "anything"):
        _, told = await devlake.post(deployments(devlake), {**SAMPLE, "id": result, "result": result})
        assert [item["action"] for item in told["data"]["items"]] == ["created"]
        assert (await devlake.row(Deployment, Deployment.external_id == result))["result"] == result.upper()
    assert (await devlake.row(Issue))["state"] == "ACTIVE"


async def test_bodies_of_older_guides_are_taken(devlake):
    single = {
        "pipeline_id": "1",
        "repo_url": COMMIT["repoUrl"],
        "commit_sha": "a",
        "start_time": "2026-01-31T12:00:00+0000",
        "environment": "PRODUCTION",
        "ref_name": "main",
    }
    listed = {
        "id": "2",
        "started_date": "2026-01-31T12:00:00.000+0000",
        "finished_date": "2026-01-31T12:30:00.123456+0000",
        "deployment_commits": [{"repo_url": COMMIT["repoUrl"], "commit_sha": "b"}],
    }
    for body in (single, listed):
        status, told = await devlake.post(deployments(devlake), body)
        assert status == 200, told
    first, second = await devlake.rows(Deployment)
    assert (first["external_id"], first["started_at"]) == ("1", "2026-01-31T12:00:00.000000Z")
    assert first["finished_at"] > first["started_at"]
    assert second["finished_at"] == "2026-01-31T12:30:00.123456Z"
    assert [row["sha"] for row in await devlake.rows(DeploymentChange)] == ["a", "b"]


async def test_the_one_commit_of_an_older_guide_needs_no_id(devlake):
    old = {
        "repo_url": COMMIT["repoUrl"],
        "commit_sha": "a",
        "start_time": "2026-01-31T12:00:00+0000",
        "end_time": "2026-01-31T12:30:00+0000",
        "result": "FAILURE",
    }
    for actions in (["created", "created"], ["unchanged", "unchanged"]):
        status, told = await devlake.post(deployments(devlake), old)
        assert (status, [item["action"] for item in told["data"]["items"]]) == (200, actions)
    row = await devlake.row(Deployment)
    assert (row["external_id"], row["environment"]) == ("org/shop:a:PRODUCTION", "PRODUCTION")
    # Elsewhere, or of another commit, it is another one.
    for change in ({"environment": "STAGING"}, {"commit_sha": "b", "result": "SUCCESS", "end_time": "2026-02-01"}):
        change = {**change, "end_time": "2026-02-01T12:30:00+0000"}
        assert (await devlake.post(deployments(devlake), {**old, **change}))[0] == 200
    assert len(await devlake.rows(Deployment)) == 3
    assert [row["state"] for row in await devlake.rows(Issue)] == ["RESOLVED", "ACTIVE"]
    for name, field in (("repo_url", "DeploymentCommits[0].RepoUrl"), ("start_time", "StartedDate")):
        status, told = await devlake.post(deployments(devlake), {**old, name: None})
        assert (status, told["causes"]) == (400, [required(field)])


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"id": "", "startedDate": None}, [required("Id"), required("StartedDate")]),
        ({"finishedDate": None}, [required("FinishedDate")]),
        ({"environment": "production"}, [required("Environment", "oneof")]),
        (
            {"deploymentCommits": [COMMIT, {}]},
            [required(f"DeploymentCommits[1].{name}") for name in ("RepoUrl", "CommitSha")],
        ),
    ],
)
async def test_what_is_missing_is_said_in_the_envelope(devlake, change, problems):
    assert await devlake.post(deployments(devlake), {**SAMPLE, **change}) == (
        400,
        {"code": 400, "success": False, "message": "input json error (400)", "causes": problems, "data": None},
    )
    assert await devlake.rows(Deployment) == []


async def test_the_id_of_a_deployment_is_that_of_one_connection_and_of_one_end(devlake):
    ends = [f"2026-01-31T{hour}:30:00+00:00" for hour in (12, 13, 14, 15)]
    await devlake.post(deployments(devlake), failed(name="shop", finishedDate=ends[0]))
    await devlake.post(deployments(devlake), {**SAMPLE, "name": "shop", "finishedDate": ends[1]})
    _, told = await devlake.post(deployments(devlake), failed(name="shop", finishedDate=ends[2]))
    assert told["data"]["items"][1]["action"] == "created"
    await devlake.post(deployments(devlake), {**SAMPLE, "name": "shop", "finishedDate": ends[3]})
    _, other = await devlake.post("/plugins/webhook/connections", {"name": "cart", "namespace": "team"})
    path = f"/plugins/webhook/connections/{other['id']}/deployments"
    for action in ("created", "unchanged"):
        _, told = await devlake.post(path, failed(name="shop", finishedDate="2026-01-31T16:30:00+00:00"))
        assert told["data"]["items"][1]["action"] == action
    rows = await devlake.rows(Issue)
    assert sorted(row["state"] for row in rows) == ["ACTIVE", "RESOLVED", "RESOLVED"]


async def test_a_deployment_of_nothing_is_refused(devlake):
    for commits in ([], None):
        status, told = await devlake.post(deployments(devlake), {**SAMPLE, "deploymentCommits": commits})
        assert (status, told["message"]) == (400, "deployment_commits is empty (400)")
    status, told = await devlake.post(deployments(devlake), {**SAMPLE, "deploymentCommits": ["a"]})
    assert (status, type(told)) == (400, str)


async def test_a_project_is_a_connection_or_a_namespace_of_the_callers(devlake):
    path = "/plugins/webhook/projects/{}/deployments"
    _, made = await devlake.post("/plugins/webhook/connections", {"name": "web_deployments", "namespace": "other"})
    devlake.who = caller(team=[Permission.REPORT], other=[Permission.REPORT])
    for number, project in enumerate(("web", "shop", "team")):
        status, _ = await devlake.post(path.format(project), {**SAMPLE, "id": f"{number}"})
        assert status == 200
    rows = sorted(await devlake.rows(Deployment), key=lambda row: row["external_id"])
    assert [(row["namespace"], row["system"]) for row in rows] == [
        ("other", str(made["id"])),
        ("team", str(devlake.id)),
        ("team", "team_deployments"),
    ]
    status, told = await devlake.post(path.format("nobody"), SAMPLE)
    assert (status, told["message"]) == (404, "record not found (404)")


async def test_a_pull_request_is_a_change_that_deployments_name_by_its_commit(devlake):
    path = f"/plugins/webhook/{devlake.id}/pull_requests"
    for action in ("created", "unchanged"):
        status, told = await devlake.post(path, PULL_REQUEST)
        assert (status, [item["action"] for item in told["data"]["items"]]) == (200, [action])
    row = await devlake.row(Change)
    names = ("kind", "external_id", "sha", "title", "author", "status", "head_ref", "base_ref")
    assert [row[name] for name in names] == [
        *("pull_request", "7", COMMIT["commitSha"], "Add a cart", "Ada", "MERGED", "cart", "main"),
    ]
    assert (row["authored_at"], row["merged_at"]) == ("2026-01-30T12:00:00.000000Z", "2026-01-31T12:00:00.000000Z")
    assert await devlake.rows(Label) == []


@pytest.mark.parametrize("change", [{"pullRequestKey": None}, {"status": "open"}, {"displayTitle": ""}])
async def test_a_pull_request_that_lacks_something_is_refused_in_the_envelope(devlake, change):
    status, told = await devlake.post(f"/plugins/webhook/{devlake.id}/pull_requests", {**PULL_REQUEST, **change})
    assert (status, told["message"], len(told["causes"])) == (400, "input json error (400)", 1)


def test_a_repository_has_a_short_name():
    for url in (
        "https://git.example/org/shop.git",
        "ssh://git@git.example:22/org/shop",
        "git@git.example:org/shop.git",
    ):
        assert repository_name(url) == "org/shop"
    for text in ("org/shop", "https://git.example", "https://[", ""):
        assert repository_name(text) == text
