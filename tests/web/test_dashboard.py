"""The live page: what the server hands out, and in a real browser what people do with it."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.serving import ISSUEGRAPH, Server
from tests.web.client import living
from web.app import create_app
from web.dashboard_page import BUILT, PAGE_PATHS, page_documents
from web.settings import Settings
from web.trusted_documents import id_of

NODE = Path(sys.executable).parent / "node"
SCRIPT = Path(__file__).parent.parent / "node" / "dashboard.mjs"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
FIRST_LOAD_BYTES = 100_000
PATH_SECONDS = 120


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


def named_in(page):
    """The files that a page loads."""
    parts = [*page.split('src="')[1:], *page.split('href="')[1:]]
    return [part.partition('"')[0] for part in parts]


@pytest.mark.parametrize("path", [*PAGE_PATHS, "/issues/0"])
async def test_the_page_is_whole_and_may_load_nothing_from_elsewhere(client, path):
    page = await client.get(path, headers={"accept": BROWSER})
    assert (page.status, page.kind) == (200, "text/html")
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    names = named_in(page.text)
    assert len(names) >= 3
    for name in names:
        answer = await client.get(name)
        assert answer.status == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_first_load_is_small_and_comes_compressed(client):
    page = await client.get("/")
    loaded = 0
    for name in named_in(page.text):
        plain = await client.get(name)
        packed = (BUILT / f"{name.removeprefix('/static/dashboard/')}.gz").read_bytes()
        assert gzip.decompress(packed).decode() == plain.text
        asked = await client.request("HEAD", name, headers={"accept-encoding": "gzip, br"})
        assert asked.headers["content-encoding"] == "gzip"
        assert int(asked.headers["content-length"]) == len(packed)
        assert asked.headers["content-type"] == plain.headers["content-type"]
        assert "content-encoding" not in plain.headers
        loaded += len(packed)
    assert loaded < FIRST_LOAD_BYTES


async def test_an_issues_address_is_the_page_for_people_and_rest_for_programs(client):
    assert (await client.get("/issues/1", headers={"accept": BROWSER})).kind == "text/html"
    for accept in ("application/json", "*/*"):
        answer = await client.get("/issues/1", headers={"accept": accept})
        assert (answer.status, answer.headers["location"]) == (307, "/api/v1/issues/1")


async def test_what_the_page_asks_for_is_trusted_and_can_be_answered(sqlite_url, tmp_path):
    documents = page_documents()
    assert len(documents) >= 4
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(orjson.dumps({id_of("{ __typename }"): "{ __typename }"}))
    settings = Settings(dev=True, database_url=sqlite_url, trusted_documents=str(manifest), only_trusted_documents=True)
    async with living(create_app(settings)) as client:
        for id, document in documents.items():
            # They are answered, or lack variables or a stream: none is unknown, or too dear.
            answer = await client.post("/graphql", {"documentId": id})
            codes = {error["extensions"]["code"] for error in answer.json.get("errors", ())}
            assert codes <= {"BAD_REQUEST", "BAD_USER_INPUT"}, (document, answer.json)
            assert "PersistedQueryNotFound" not in answer.text


def played(database_url, directory, *parts, **environment):
    """What the browser saw in these parts, of a server of its own."""
    with Server(database_url, directory) as server:
        return played_on(server, *parts, **environment)


def played_on(server, *parts, **environment):
    """What the browser saw in these parts, of this server."""
    command = [str(NODE), str(SCRIPT), f"http://127.0.0.1:{server.port}/", *parts]
    given = {**os.environ, **environment}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200, env=given)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["problems"] == []
    assert seen["elsewhere"] == []
    return seen


# What the page does is the same for both databases, and the list asks for the most of them.
@pytest.mark.timeout(240)
def test_a_person_works_with_the_list(database_url, tmp_path):
    seen = played(database_url, tmp_path, "list")
    assert seen["list"] == {
        "asked": "is:active",
        "total": "1 issue",
        "searched": "is:active severity:critical",
        "widened": "is:active severity:critical,major",
        "rowsInPage": True,
        "stayed": True,
        "first": "The newest",
        "firstWhilePointedAt": "The newest",
        "seriousOffline": [],
        "firstAfterwards": "While away",
    }


@pytest.mark.timeout(240)
def test_a_person_looks_at_all_and_at_one(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "issue", "overview", "graph", "accessible")
    assert seen["issue"] == {
        "reasons": [f"The pipeline run deploy failed with reason: {word} reason" for word in ("second", "first")],
        "timeline": ["Reported again", "First reported"],
        "failure": "Resolve: not done. The server cannot be reached",
        "stateAfterFailure": "Active",
        "relation": "caused by The cause service/cause × it went away with it",
    }
    assert seen["overview"] == {
        "requests": 1,
        "sockets": 1,
        "subscriptions": 2,
        "more": 1,
        "isLight": True,
        "query": "is:active severity:critical",
        "newest": 11,
    }
    assert seen["graph"] == {
        "causesAreLeft": True,
        "near": 2,
        "query": "depth=2&and=middle&without=CAUSED_BY",
        "row": "Leaf Active 1 caused by Middle",
        "beginsAtIt": True,
    }
    assert seen["accessible"] == []


@pytest.mark.timeout(240)
def test_a_person_acts_on_many(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "bulk", "groups")
    assert seen["bulk"] == {
        "selected": "2 selected",
        "failure": "Resolve: 1 not done, 3 done. What was not is still selected.",
        "why": "Bulk 4 there is no such issue",
        "resolved": 3,
        "active": 3,
        "related": 2,
        "relatedAfterUndo": 1,
        "nobodyIsOnIt": 1,
        "mayBeSelected": ["Select Bulk 1", "Select Bulk 2", "Select Bulk 3"],
        "serious": [],
    }
    assert seen["groups"] == {
        "groups": ["service/api grouped 3", "service/web grouped 1"],
        "titles": ["Api 3", "Api 2", "Api 1", "Web 1"],
        "query": "scope 2",
        "groupsAfterwards": ["service/web grouped 5", "service/api grouped 3"],
        "all": [130, "1"],
        "allAfterwards": 130,
        "serious": [],
    }


@pytest.mark.timeout(240)
def test_a_person_writes_a_webhook_and_sees_what_comes(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "webhooks")
    assert seen["webhooks"] == {
        "sockets": 1,
        "template": "our-jenkins",
        "problem": "body.ok ==== 1",
        "stillNew": "?new=1",
        "secret": "",
        "shown": False,
        "curl": True,
        "query": "?webhook=deployer",
        "filtered": "?webhook=deployer&outcome=failed",
        "item": "Item 1 failed by the rule it failed team severity: 'odd' is not known",
        "body": "odd",
        "conflict": "local has saved version 2 meanwhile. Nothing of yours is saved.",
        "draft": True,
        "isHidden": True,
        "theirs": "title: Their deployer",
        "again": "Item 1 created an issue by the rule it failed team",
        "stage": "prod",
        "serious": [],
    }


@pytest.mark.timeout(240)
def test_a_person_deletes_a_webhook(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "deleting")
    assert seen["deleting"] == {
        "asked": "Our deployer (leaver)",
        "keptAfterNo": ["stayer", "leaver"],
        "keptAfterTheirs": ["stayer", "leaver"],
        "keptAfterFailure": ["stayer", "leaver"],
        "kept": ["stayer"],
        "serious": [],
    }


@pytest.mark.timeout(240)
def test_a_person_has_all_that_failed_done_again(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "replays")
    assert seen["replays"] == {
        "offeredForHandled": 0,
        "asked": "Of the webhook many: Failed.",
        "stopped": "Stopped many 100 of 230 97 handled now 3 not handled again",
        "why": "The server cannot be reached. Up to 100 more may be done that are not counted here.",
        "interrupted": "Interrupted many 100 of 230 97 handled now 3 not handled again",
        "done": "All were done again many 230 of 230 227 handled now 3 not handled again",
        "serious": [],
    }


@pytest.mark.timeout(240)
def test_a_wall_shows_the_worst(sqlite_url, tmp_path):
    seen = played(sqlite_url, tmp_path, "wall")
    assert seen["wall"] == {
        "titles": ["A disaster", "A trouble", "A nuisance"],
        "critical": "1",
        "toPress": 0,
        "isLarge": True,
        "isDark": "dark",
        "lost": True,
        "titlesAfterwards": ["Another disaster", "A disaster", "A trouble", "A nuisance"],
        "serious": [],
    }


@pytest.mark.timeout(240)
def test_the_page_goes_on_by_itself_after_the_server_was_away_or_upgraded(sqlite_url, tmp_path):
    # Loaded anew it asks once more.
    assert played(sqlite_url, tmp_path, "away")["away"] == {"asked": 2}


@pytest.mark.timeout(240)
def test_what_is_reported_to_another_replica_is_seen_on_this_one(postgresql_url, tmp_path):
    with Server(postgresql_url, tmp_path) as other:
        seen = played(postgresql_url, tmp_path, "replicas", OTHER_REPLICA=f"http://127.0.0.1:{other.port}/")
    assert seen["replicas"] == {"acknowledged": ["ACTIVE local"], "resolved": ["RESOLVED local"]}


@pytest.mark.timeout(240)
def test_a_new_user_finds_the_cause_of_a_failing_pipeline_within_two_minutes(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        command = [str(ISSUEGRAPH), "demo", "--live"]
        with subprocess.Popen(command, env=server.environment, stdout=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stdout.readline().startswith("loaded 41 issues")
                seen = played_on(server, "path", PICTURES=str(tmp_path))["path"]
            finally:
                demo.kill()
    steps = seen.pop("steps")
    for name, seconds in steps:
        print(f"{seconds:6.1f} s  {name}")
    assert [name for name, _ in steps] == [
        "open the page",
        "see it live",
        "find the failing pipeline",
        "see why",
        "look at the graph",
        "follow it to the cause",
        "acknowledge",
        "watch the success resolve it",
    ]
    assert sum(seconds for _, seconds in steps) < PATH_SECONDS
    assert len(list(tmp_path.glob("*.png"))) == len(steps)
    assert seen == {
        "query": "is:active type:pipeline",
        "why": "cannot pull registry.example.com/base/ubi9:latest: 503 Service Unavailable",
        "causeIsLeft": True,
        "cause": "40 % of pulls fail",
        "somebody": 1,
    }
