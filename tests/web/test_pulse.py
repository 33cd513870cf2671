"""Codacy Pulse's event-cli, byte for byte as it sends, and providers in their own words."""

import base64
import json

import pytest

from models import Change, Delivery, Deployment, DeploymentChange, Issue, Label, TrackedIssue
from tests.web.clients import clients

CLI = "/v1/ingestion/cli"
# As event-cli writes them, key by key, in the machine's own zone.
DEPLOYMENT = (
    b'{"source":"cli","deploy_id":"1.0.1","time_created":"2020-10-16T13:40:32+01:00",'
    b'"changes":["d7c1baaa","6ccff282"],"teams":["mercury","jupiter"],"$type":"deployment"}'
)
CHANGE = (
    b'{"source":"cli","change_id":"d7c1baaa","time_created":"2020-10-16T12:40:32Z","event_type":"commit",'
    b'"$type":"change"}'
)
INCIDENT = (
    b'{"source":"cli","incident_id":"INC-1","time_created":"2020-10-16T12:40:32Z",'
    b'"time_resolved":"2020-10-16T13:40:32Z","$type":"incident"}'
)
HEADERS = {
    "content-type": "application/json",
    "environment": "github-actions",
    "cli-version": "0.1.0",
    "user-agent": "Go-http-client/1.1",
}


@pytest.fixture
async def pulse(database_url):
    async with clients(database_url) as found:
        found.secret = await found.key("pulse")

        async def push(body, path=CLI, **query):
            query = {"api_key": found.secret, **query}
            return await found.http.request("POST", path, body, headers=HEADERS, query=query)

        found.push = push
        yield found


def git(body):
    return body.replace(b'"source":"cli"', b'"source":"git"')


async def test_a_deployment_and_its_changes_are_kept_once_in_whatever_order_they_come(pulse, caplog):
    # `push git deployment`: a request for each commit, the newest first, then the deployment; and all of it again.
    for status in (201, 200):
        for body in (git(CHANGE), git(DEPLOYMENT)):
            answer = await pulse.push(body, system="org/repo")
            assert answer.status == status, answer.text
    deployment = await pulse.row(Deployment)
    assert {name: deployment[name] for name in ("namespace", "source", "system", "external_id")} == {
        "namespace": "team",
        "source": "pulse",
        "system": "org/repo",
        "external_id": "1.0.1",
    }
    assert (deployment["environment"], deployment["result"]) == ("PRODUCTION", "SUCCESS")
    assert deployment["finished_at"] == "2020-10-16T12:40:32.000000Z"
    assert [(label["name"], label["value"]) for label in json.loads(deployment["labels"])] == [
        ("source", "git"),
        ("team", "mercury"),
        ("team", "jupiter"),
    ]
    assert [row["sha"] for row in await pulse.rows(DeploymentChange)] == ["d7c1baaa", "6ccff282"]
    change = await pulse.row(Change)
    assert (change["sha"], change["kind"], change["authored_at"]) == (
        "d7c1baaa",
        "commit",
        "2020-10-16T12:40:32.000000Z",
    )
    assert [row["event"] for row in await pulse.rows(Delivery)] == ["change", "deployment"] * 2
    assert pulse.secret not in caplog.text
    assert all(pulse.secret not in str(row) for row in await pulse.rows(Delivery))


async def test_a_deployment_without_new_commits_has_null_for_changes(pulse):
    null = DEPLOYMENT.replace(b'["d7c1baaa","6ccff282"]', b"null").replace(b'["mercury","jupiter"]', b"[]")
    assert (await pulse.push(git(null))).status == 201
    assert await pulse.rows(DeploymentChange) == []
    # The same id in another system is another one.
    assert (await pulse.push(git(null), system="other")).status == 201
    assert len(await pulse.rows(Deployment)) == 2


async def test_an_incident_is_an_issue_with_its_own_times_and_does_not_look_new(pulse):
    for status in (201, 200):
        assert (await pulse.push(INCIDENT, system="shop")).status == status
    row = await pulse.row(Issue)
    assert (row["title"], row["issue_type"], row["state"]) == ("Incident INC-1", "incident", "RESOLVED")
    assert (row["detected_at"], row["resolved_at"]) == ("2020-10-16T12:40:32.000000Z", "2020-10-16T13:40:32.000000Z")
    assert {(each["name"], each["value"]) for each in await pulse.rows(Label)} == {
        ("source", "cli"),
        ("system", "shop"),
    }


async def test_an_incident_that_is_not_over_stays_open_until_it_is(pulse):
    # event-cli has no other way to say it: the beginning of the clock, in whatever zone.
    for time in (b"1970-01-01T00:00:00Z", b"1970-01-01T01:00:00+01:00", b"2020-10-16T12:00:00Z"):
        assert (await pulse.push(INCIDENT.replace(b"2020-10-16T13:40:32Z", time))).status in (200, 201)
        assert (await pulse.row(Issue))["state"] == "ACTIVE"
    assert (await pulse.push(INCIDENT)).status == 200
    assert (await pulse.row(Issue))["state"] == "RESOLVED"
    assert (await pulse.row(TrackedIssue))["kind"] == "INCIDENT"


async def test_an_incident_that_is_told_again_as_it_was_before_its_resolve_stays_resolved(pulse):
    is_open = INCIDENT.replace(b"2020-10-16T13:40:32Z", b"1970-01-01T00:00:00Z")
    for body, status, action in (
        (is_open, 201, "created"),
        (INCIDENT, 200, "resolved"),
        (is_open, 200, "unchanged"),
        (INCIDENT, 200, "unchanged"),
    ):
        answer = await pulse.push(body, system="shop")
        assert (answer.status, answer.json["items"][0]["action"]) == (status, action)
        assert (await pulse.row(Issue))["state"] == ("ACTIVE" if status == 201 else "RESOLVED")
    # It broke again after that.
    again = is_open.replace(b"2020-10-16T12:40:32Z", b"2020-10-17T12:40:32Z")
    assert (await pulse.push(again, system="shop")).json["items"][0]["action"] == "reopened"


async def test_one_that_opens_as_it_was_resolved_stays_resolved(pulse):
    at_once = INCIDENT.replace(b"2020-10-16T13:40:32Z", b"2020-10-16T12:40:32Z")
    is_open = INCIDENT.replace(b"2020-10-16T13:40:32Z", b"1970-01-01T00:00:00Z")
    for body in (at_once, is_open, at_once):
        await pulse.push(body, system="shop")
        assert (await pulse.row(Issue))["state"] == "RESOLVED"
    after = is_open.replace(b"2020-10-16T12:40:32Z", b"2020-10-16T12:40:33Z")
    assert (await pulse.push(after, system="shop")).json["items"][0]["action"] == "reopened"


@pytest.mark.parametrize("value", [b'"soon"', b'"2020-13-16T13:40:32Z"', b"true", b"false", b"{}", b"[]", b"-5"])
async def test_an_end_that_cannot_be_read_is_not_taken_for_still_open(pulse, value):
    answer = await pulse.push(INCIDENT.replace(b'"2020-10-16T13:40:32Z"', value))
    assert (answer.status, "time_resolved must be a time" in answer.text) == (422, True)
    assert await pulse.rows(Issue) == []


@pytest.mark.parametrize("value", [b"null", b'""', b"0", b'"0001-01-01T00:00:00Z"'])
async def test_an_end_that_is_none_is_still_open(pulse, value):
    assert (await pulse.push(INCIDENT.replace(b'"2020-10-16T13:40:32Z"', value))).status == 201
    assert (await pulse.row(Issue))["state"] == "ACTIVE"


async def test_each_answer_tells_the_parts_of_the_fingerprint(pulse):
    parts = {
        "namespace": "team",
        "issueType": "incident",
        "resourceType": "component",
        "resourceName": "shop",
        "resourceNamespace": "team",
        "incident": "INC-1",
    }
    for _ in range(2):
        (item,) = (await pulse.push(INCIDENT, system="shop")).json["items"]
        assert item["fingerprint"] == parts
    (item,) = (await pulse.push(CHANGE)).json["items"]
    assert "fingerprint" not in item


async def test_what_cannot_be_taken_says_why_and_is_kept(pulse):
    for body, status, words in (
        (b"{", 400, "no JSON"),
        (b"[]", 422, "an object"),
        (b'{"$type":"deploy"}', 422, "$type must be one of"),
        (DEPLOYMENT.replace(b"deploy_id", b"id"), 422, "deploy_id is missing"),
        (CHANGE.replace(b"2020-10-16T12:40:32Z", b"today"), 422, "time_created must be a time"),
        (DEPLOYMENT.replace(b'["mercury","jupiter"]', b'"mercury"'), 422, "teams must be a list"),
        (CHANGE.replace(b'"d7c1baaa"', b"{}"), 422, "change_id must be a text"),
    ):
        answer = await pulse.push(body)
        assert (answer.status, words in answer.json["error"]) == (status, True), answer.text
    assert {row["outcome"] for row in await pulse.rows(Delivery)} == {"REFUSED"}
    assert await pulse.rows(Deployment) == await pulse.rows(Change) == []


async def test_a_key_says_which_namespace_and_nobody_comes_without_one(pulse):
    answer = await pulse.http.request("POST", CLI, CHANGE, headers=HEADERS)
    assert (answer.status, "token" in answer.json["error"]) == (401, True)
    assert (await pulse.push(CHANGE, namespace="rival")).status == 403
    pulse.secret = await pulse.key("pulse", "team", "rival")
    answer = await pulse.push(CHANGE)
    assert (answer.status, answer.json["error"]) == (400, "Missing namespace")
    assert (await pulse.push(CHANGE, namespace="rival")).status == 201
    assert (await pulse.row(Change))["namespace"] == "rival"
    pulse.secret = await pulse.key("devlake")
    assert (await pulse.push(CHANGE)).status == 403


async def test_a_provider_reports_in_its_own_words_or_in_those_of_pulse(pulse):
    alert = {"status": "firing", "labels": {"alertname": "Slow", "severity": "critical"}, "fingerprint": "1"}
    body = json.dumps({"version": "4", "alerts": [alert]}).encode()
    answer = await pulse.push(body, "/v1/ingestion/alertmanager/")
    assert (answer.status, answer.json["outcome"]) == (201, "handled"), answer.text
    assert (await pulse.row(Issue))["title"] == "Slow"
    assert (await pulse.push(CHANGE, "/v1/ingestion/github")).status == 201
    assert (await pulse.push(b"{}", "/v1/ingestion/nobody")).status == 404
    answer = await pulse.http.request("GET", CLI, headers={"x-api-key": pulse.secret})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    basic = base64.b64encode(f"me:{pulse.secret}".encode()).decode()
    answer = await pulse.http.request("POST", CLI, CHANGE, headers={**HEADERS, "authorization": f"Basic {basic}"})
    assert answer.status == 200


async def test_a_token_that_an_incident_repeats_is_shown_nowhere(pulse):
    token = f"igt_{'a1B2' * 12}c"
    escaped = token.replace("_", "\\u005f").encode()
    for number, written in enumerate((token.encode(), escaped)):
        body = INCIDENT.replace(b"INC-1", b"INC-%d %b" % (number, written))
        assert (await pulse.push(body)).status < 300
    ids = {row["external_id"] for row in await pulse.rows(TrackedIssue)}
    assert ids == {"INC-0 [hidden]", "INC-1 [hidden]"}
