"""The definitions of tools: each can fail and recover, no rule is without a sample, and the page knows them all."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import orjson
import pytest

from models import Issue
from resolvers.mutation import CreateIssue, ResolveScope
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from tests.resolvers.mutation.house import TEKTON
from tests.resolvers.mutation.house import house as open_house
from webhooks.definition import load_all
from webhooks.samples import run_sample

SHIPPED = {each.name: each for each in load_all().single}
# The one of no tool is described elsewhere.
TOOLS = sorted(SHIPPED.keys() - {"generic"})
PAGE = (Path(__file__).parents[2] / "docs" / "webhook-definitions.md").read_text()


@cache
def plans(name):
    return [plan for sample in SHIPPED[name].samples for plan in run_sample(SHIPPED[name], sample).plans]


def commands(name, kind):
    return [plan.command for plan in plans(name) if isinstance(plan.command, kind)]


def parts(command):
    return {part.name: part.value for part in command.fingerprint or ()}


def place(command):
    return command.namespace, command.resource_type, command.resource_name, command.resource_namespace


def repairs(success, failure):
    """Whether the one resolves what the other reports."""
    there = parts(failure)
    return place(success) == place(failure) and all(
        there.get(name, "") == value for name, value in parts(success).items()
    )


@pytest.mark.parametrize("name", TOOLS)
def test_each_has_samples_that_fail_recover_and_mean_nothing(name):
    assert commands(name, CreateIssue)
    assert commands(name, ResolveScope)
    assert [plan for plan in plans(name) if plan.action == "ignored"]


@pytest.mark.parametrize("name", TOOLS)
def test_every_rule_has_a_sample(name):
    assert {rule.name for rule in SHIPPED[name].rules} - {plan.rule for plan in plans(name)} == set()


@pytest.mark.parametrize("name", TOOLS)
def test_each_success_repairs_a_failure_and_each_owner_owns_one(name):
    failures = commands(name, CreateIssue)
    for command in (*commands(name, ResolveScope), *commands(name, AcknowledgeScope)):
        assert any(repairs(command, failure) for failure in failures), command


@pytest.mark.parametrize("name", TOOLS)
def test_two_tools_on_one_thing_do_not_resolve_each_others_issues(name):
    for plan in plans(name):
        if plan.command is not None:
            assert parts(plan.command)["tool"] == name


@pytest.mark.parametrize("name", TOOLS)
def test_nothing_of_a_sample_is_dropped(name):
    assert [notice for plan in plans(name) for notice in plan.notices] == []


@pytest.mark.parametrize("name", TOOLS)
def test_the_page_knows_it(name):
    definition = SHIPPED[name]
    title = {"cloudwatch": "CloudWatch"}.get(name, definition.title)
    section = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, title
    ours = re.search(r"samples:\s+ours", section[1], re.IGNORECASE) is not None
    assert ours == all(sample.origin == "ours" for sample in definition.samples)
    for command in commands(name, CreateIssue):
        for part in parts(command).keys() - {"tool"}:
            assert f"`{part}`" in section[1], part


async def test_what_failed_and_works_later_is_resolved(database_url):
    async with open_house(database_url) as house:
        left = []
        for name in TOOLS:
            for success in commands(name, ResolveScope):
                failures = [each for each in commands(name, CreateIssue) if repairs(success, each)]
                for failure in failures[:1]:
                    reported = await house.writer.submit(failure, TEKTON)
                    await house.writer.submit(success, TEKTON)
                    is_later = not success.at or not failure.detected_at or success.at >= failure.detected_at
                    for id in reported.issue_ids:
                        row = await house.row(Issue, Issue.id == id)
                        if (row["state"] == "RESOLVED") != is_later:
                            left.append((name, failure.title, row["state"]))
        assert left == []


@pytest.mark.parametrize(("name", "count"), [("alertmanager", 5_000), ("grafana", 1_000)])
def test_a_batch_of_alerts_is_as_many_issues_and_says_what_did_not_come(name, count):
    sample = SHIPPED[name].samples[0]
    body = orjson.loads(sample.body)
    alerts = [alert for alert in body["alerts"] if alert["status"] == "firing"]
    body["alerts"] = [{**alerts[0], "fingerprint": str(number)} for number in range(count - 1)]
    body["truncatedAlerts"] = 3
    found = run_sample(SHIPPED[name], replace(sample, body=orjson.dumps(body), expect=())).plans
    assert len(found) == count
    assert len({parts(plan.command)["alert"] for plan in found[:-1]}) == count - 1
    assert "left out 3 alerts" in (found[-1].message or "")


@pytest.mark.parametrize("name", TOOLS)
def test_a_payload_of_1_mb_is_read_as_a_small_one_is(name):
    for sample in SHIPPED[name].samples:
        if sample.content_type == "application/json" and (small := run_sample(SHIPPED[name], sample).plans)[0].command:
            body = {
                **orjson.loads(sample.body),
                "more": [{"name": f"{number}", "text": "x" * 60} for number in range(12_000)],
            }
            large = replace(sample, body=orjson.dumps(body))
            assert len(large.body) > 1_000_000
            assert run_sample(SHIPPED[name], large).plans == small
            break
    else:
        assert name in ("cloudwatch", "statuscake")


def leaves(value, path=()):
    """The paths of all that is within a payload; of a list, those of its first two."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def without(value, path):
    """The payload with null in one place."""
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = without(value[key], rest) if rest else None
    return copy


@pytest.mark.parametrize("name", TOOLS)
def test_whatever_is_null_nothing_fails_but_for_what_an_issue_is_known_by(name):
    for sample in SHIPPED[name].samples[:12]:
        if sample.content_type != "application/json":
            continue
        body, whole = orjson.loads(sample.body), run_sample(SHIPPED[name], sample).plans
        for path in leaves(body):
            changed = orjson.dumps(without(body, path))
            for plan, before in zip(
                run_sample(SHIPPED[name], replace(sample, body=changed)).plans, whole, strict=False
            ):
                if plan.action == "failed":
                    assert re.match("scope|fingerprint|resourceName|each", plan.message or ""), (path, plan.message)
                if isinstance(plan.command, ResolveScope) and isinstance(before.command, ResolveScope):
                    # With a part less it would repair what is not repaired.
                    assert parts(plan.command).keys() >= parts(before.command).keys(), path
