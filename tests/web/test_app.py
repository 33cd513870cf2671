"""The whole application without a network: which paths there are, and what every one of them has in common."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl

import orjson
import pytest

from models.database import Unavailable
from tests.web.client import living
from web import health
from web.app import create_app, routes, sockets_of
from web.doors import OpenDoor
from web.ending import Ending
from web.house import open_house
from web.settings import Settings
from webhooks.definition import PREFIX, TAKEN_PATHS, Shipped

STATIC = Path(__file__).parent.parent.parent / "web" / "static"


@pytest.fixture
async def client(sqlite_url):
    settings = Settings(dev=True, database_url=sqlite_url, origins=("https://pages.example.com",), max_body_bytes=2_000)
    async with living(create_app(settings)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/api/v1/issues", "*/*"),
        ("/api/v1/issues/0", "*/*"),
        ("/sign-in", "text/html"),
        ("/graphql", "text/html"),
        ("/graphql?query=%7B__typename%7D", "application/json"),
        ("/graphql?query=subscription%7BissueEvents%7Bposition%7D%7D", "text/event-stream"),
        ("/nowhere", "*/*"),
    ],
)
async def test_head_is_get_without_the_body_and_ends(client, path, accept):
    path, _, query = path.partition("?")
    given = {"headers": {"accept": accept}, "query": dict(parse_qsl(query))}
    answer = await asyncio.wait_for(client.request("HEAD", path, **given), 10)
    assert answer.text == ""
    if accept != "text/event-stream":
        same = await client.request("GET", path, **given)
        assert (answer.status, answer.headers["content-type"]) == (same.status, same.headers["content-type"])
        assert answer.headers["content-length"] == same.headers["content-length"]
    else:
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/graphql", {"GET", "HEAD", "POST"}),
        ("/api/v1/issues", {"GET", "HEAD", "POST"}),
        ("/api/v1/issues/0", {"GET", "HEAD", "PUT", "DELETE"}),
        ("/api/v1/issues/0/resolve", {"POST"}),
        ("/api/v1/issues/0/related", {"POST"}),
        ("/api/v1/issues/0/related/1", {"DELETE"}),
        ("/api/v1/webhooks/pipeline-failure", {"POST"}),
        ("/api/v1/webhooks/mintmaker-custom", {"POST"}),
        ("/api/v1/health", {"GET", "HEAD"}),
        ("/api/v1/version", {"GET", "HEAD"}),
        ("/metrics", {"GET", "HEAD"}),
        ("/openapi.json", {"GET", "HEAD"}),
        ("/docs", {"GET", "HEAD"}),
        ("/schema.graphql", {"GET", "HEAD"}),
        ("/", {"GET", "HEAD"}),
        ("/issues", {"GET", "HEAD"}),
        ("/graph/0", {"GET", "HEAD"}),
        ("/webhooks/0", {"GET", "HEAD"}),
        ("/static/vendor/missing.js", {"GET", "HEAD"}),
    ],
)
async def test_0_12_a_known_path_with_another_method_is_405_and_names_those_it_takes(client, path, methods):
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        for slash in ("", "/") if path.startswith("/api") else ("",):
            answer = await client.request(method, path + slash)
            if method in methods:
                assert answer.status != 405
            else:
                assert answer.status == 405
                assert set(answer.headers["allow"].split(", ")) == methods
                assert answer.json or method == "HEAD"
    assert (await client.request("OPTIONS", path)).status == 204


async def test_no_definition_may_take_a_path_of_ours(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        table = routes(house, Shipped((), ()), sockets_of(house, OpenDoor({})), {}, Ending(), Counter(), None)
        # Of webhooks of one definition, whoever has a path of its own comes first.
        named = {PREFIX + "{name}", PREFIX + "{name}/"}
        ours = {route.path for route in table} - {"/"} - named | {"/metrics"}
    for path in ours:
        assert [taken for taken in TAKEN_PATHS if path == taken or path.startswith(f"{taken}/")], path


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1", "/api/v1/webhooks/none", "/graphql/x", "/static/nothing.js"])
async def test_an_unknown_path_is_404(client, path):
    answer = await client.get(path)
    assert (answer.status, answer.json) == (404, {"error": "404 page not found"})


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"])
async def test_only_what_is_static_is_handed_out(client, path):
    assert (await client.get(path)).status == 404


async def test_0_12_both_forms_of_a_path_answer_directly(client):
    for path in ("/api/v1/issues", "/api/v1/health", "/api/v1/version"):
        for slash in ("", "/"):
            assert (await client.get(path + slash)).status == 200
    body = {"pipelineName": "p", "namespace": "team", "failureReason": "r", "runId": "1"}
    assert (await client.post("/api/v1/webhooks/pipeline-failure", body)).status == 201
    answer = await client.post("/api/v1/webhooks/pipeline-failure/", body)
    assert (answer.status, answer.json["action"]) == (201, "unchanged")


async def test_the_address_of_an_issue_leads_to_it(client):
    reported = await client.post(
        "/api/v1/webhooks/build-failure",
        {"componentName": "api", "namespace": "team", "errorMessage": "exit code 1"},
        namespace="team",
    )
    url = reported.json["issue"]["url"]
    answer = await client.get(url.removeprefix("http://127.0.0.1:8080"))
    assert answer.status == 307
    shown = await client.get(answer.headers["location"])
    assert shown.json["id"] == reported.json["issue"]["id"]


async def test_what_stands_before_the_routes(client):
    assert (await client.get("/api/v1/issues", headers={"host": "evil.example.com"})).status == 421
    assert (await client.get("/api/v1/issues", headers={"origin": "https://evil.example.com"})).status == 403
    answer = await client.get("/api/v1/issues", headers={"origin": "https://pages.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://pages.example.com"
    answer = await client.post("/graphql", {"query": "x" * 3_000})
    assert (answer.status, answer.json["errors"][0]["extensions"]["code"]) == (413, "BAD_REQUEST")
    assert (await client.post("/api/v1/issues", {"title": "x" * 3_000})).status == 413
    assert await client.knock("/graphql") == "websocket.accept"
    assert await client.knock("/graphql", origin="https://evil.example.com") == "websocket.close"
    assert await client.knock("/elsewhere") == "websocket.close"


async def test_a_webhook_is_the_actor_of_what_it_reports(client):
    body = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}
    await client.post("/api/v1/webhooks/pipeline-failure", body)
    answer = await client.post("/graphql", {"query": "{ issueEvents { nodes { actor { kind name } } } }"})
    assert answer.json["data"]["issueEvents"]["nodes"] == [{"actor": {"kind": "WEBHOOK", "name": "pipeline-failure"}}]


async def test_health_in_kites_words(client):
    answer = await client.get("/api/v1/health/")
    assert answer.status == 200
    assert answer.json["status"] == "UP"
    assert answer.json["message"] == "All systems operational"
    assert answer.json["timestamp"].endswith("Z")
    components = answer.json["components"]
    assert {"api", "database", "response_time"} <= components.keys()
    assert components["api"]["details"] == {"version": health.VERSION}
    assert components["database"]["message"] == "Database connection successful"
    assert components["database"]["details"]["connection_status"] == "Healthy"


async def test_health_is_503_when_the_database_is_away(client, monkeypatch, caplog):
    async def away(self):
        raise Unavailable("SQLite: disk I/O error")

    monkeypatch.setattr("models.database.Database.ping", away)
    answer = await client.get("/api/v1/health")
    assert answer.status == 503
    assert (answer.json["status"], answer.json["message"]) == ("DOWN", "One or more components are unhealthy")
    assert answer.json["components"]["database"]["status"] == "DOWN"
    assert answer.json["components"]["database"]["message"] == "database ping failed: it cannot be reached"
    # Anybody may ask, again and again.
    assert (await client.get("/api/v1/health")).status == 503
    assert "disk" not in answer.text
    assert caplog.text.count("SQLite: disk I/O error") == 1


async def test_health_does_not_wait_for_ever(client, monkeypatch):
    async def silent(self):
        await asyncio.Event().wait()

    monkeypatch.setattr("models.database.Database.ping", silent)
    monkeypatch.setattr(health, "PING_SECONDS", 0.01)
    answer = await client.get("/api/v1/health")
    assert answer.status == 503
    assert "no answer" in answer.json["components"]["database"]["message"]


async def test_a_server_for_everyone_still_answers_to_names_only(sqlite_url):
    settings = Settings(
        database_url=sqlite_url, host="0.0.0.0", dev=True, public_url="https://issues.example.com:8443/"
    )
    async with living(create_app(settings)) as client:
        assert (await client.get("/api/v1/version", headers={"host": "issues.example.com:8443"})).status == 200
        for host in ("0.0.0.0:8080", "192.0.2.1"):
            assert (await client.get("/api/v1/version", headers={"host": host})).status == 421


async def test_version_has_kites_keys(client):
    answer = await client.get("/api/v1/version")
    assert answer.json.keys() == {"description", "name", "version"}
    assert answer.json["version"] == health.VERSION


async def test_an_unexpected_error_is_a_500_with_an_id(client, monkeypatch, caplog):
    async def broken(self):
        raise RuntimeError("boom")

    monkeypatch.setattr("models.database.Database.ping", broken)
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/api/v1/health")
    assert answer.status == 500
    assert answer.json["error"].split()[-1] in caplog.text


async def test_the_page_for_people_is_whole_and_may_load_nothing_from_elsewhere(client):
    page = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status, page.kind) == (200, "text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    named = [part.partition('"')[0] for part in page.text.split('src="')[1:]]
    named += [part.partition('"')[0] for part in page.text.split('<link rel="stylesheet" href="')[1:]]
    assert len(named) >= 5
    for path in named:
        assert path.startswith("/static/")
        answer = await client.get(path)
        assert answer.status == 200, path
        assert answer.headers["etag"]
        assert answer.headers["cache-control"]


async def test_the_examples_on_the_page_are_valid(client):
    for text in (Path(STATIC).parent / "graphiql" / "examples.graphql").read_text().split("\n---\n"):
        if "subscription" in text:
            continue
        body = {"query": text}
        answer = await client.post("/graphql", body)
        assert "errors" not in answer.json, orjson.dumps(answer.json)


KITE_ISSUE = {
    "title": "t",
    "description": "d",
    "severity": "major",
    "issueType": "build",
    "namespace": "team",
    "scope": {"resourceType": "component", "resourceName": "api"},
}
FAILURE = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}
REPORT = """mutation { createIssue(input: {namespace: "team", title: "t", description: "d", severity: MAJOR,
  issueType: BUILD, scope: {resourceType: "component", resourceName: "api"}}) { action } }"""


@pytest.mark.parametrize("limit", [{"max_waiting_commands": 4}, {"max_waiting_bytes": 500}])
async def test_what_is_more_than_may_wait_is_told_so_on_every_way_in(sqlite_url, limit):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url, **limit))) as client:

        async def storm(path, body):
            return await asyncio.gather(*(client.post(path, body) for _ in range(20)))

        reports = await storm("/api/v1/issues", KITE_ISSUE)
        webhooks = await storm("/api/v1/webhooks/pipeline-failure", FAILURE)
        mutations = await storm("/graphql", {"query": REPORT})
    assert {answer.status for answer in (*reports, *webhooks)} == {201, 503}
    for answer in (*reports, *webhooks):
        if answer.status == 503:
            assert answer.json == {"error": "too many commands are waiting"}
            assert answer.headers["retry-after"] == "2"
    codes = {answer.json["errors"][0]["extensions"]["code"] for answer in mutations if "errors" in answer.json}
    assert codes == {"OVERLOADED"}
    assert {answer.json["data"]["createIssue"]["action"] for answer in mutations if "errors" not in answer.json} == {
        "UPDATED"
    }
