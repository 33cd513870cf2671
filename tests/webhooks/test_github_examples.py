"""GitHub's events as other people have recorded them: the npm package @octokit/webhooks-examples.

Each is acted on as its outcome says, or ignored with a reason; none fails.
"""

import json
from itertools import chain
from pathlib import Path

import orjson
import pytest

from resolvers.mutation import CreateIssue, ResolveScope
from webhooks.definition import load_all
from webhooks.definition.samples import Sample
from webhooks.samples import run_sample

EXAMPLES = Path(__file__).parents[1] / "node/node_modules/@octokit/webhooks-examples"
(GITHUB,) = (each for each in load_all().single if each.name == "github")
EVENTS = ("workflow_run", "check_run", "deployment_status", "status")


def recorded():
    """Where it is from, the event, the payload."""
    for file in sorted(EXAMPLES.glob("*/index.json")):
        for told in json.loads(file.read_text()):
            for number, body in enumerate(told["examples"]):
                yield f"{file.parent.name} {told['name']} {number}", told["name"], body


RECORDED = list(recorded())
ACTED_ON = [each for each in RECORDED if each[1] in EVENTS]


def plans_of(event, body):
    headers = {"content-type": "application/json", "x-github-event": event}
    sample = Sample(
        name=event,
        line=1,
        headers=headers,
        query={},
        content_type="application/json",
        body=orjson.dumps(body),
        origin="@octokit/webhooks-examples",
        expect=(),
    )
    return run_sample(GITHUB, sample).plans


def outcome(event, body):
    """failed, succeeded or neither, in GitHub's words."""
    if event == "workflow_run":
        done = body["action"] == "completed" and body["workflow_run"]["status"] == "completed"
        word = body["workflow_run"]["conclusion"] if done else None
    elif event == "check_run":
        word = body["check_run"]["conclusion"] if body.get("action") == "completed" else None
    else:
        word = body["state"] if event == "status" else body["deployment_status"]["state"]
    if word in ("failure", "timed_out", "startup_failure", "error"):
        return CreateIssue
    return ResolveScope if word == "success" else None


def test_there_are_as_many_as_the_package_has():
    assert {event: sum(event == name for _, name, _ in ACTED_ON) for event in EVENTS} == {
        "workflow_run": 10,
        "check_run": 18,
        "deployment_status": 11,
        "status": 11,
    }


@pytest.mark.parametrize(("event", "body"), [each[1:] for each in ACTED_ON], ids=[each[0] for each in ACTED_ON])
def test_each_is_acted_on_or_ignored_with_a_reason(event, body):
    plans = plans_of(event, body)
    assert len(plans) == (max(1, len(body["branches"])) if event == "status" else 1)
    for plan in plans:
        assert plan.notices == () or plan.notices == ("deliveryId was left out: there is no 'x-github-delivery'",)
        expected = outcome(event, body)
        if expected is None or (event == "status" and not body["branches"]):
            assert (plan.action, bool(plan.message)) == ("ignored", True)
            continue
        assert isinstance(plan.command, expected)
        repository = body["repository"]["full_name"]
        assert plan.command.resource_name.startswith(repository)
        if isinstance(plan.command, CreateIssue):
            assert plan.command.detected_at
            assert plan.command.links
        else:
            assert plan.command.at


def test_a_failure_of_theirs_is_repaired_by_a_success_of_theirs():
    checks = [plans_of(event, body)[0].command for _, event, body in ACTED_ON if event == "check_run"]
    failure = next(each for each in checks if isinstance(each, CreateIssue))
    success = next(each for each in checks if isinstance(each, ResolveScope))
    assert failure.fingerprint == success.fingerprint
    assert (failure.resource_type, failure.resource_name) == (success.resource_type, success.resource_name)


def test_all_other_events_are_ignored():
    others = [(where, event, body) for where, event, body in RECORDED if event not in EVENTS]
    assert len(others) > 500
    plans = chain.from_iterable(plans_of(event, body) for _, event, body in others)
    assert {plan.action for plan in plans} == {"ignored"}
