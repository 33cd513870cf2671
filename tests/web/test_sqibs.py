"""Callgoose SQIBS's calls: any payload, filters, and its answers."""

import json

import pytest

from models import Delivery, Issue
from resolvers.webhooks.filters import Condition, Filter
from tests.web.clients import clients
from webhooks.definition import parse_single
from webhooks.sqibs import definition_of_filters

# Of its guide for Buildkite.
FAILED = {"event": {"id": "build-7", "status": "FAILED", "title": "Pipeline shop", "description": "exit code 1"}}
PASSED = {"event": {"id": "build-7", "status": "PASSED"}}


@pytest.fixture
async def sqibs(database_url):
    async with clients(database_url) as found:
        found.secret = await found.key("sqibs")

        async def process(payload, *, body=None, **query):
            body = json.dumps(payload).encode() if body is None else body
            query = {"token": found.secret, "from": "Buildkite", **query}
            headers = {"content-type": "application/json"}
            return await found.http.request("POST", "/v1/process", body, headers=headers, query=query)

        found.process = process
        yield found


def told(answer):
    return answer.status, answer.json["triggered"], answer.json["resolved"]


NOTHING = {"duplicate": False, "created": False}
UNRESOLVED = {"duplicate": False, "resolved": False}


async def test_the_two_payloads_of_its_guide_open_and_resolve_an_incident(sqibs):
    answer = await sqibs.process(FAILED)
    assert told(answer) == (201, {"duplicate": False, "created": True}, UNRESOLVED)
    row = await sqibs.row(Issue)
    assert (row["title"], row["description"], row["severity"]) == ("Buildkite - Pipeline shop", "exit code 1", "major")
    assert (row["namespace"], row["issue_type"], row["source"]) == ("team", "incident", "sqibs")
    assert told(await sqibs.process(FAILED)) == (200, {"duplicate": True, "created": False}, UNRESOLVED)
    # Another incident stays.
    other = {"event": {**FAILED["event"], "id": "build-8", "status": "ERROR"}}
    assert told(await sqibs.process(other))[0] == 201
    assert told(await sqibs.process(PASSED)) == (200, NOTHING, {"duplicate": False, "resolved": True})
    assert told(await sqibs.process(PASSED)) == (200, NOTHING, {"duplicate": True, "resolved": False})
    assert [row["state"] for row in await sqibs.rows(Issue)] == ["RESOLVED", "ACTIVE"]
    (first, *_) = await sqibs.rows(Delivery)
    assert (first["id"], first["webhook"], first["event"]) == (answer.json["id"], "sqibs", "Buildkite")


async def test_what_matches_no_filter_is_taken_and_does_nothing(sqibs):
    for payload, body in (({"status": "running"}, None), ({}, None), (None, b"no json"), (None, b"")):
        answer = await sqibs.process(payload, body=body, **{"from": "a script of ours"})
        assert told(answer) == (202, NOTHING, UNRESOLVED)
    assert await sqibs.rows(Issue) == []
    assert {row["outcome"] for row in await sqibs.rows(Delivery)} == {"UNMATCHED"}


async def test_without_a_title_or_a_source_it_says_so(sqibs):
    await sqibs.process({"data": {"status": "firing", "id": 1, "priority": "P1"}}, **{"from": ""})
    row = await sqibs.row(Issue)
    assert (row["title"], row["severity"]) == ("Incident from unknown source", "critical")
    assert '"P1"' in row["description"]


async def test_a_source_that_is_known_reports_in_its_own_words(sqibs):
    build = {"id": "1", "state": "failed", "number": 7, "branch": "main", "finished_at": "2026-01-31T08:15:00Z"}
    pipeline = {"name": "shop", "slug": "shop", "web_url": "https://buildkite.com/org/shop"}
    payload = {"event": "build.finished", "build": {**build, "web_url": "https://b.example/7"}, "pipeline": pipeline}
    assert told(await sqibs.process(payload))[0] == 201
    assert (await sqibs.row(Issue))["title"] == "shop failed on main"
    passed = {**build, "state": "passed", "finished_at": "2026-01-31T09:15:00Z"}
    assert told(await sqibs.process({**payload, "build": passed}))[0] == 200
    assert (await sqibs.row(Issue))["state"] == "RESOLVED"


async def test_who_may_not_come(sqibs):
    assert (await sqibs.process(FAILED, namespace="rival")).status == 403
    sqibs.secret = "nobody's"
    assert (await sqibs.process(FAILED)).status == 401
    sqibs.secret = await sqibs.key("sqibs", "team", "rival")
    answer = await sqibs.process(FAILED)
    assert (answer.status, answer.json["error"]) == (400, "Missing namespace")
    answer = await sqibs.http.request("GET", "/v1/process/", query={"token": sqibs.secret})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_filters_are_a_definition_whatever_is_in_them():
    odd = Condition(key='a"b', contains=('"', "${x}", "\\", "ä"))
    triggers = [
        Filter(conditions=[odd, odd], map_with="x.y", title_from="t'", description_from="d"),
        Filter(conditions=[Condition(key="k")], urgency="low"),
    ]
    resolves = [Filter(conditions=[Condition(key="k", contains=("ok",))])]
    text = definition_of_filters(triggers, resolves, title="t: 1")
    definition = parse_single("mine", text)
    assert (definition.title, len(definition.rules)) == ("t: 1", 3)
    assert [rule.name for rule in definition.rules] == ["trigger 1", "trigger 2", "resolve 1"]
    with pytest.raises(ValueError, match="urgency must be one of high, low"):
        definition_of_filters([Filter(conditions=[Condition(key="k")], urgency="medium")])
