"""The house from outside: a real server in its own process, real clients in theirs."""

import asyncio
import http.client
import json
import multiprocessing
from collections import Counter
from urllib.parse import quote

import pytest

from tests.serving import Server, first

EVENTS = """subscription ($after: LogPosition) { issueEvents(after: $after, maxBatch: 1000) {
  position caughtUp events { match event { position kind issueId title issue { state } } } } }"""
ISSUES = "{ issues { totalCount position nodes { id title state occurrenceCount } } }"

WEBHOOK = "/api/v1/webhooks/pipeline-failure"
CLIENTS = 16
RUNS_A_CLIENT = 200


def failure(name, run, reason="out of disk"):
    return {"pipelineName": name, "namespace": "team-a", "failureReason": reason, "runId": run}


def post_failure(server, name, run):
    return server.post(WEBHOOK, failure(name, run), namespace="team-a")


def post_success(server, name):
    body = {"pipelineName": name, "namespace": "team-a"}
    return server.post("/api/v1/webhooks/pipeline-success", body, namespace="team-a")


@pytest.fixture
def server(database_url, tmp_path):
    # A reader that stops for a test's time is not what these limits are for.
    with Server(database_url, tmp_path, SOCKET_PING_SECONDS="300", SOCKET_STALL_SECONDS="300") as server:
        yield server


async def test_a_failure_posted_here_appears_there_and_the_success_resolves_it(server):
    events = server.subscribe(EVENTS)
    start = (await first(events))["issueEvents"]
    assert start["events"] == []
    assert start["caughtUp"]

    status, answer = await asyncio.to_thread(post_failure, server, "build", "run-1")
    assert (status, answer["status"], answer["action"]) == (201, "success", "created")
    batch = (await first(events))["issueEvents"]
    assert [item["match"] for item in batch["events"]] == ["ENTERED"]
    assert batch["events"][0]["event"] == {
        "position": batch["position"],
        "kind": "CREATED",
        "issueId": answer["issue"]["id"],
        "title": "Pipeline run failed: build",
        "issue": {"state": "ACTIVE"},
    }

    status, answer = await asyncio.to_thread(post_success, server, "build")
    assert (status, answer["message"]) == (200, "Resolved 1 issue(s) for pipeline build")
    batch = (await first(events))["issueEvents"]
    assert [item["event"]["kind"] for item in batch["events"]] == ["RESOLVED"]
    assert batch["events"][0]["event"]["issue"] == {"state": "RESOLVED"}
    await events.aclose()


@pytest.mark.timeout(120)
async def test_a_reader_whose_socket_is_full_holds_nobody_up_and_gets_everything_once_it_reads(server):
    large = """subscription { issueEvents(maxBatch: 10) {
      events { match event { position issue { description } } } } }"""
    stalled, quick = server.subscribe(large), server.subscribe(EVENTS)
    for stream in (stalled, quick):
        assert (await first(stream))["issueEvents"]["events"] == []
    memory = server.memory()

    reports, words = 400, "x" * 60_000  # 24 MB, far more than sockets hold
    told: list[str] = []
    for number in range(reports):
        body = failure(f"large-{number}", "run", reason=words)
        assert (await asyncio.to_thread(server.post, WEBHOOK, body, namespace="team-a"))[0] == 201
        while len(told) <= number:
            told += [item["event"]["position"] for item in (await first(quick, 5))["issueEvents"]["events"]]
    assert server.memory() - memory < 100_000_000

    read: list[str] = []
    while len(read) < reports:
        for item in (await first(stalled))["issueEvents"]["events"]:
            assert words in item["event"]["issue"]["description"]
            read.append(item["event"]["position"])
    assert read == told
    for stream in (stalled, quick):
        await stream.aclose()


def report_runs(port, client, actions):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    counted: Counter[tuple[int, str]] = Counter()
    for number in range(RUNS_A_CLIENT):
        body = json.dumps(failure("storm", f"run-{client}-{number}"))
        path = f"{WEBHOOK}?namespace={quote('team-a')}"
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        counted[response.status, answer.get("action")] += 1
    actions.put(counted)


def storm(port):
    spawn = multiprocessing.get_context("spawn")
    actions = spawn.Queue()
    processes = [spawn.Process(target=report_runs, args=(port, client, actions)) for client in range(CLIENTS)]
    for process in processes:
        process.start()
    total: Counter[tuple[int, str]] = sum((actions.get(timeout=100) for _ in processes), Counter())
    for process in processes:
        process.join(10)
    return total


@pytest.mark.timeout(400)
def test_a_storm_of_runs_is_one_issue_and_the_same_runs_again_change_nothing(server):
    runs = CLIENTS * RUNS_A_CLIENT
    assert storm(server.port) == {(201, "created"): 1, (201, "updated"): runs - 1}
    after_storm = server.ask(ISSUES)["issues"]
    assert [(issue["state"], issue["occurrenceCount"]) for issue in after_storm["nodes"]] == [("ACTIVE", runs)]

    assert storm(server.port) == {(201, "unchanged"): runs}
    assert server.ask(ISSUES)["issues"] == after_storm

    assert post_success(server, "storm")[1]["message"] == "Resolved 1 issue(s) for pipeline storm"
    resolved = server.ask(ISSUES)["issues"]
    assert [(issue["state"], issue["occurrenceCount"]) for issue in resolved["nodes"]] == [("RESOLVED", runs)]
    assert storm(server.port) == {(201, "unchanged"): runs}
    assert server.ask(ISSUES)["issues"] == resolved


async def test_replicas_on_one_database_tell_each_other(postgresql_url, tmp_path, redis_url):
    wakeups = {"postgres": postgresql_url.replace("postgresql+asyncpg", "postgres"), "redis": redis_url}
    for name, wakeups_url in wakeups.items():
        with (
            Server(postgresql_url, tmp_path, WAKEUPS_URL=wakeups_url) as one,
            Server(postgresql_url, tmp_path, WAKEUPS_URL=wakeups_url) as other,
        ):
            events = other.subscribe(EVENTS)
            await first(events)
            _, answer = await asyncio.to_thread(post_failure, one, "build", f"run-{name}")
            batch = (await first(events))["issueEvents"]
            assert batch["events"][0]["event"]["issueId"] == answer["issue"]["id"]
            await asyncio.to_thread(post_success, one, "build")
            await events.aclose()
