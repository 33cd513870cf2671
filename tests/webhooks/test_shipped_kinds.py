"""Two kinds of run of one branch, where a tool tells them apart: neither repairs what only the other shows."""

from dataclasses import replace

import orjson
import pytest

from models import Issue
from tests.resolvers.mutation.house import TEKTON
from tests.resolvers.mutation.house import house as open_house
from webhooks.definition import load_all
from webhooks.samples import run_sample

SHIPPED = {each.name: each for each in load_all().single}
GREEN = "2026-11-20T18:00:00Z"
WORKFLOW_RUN = {"x-github-event": "workflow_run"}


def gitlab(source, status):
    request = {"source_project_id": 1, "target_project_id": 1} if source == "merge_request_event" else None
    attributes = {"id": 1, "ref": "cart", "tag": False, "source": source, "status": status, "finished_at": GREEN}
    return {
        "object_kind": "pipeline",
        "object_attributes": attributes,
        "project": {"path_with_namespace": "acme/shop"},
        "merge_request": request,
    }


def gitlab_child(source, status):
    payload = gitlab(source, status)
    return {**payload, "object_attributes": {**payload["object_attributes"], "source": "parent_pipeline"}}


def github(event, conclusion):
    run = {"id": 1, "path": "a/ci.yml", "head_branch": "cart", "head_sha": "f", "event": event, "updated_at": GREEN}
    return {
        "action": "completed",
        "workflow_run": {
            **run,
            "status": "completed",
            "conclusion": conclusion,
            "html_url": "https://github.example/1",
        },
        "repository": {"full_name": "acme/shop"},
    }


def azure(branch, result):
    project = {"project": {"name": "Shop"}}
    build = {"id": 1, "result": result, "finishTime": GREEN, "sourceBranch": branch, "definition": {"name": "ci"}}
    return {"eventType": "build.complete", "id": result + branch, "resource": build | project}


CASES = {
    "gitlab": (gitlab, {}, "push", "merge_request_event", "failed", "success"),
    "gitlab's children": (gitlab_child, {}, "push", "merge_request_event", "failed", "success"),
    "github's reviews": (
        github,
        {"x-github-event": "workflow_run"},
        "push",
        "pull_request_review",
        "failure",
        "success",
    ),
    "github": (github, {"x-github-event": "workflow_run"}, "push", "pull_request", "failure", "success"),
    "azure-devops": (azure, {}, "refs/heads/cart", "refs/pull/7/merge", "failed", "succeeded"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("turned", [False, True])
async def test_a_green_run_of_one_kind_leaves_the_red_one_of_the_other(database_url, name, turned):
    payload, headers, one, other, red, green = CASES[name]
    if turned:
        one, other = other, one
    sample = SHIPPED[name.partition("'")[0]].samples[0]

    def command(kind, result):
        body = orjson.dumps(payload(kind, result))
        changed = replace(sample, body=body, headers={**sample.headers, **headers}, expect=())
        return run_sample(SHIPPED[name.partition("'")[0]], changed).plans[0].command

    async with open_house(database_url) as house:
        assert (await house.do(command(one, red), TEKTON)).action == "CREATED"
        assert (await house.do(command(other, green), TEKTON)).issue_ids == ()
        assert (await house.do(command(other, red), TEKTON)).action == "CREATED"
        assert len((await house.do(command(one, green), TEKTON)).issue_ids) == 1
        assert [row["state"] for row in await house.rows(Issue)].count("ACTIVE") == 1
