"""What Prometheus is told."""

import asyncio
import http.client
import re
import socket
from pathlib import Path
from unittest.mock import patch

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from models.database import TimedOut, Unavailable
from resolvers.errors import Unplannable
from resolvers.query import QUERY_ROOTS
from tests.servers import free_port
from tests.serving import Server, first, request
from tests.web.client import Client, living
from web.app import create_app, sockets_of
from web.doors import OpenDoor
from web.house import open_house
from web.metrics import Measured, Metrics
from web.route_counts import RouteCounts
from web.settings import Settings
from web.wire import Wires

NAMES = {
    "issuegraph_documents_hits_total",
    "issuegraph_documents_misses_total",
    "issuegraph_documents_kept",
    "issuegraph_plans_hits_total",
    "issuegraph_plans_misses_total",
    "issuegraph_plans_kept",
    "issuegraph_unplannable_total",
    "issuegraph_timeouts_total",
    "issuegraph_wakeups_connected",
    "issuegraph_sockets",
    "issuegraph_sockets_stalled_total",
    "issuegraph_answers_stalled_total",
    "issuegraph_events_total",
    "issuegraph_waiting_commands",
    "issuegraph_waiting_bytes",
    "issuegraph_answers_bytes",
    "issuegraph_unread_bytes",
    "issuegraph_buffered_bytes",
    "issuegraph_readers",
    "issuegraph_waiting_reads",
    "issuegraph_subscribers",
    "issuegraph_groups",
    "issuegraph_batch_commands_sum",
    "issuegraph_batch_commands_count",
}
PAGE = Path(__file__).parent.parent.parent / "docs" / "operating.md"
FAILURE = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}
LABELS = ("route", "webhook", "kind", "namespace", "severity", "state", "outcome", "le")
HOOK = "/api/v1/webhooks/pipeline-failure"


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


async def told(client):
    """The samples without labels, by name."""
    answer = await client.get("/metrics")
    assert (answer.status, answer.kind) == (200, "text/plain")
    return {sample.name: sample.value for sample in samples(answer.text) if not sample.labels}


async def told_of(client, name):
    """The samples of one name, by the values of their labels."""
    text = (await client.get("/metrics")).text
    found = [sample for sample in samples(text) if sample.name == name]
    return {tuple(each.labels[label] for label in LABELS if label in each.labels): each.value for each in found}


def samples(text):
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


async def test_all_are_there(client):
    first = await told(client)
    assert first.keys() >= NAMES
    assert {first[name] for name in NAMES - {"issuegraph_wakeups_connected"}} == {0}
    assert {name.partition("_")[0] for name in first} <= {"issuegraph", "process"}


async def test_whether_wakeups_arrive_is_told(client, sqlite_url):
    async with asyncio.timeout(10):
        while not (await told(client))["issuegraph_wakeups_connected"]:
            await asyncio.sleep(0.01)
    nobody = Settings(dev=True, database_url=sqlite_url, wakeups_url="redis://127.0.0.1:1")
    async with living(create_app(nobody)) as lonely:
        assert (await told(lonely))["issuegraph_wakeups_connected"] == 0


async def test_a_document_that_comes_again_is_a_hit(client):
    expected = {"hits_total": 0, "misses_total": 0, "kept": 0}
    for name, times in (("misses_total", 1), ("hits_total", 2)):
        for _ in range(times):
            await client.post("/graphql", {"query": "{ issues { totalCount } }"})
        expected[name] += times
        expected["kept"] = 1
        found = await told(client)
        for what in ("documents", "plans"):
            assert {key: found[f"issuegraph_{what}_{key}"] for key in expected} == expected


async def test_what_fails_is_counted(client):
    async def slowly(*_, **__):
        raise TimedOut("slow")

    with patch("models.database.Database.read", slowly):
        answer = await client.post("/graphql", {"query": "{ issues { totalCount } }"})
    assert answer.json["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert (await told(client))["issuegraph_timeouts_total"] == 1


async def test_two_houses_count_for_themselves(client, sqlite_url):
    await client.post("/graphql", {"query": "{ issues { totalCount } }"})
    async with open_house(Settings(dev=True, database_url=sqlite_url)) as house:
        other = Metrics(Measured(house, sockets_of(house, OpenDoor({})), Wires(), RouteCounts()))
        assert (await told(Client(other)))["issuegraph_documents_misses_total"] == 0


async def test_it_counts_what_has_no_plan(client):
    def none(*_):
        raise Unplannable("no plan")

    with patch.dict(QUERY_ROOTS, {"issues": none}):
        answer = await client.post("/graphql", {"query": "{ issues { totalCount } }"})
    assert answer.json["errors"][0]["extensions"]["code"] == "UNPLANNABLE"
    assert (await told(client))["issuegraph_unplannable_total"] == 1


async def test_the_page_describes_each_and_no_other(client):
    text = (await client.get("/metrics")).text
    families = {family.name for family in text_string_to_metric_families(text) if family.name.startswith("issuegraph")}
    counters = {family.name for family in text_string_to_metric_families(text) if family.type == "counter"}
    named = {f"{name}_total" if name in counters else name for name in families}
    page = PAGE.read_text().partition("## Metrics")[2]
    assert named == set(re.findall(r"`(issuegraph_\w+)`", page))


async def test_requests_are_counted_by_route_however_many_paths_there_are(client):
    for path in ("/api/v1/version", "/api/v1/version/", "/api/v1/issues/1", "/api/v1/issues/2", "/nowhere", "/a/b"):
        await client.get(path)
    await client.get("/api/v1/version", headers={"host": "evil.example.com"})
    assert await told_of(client, "issuegraph_requests_total") == {
        ("/api/v1/version", "2xx"): 2,
        ("/api/v1/version", "4xx"): 1,
        ("/api/v1/issues/{id}", "4xx"): 2,
        ("other", "4xx"): 2,
    }
    seconds = await told_of(client, "issuegraph_requests_seconds_total")
    assert seconds.keys() >= {("/api/v1/version",), ("other",), ("/metrics",)}
    assert all(0 < total < 60 for total in seconds.values())


async def test_commands_batches_events_and_deliveries_are_counted(client):
    for body in (FAILURE | {"runId": "1"}, FAILURE | {"runId": "2"}, FAILURE | {"runId": "2"}, {"namespace": "team"}):
        await client.post(HOOK, body)
    await client.post("/api/v1/webhooks/pipeline-success", {"pipelineName": "p", "namespace": "team"})
    success = "/api/v1/webhooks/pipeline-success"
    assert await told_of(client, "issuegraph_deliveries_total") == {
        (HOOK, "CREATED"): 1,
        (HOOK, "UPDATED"): 1,
        (HOOK, "UNCHANGED"): 1,
        (HOOK, "REFUSED"): 1,
        (success, "RESOLVED"): 1,
    }
    assert await told_of(client, "issuegraph_commands_total") == {
        ("CreateIssue", "CREATED"): 1,
        ("CreateIssue", "UPDATED"): 1,
        ("CreateIssue", "UNCHANGED"): 1,
        ("ResolveScope", "DONE"): 1,
    }
    found = await told(client)
    assert found["issuegraph_batch_commands_sum"] == found["issuegraph_batch_commands_count"] == 4
    answer = await client.post("/graphql", {"query": "{ issueEvents { totalCount } }"})
    events = answer.json["data"]["issueEvents"]["totalCount"]
    assert found["issuegraph_events_total"] == events > 2


async def test_deliveries_of_other_products_clients_and_replays_are_counted(database_url):
    async with living(create_app(Settings(dev=True, database_url=database_url))) as client:
        made = await client.post("/plugins/webhook/connections", {"name": "shop"}, namespace="team")
        below = f"/api/rest/plugins/webhook/connections/{made.json['id']}"
        await client.post(f"{below}/issues", {"issueKey": "none"})
        times = dict.fromkeys(("startedDate", "finishedDate"), "2026-01-31T12:00:00Z")
        commits = [{"repoUrl": "https://git.example/shop", "commitSha": "a"}]
        deployment = {"id": "1", "result": "SUCCESS", **times, "deploymentCommits": commits}
        assert (await client.post(f"{below}/deployments", deployment)).status == 200
        change = {"source": "cli", "change_id": "a", "time_created": "2026-01-31T12:00:00Z", "$type": "change"}
        for body in (change, change, {"$type": "change"}):
            await client.post("/v1/ingestion/cli", body, namespace="team")
        await client.post("/v1/process", {"status": "failed", "id": 1}, namespace="team", **{"from": "x"})
        failing = {
            "title": "a",
            "severity": "high",
            "type": "worst",
            "status": "failed",
            "scope": {"type": "host", "name": "a"},
        }
        for _ in range(2):
            assert (await client.post("/api/v1/webhooks/generic", failing, namespace="team")).status == 422
        assert await told_of(client, "issuegraph_deliveries_total") == {
            ("/plugins/webhook", "REFUSED"): 1,
            ("/plugins/webhook", "HANDLED"): 1,
            ("/v1/ingestion/cli", "HANDLED"): 2,
            ("/v1/ingestion/cli", "REFUSED"): 1,
            ("/v1/process", "HANDLED"): 1,
            ("/api/v1/webhooks/generic", "FAILED"): 2,
        }
        again = 'mutation { replayDeliveries(input: {where: {webhook: "generic"}}) { replayed handled } }'
        done = (await client.post("/graphql", {"query": again})).json["data"]["replayDeliveries"]
        assert done == {"replayed": 2, "handled": 0}
        assert await told_of(client, "issuegraph_replays_total") == {("generic", "FAILED"): 2}


async def test_many_at_once_are_larger_batches(client):
    await asyncio.gather(*(client.post(HOOK, FAILURE | {"runId": str(number)}) for number in range(40)))
    buckets = await told_of(client, "issuegraph_batch_commands_bucket")
    found = await told(client)
    assert found["issuegraph_batch_commands_sum"] == 40
    assert found["issuegraph_batch_commands_count"] == buckets["+Inf",] == buckets["256.0",] < 40
    assert buckets["1.0",] < buckets["64.0",]


async def test_what_is_refused_for_lack_of_room_is_counted(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url, max_waiting_commands=4))) as client:
        answers = await asyncio.gather(*(client.post(HOOK, FAILURE) for _ in range(20)))
        refused = sum(answer.status == 503 for answer in answers)
        assert (await told_of(client, "issuegraph_commands_total"))["CreateIssue", "OVERLOADED"] == refused > 0
        assert (await told_of(client, "issuegraph_deliveries_total"))[HOOK, "FAILED"] == refused


async def test_issues_are_counted_by_namespace_and_the_small_ones_as_one(database_url, monkeypatch):
    monkeypatch.setattr("resolvers.query.census.MAX_NAMESPACES", 2)
    monkeypatch.setattr("resolvers.query.census.KEPT_SECONDS", 0)
    monkeypatch.setattr("resolvers.query.census.KEPT_FOR_ITS_TIME", 0)
    async with living(create_app(Settings(dev=True, database_url=database_url))) as client:
        assert await told_of(client, "issuegraph_issues") == {}
        for namespace, count in (("big", 3), ("middle", 2), ("small", 1), ("tiny", 1)):
            for number in range(count):
                body = FAILURE | {"namespace": namespace, "pipelineName": f"p{number}"}
                assert (await client.post(HOOK, body)).status == 201
        await client.post("/api/v1/webhooks/pipeline-success", {"pipelineName": "p0", "namespace": "big"})
        (severity,) = {severity for _, severity, _ in await told_of(client, "issuegraph_issues")}
        assert await told_of(client, "issuegraph_issues") == {
            ("big", severity, "ACTIVE"): 2,
            ("big", severity, "RESOLVED"): 1,
            ("middle", severity, "ACTIVE"): 2,
            ("", severity, "ACTIVE"): 2,
        }


async def test_issues_are_not_counted_at_every_question(client):
    assert await told_of(client, "issuegraph_issues") == {}
    await client.post(HOOK, FAILURE)
    assert await told_of(client, "issuegraph_issues") == {}


async def test_a_database_that_is_away_leaves_the_other_metrics(client, monkeypatch):
    async def slowly(*_, **__):
        raise TimedOut("slow")

    monkeypatch.setattr("models.database.Database.read", slowly)
    assert (await told(client)).keys() >= NAMES


async def test_subscribers_and_groups_are_counted(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        streams = [server.subscribe("subscription { issueStats { total } }") for _ in range(2)]
        streams.append(server.subscribe("subscription { issueStats { active: total } }"))
        for stream in streams:
            await first(stream)
        found = {sample.name: sample.value for sample in samples(server.get("/metrics")[1])}
        assert (found["issuegraph_subscribers"], found["issuegraph_groups"], found["issuegraph_sockets"]) == (3, 2, 3)
        assert found["issuegraph_tailer_lag_seconds"] < 30
        for stream in streams:
            await stream.aclose()


async def test_a_log_that_is_not_read_lags(client, monkeypatch):
    def broken(self):
        raise Unavailable("away")

    monkeypatch.setattr("resolvers.subscription.tailer.Tailer._news", broken)
    async with asyncio.timeout(10):
        while (await told(client))["issuegraph_tailer_lag_seconds"] < 1.5:
            await asyncio.sleep(0.05)


def test_metrics_can_have_an_address_of_their_own(sqlite_url, tmp_path):
    port = free_port()
    settings = {"METRICS_ADDRESS": f"127.0.0.1:{port}", "MAX_HEADER_BYTES": "4000", "REQUEST_SECONDS": "1"}
    with Server(sqlite_url, tmp_path, **settings) as server:
        assert server.get("/metrics")[0] == 404
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics", headers={"Host": "10.0.0.7"})
        response = connection.getresponse()
        assert (response.status, b"issuegraph_events_total" in response.read()) == (200, True)
        connection.close()
        for path in ("/", "/graphql", "/api/v1/issues"):
            assert request(port, "GET", path)[0] == 404
        head = b"GET /metrics HTTP/1.1\r\nHost: 10.0.0.7\r\n"
        for said, status in ((head + b"A: " + b"x" * 5_000, b"431"), (head, b"408")):
            with socket.create_connection(("127.0.0.1", port), 30) as slow:
                slow.sendall(said)
                assert slow.recv(65_536).split()[1] == status
        server.stop()
        assert "Traceback" not in server.log()
    with pytest.raises(OSError):
        request(port, "GET", "/metrics")


@pytest.mark.parametrize("value", ["9090", "host:", "host:0", "host:99999999", ":9090", "::1:9090", "a b:9090"])
def test_an_address_that_is_none_is_refused(value):
    with pytest.raises(ValidationError):
        Settings(metrics_address=value)
