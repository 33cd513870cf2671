"""A run that fails, works and fails again under one id: what fails later is a failure, what is sent again is none."""

from dataclasses import replace

import orjson
import pytest

from models import Issue
from resolvers.mutation import CreateIssue
from tests.resolvers.mutation.house import TEKTON
from tests.resolvers.mutation.house import house as open_house
from webhooks.definition import load_all
from webhooks.samples import run_sample

SHIPPED = {each.name: each for each in load_all().single}
ISO = tuple(f"2026-11-20T09:{minute}:00Z" for minute in ("00", "10", "20"))
GITLAB = tuple(f"2026-11-20 09:{minute}:00 UTC" for minute in ("00", "10", "20"))
MS = (1_795_165_200_000, 1_795_165_800_000, 1_795_166_400_000)
NS = tuple(moment * 1_000_000 for moment in MS)
SECONDS = tuple(str(moment // 1_000) for moment in MS)
RED = ("failed", "success", "failed")
FAILURE = ("failure", "success", "failure")

# Of what: the definition, a sample of it that fails, and what a place in its payload (or a header) says each time.
CASES = {
    "gitlab pipeline": (
        "gitlab",
        "a pipeline fails",
        {"object_attributes.status": RED, "object_attributes.finished_at": GITLAB},
    ),
    "gitlab deployment": ("gitlab", "a deployment fails", {"status": RED, "status_changed_at": GITLAB}),
    "buildkite build": (
        "buildkite",
        "a build fails",
        {"build.state": ("failed", "passed", "failed"), "build.finished_at": ISO},
    ),
    "buildkite build that is failing": (
        "buildkite",
        "a build will fail",
        {
            "build.state": ("failing", "passed", "failing"),
            "build.failing_at": (ISO[0], None, ISO[2]),
            "build.finished_at": (None, ISO[1], None),
        },
    ),
    "github workflow run": (
        "github",
        "a workflow fails on the default branch",
        {"workflow_run.conclusion": FAILURE, "workflow_run.run_attempt": (1, 2, 3), "workflow_run.updated_at": ISO},
    ),
    "github check run": (
        "github",
        "a check fails",
        {"check_run.conclusion": FAILURE, "check_run.completed_at": ISO},
    ),
    "github deployment": (
        "github",
        "a deployment to production fails",
        {
            "deployment_status.state": ("failure", "success", "error"),
            "deployment_status.id": (1, 2, 3),
            "deployment_status.created_at": ISO,
        },
    ),
    "github deployment whose statuses have no id": (
        "github",
        "a deployment to production fails",
        {
            "deployment_status.state": FAILURE,
            "deployment_status.id": (None, None, None),
            "deployment_status.created_at": ISO,
        },
    ),
    "azure-devops build of 1.0": (
        "azure-devops",
        "a build fails, told in version 1.0",
        {"resource.status": ("failed", "succeeded", "failed"), "resource.finishTime": ISO},
    ),
    "azure-devops build of 2.0": (
        "azure-devops",
        "a build fails, told in version 2.0",
        {"resource.result": ("failed", "succeeded", "failed"), "resource.finishTime": ISO},
    ),
    "bitbucket status": (
        "bitbucket",
        "a build fails, and the commit is in a link only",
        {"commit_status.state": ("FAILED", "SUCCESSFUL", "FAILED"), "commit_status.updated_on": ISO},
    ),
    "cdevents pipeline run": (
        "cdevents",
        "a pipeline run of 0.5 fails",
        {"subject.content.outcome": FAILURE, "context.timestamp": ISO},
    ),
    "cdevents task run": (
        "cdevents",
        "a task run fails",
        {"subject.content.outcome": ("error", "success", "error"), "context.timestamp": ISO},
    ),
    "cdevents tests": (
        "cdevents",
        "tests fail",
        {"subject.content.outcome": ("fail", "pass", "fail"), "context.timestamp": ISO},
    ),
    "cdevents incident": (
        "cdevents",
        "an incident is detected",
        {
            "context.type": tuple(
                f"dev.cdevents.incident.{word}.0.3.0" for word in ("detected", "resolved", "detected")
            ),
            "context.timestamp": ISO,
        },
    ),
    "jenkins job that was made anew": (
        "jenkins",
        "a build in a folder fails",
        {"build.status": ("FAILURE", "SUCCESS", "FAILURE"), "build.timestamp": MS, "build.queue_id": (1, 2, 3)},
    ),
    "datadog monitor without a cycle": (
        "datadog",
        "a monitor triggers, of an integration that tells no cycle",
        {"transition": ("Triggered", "Recovered", "Triggered"), "date": tuple(str(moment) for moment in MS)},
    ),
    "opsgenie alert": (
        "opsgenie",
        "an alert is created",
        {"action": ("Create", "Close", "Create"), "alert.updatedAt": NS},
    ),
    "sentry issue": (
        "sentry",
        "an issue is new",
        {"action": ("created", "resolved", "unresolved"), "sentry-hook-timestamp": SECONDS},
    ),
}


def placed(body, path, value):
    *parents, last = path.split(".")
    for name in parents:
        body = body[name]
    body[last] = value


def commands(case):
    """What comes of each of the three payloads."""
    name, title, told = case
    (sample,) = (each for each in SHIPPED[name].samples if each.name == title)
    for step in range(3):
        body, headers = orjson.loads(sample.body), dict(sample.headers)
        for path, values in told.items():
            if path in headers:
                headers[path] = values[step]
            else:
                placed(body, path, values[step])
        changed = replace(sample, body=orjson.dumps(body), headers=headers, expect=())
        yield run_sample(SHIPPED[name], changed).plans[0].command


@pytest.mark.parametrize("case", CASES)
async def test_a_run_that_fails_again_after_its_repair_is_broken(database_url, case):
    red, green, again = commands(CASES[case])
    async with open_house(database_url) as house:
        assert (await house.do(red, TEKTON)).action == "CREATED"
        assert len((await house.do(green, TEKTON)).issue_ids) == 1
        later = await house.do(again, TEKTON)
        assert later.action == "CREATED"
        for command in (red, green, again):
            outcome = await house.do(command, TEKTON)
            assert outcome.action == "UNCHANGED" if isinstance(command, CreateIssue) else outcome.issue_ids == ()
        active = await house.row(Issue, Issue.state == "ACTIVE")
        assert (active["id"], active["occurrence_count"]) == (later.issue_ids[0], 1)


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
async def test_an_alert_with_the_start_of_one_that_is_over_is_that_one(database_url, name):
    sample = SHIPPED[name].samples[0]
    group = orjson.loads(sample.body)
    alert = next(each for each in group["alerts"] if each["status"] == "firing")
    told = []
    for change in ({}, {"status": "resolved", "endsAt": ISO[1]}, {}, {"startsAt": ISO[2]}):
        body = {**group, "alerts": [{**alert, "startsAt": ISO[0], **change}]}
        (plan,) = run_sample(SHIPPED[name], replace(sample, body=orjson.dumps(body), expect=())).plans
        told.append(plan.command)
    async with open_house(database_url) as house:
        assert [(await house.do(command, TEKTON)).action for command in told] == [
            "CREATED",
            None,
            "UNCHANGED",
            "CREATED",
        ]
