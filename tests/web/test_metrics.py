"""What Prometheus is told."""

import asyncio
from unittest.mock import patch

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.database import TimedOut
from resolvers.errors import Unplannable
from resolvers.query import QUERY_ROOTS
from tests.web.client import Client, living
from web.app import create_app, routes, sockets_of
from web.ending import Ending
from web.house import open_house
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
}


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(database_url=sqlite_url))) as client:
        yield client


async def told(client):
    """The samples by name; none of them has labels."""
    answer = await client.get("/metrics")
    assert (answer.status, answer.kind) == (200, "text/plain")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    assert not any(sample.labels for sample in samples)
    return {sample.name: sample.value for sample in samples}


async def test_all_are_there(client):
    first = await told(client)
    assert first.keys() >= NAMES
    assert {first[name] for name in NAMES - {"issuegraph_wakeups_connected"}} == {0}
    assert {name.partition("_")[0] for name in first} <= {"issuegraph", "process"}


async def test_whether_wakeups_arrive_is_told(client, sqlite_url):
    async with asyncio.timeout(10):
        while not (await told(client))["issuegraph_wakeups_connected"]:
            await asyncio.sleep(0.01)
    nobody = Settings(database_url=sqlite_url, wakeups_url="redis://127.0.0.1:1")
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
    async with open_house(Settings(database_url=sqlite_url)) as house:
        (other,) = [
            route.app for route in routes(house, [], sockets_of(house), Ending(), Wires()) if route.path == "/metrics"
        ]
        assert (await told(Client(other)))["issuegraph_documents_misses_total"] == 0


async def test_it_counts_what_has_no_plan(client):
    def none(*_):
        raise Unplannable("no plan")

    with patch.dict(QUERY_ROOTS, {"issues": none}):
        answer = await client.post("/graphql", {"query": "{ issues { totalCount } }"})
    assert answer.json["errors"][0]["extensions"]["code"] == "UNPLANNABLE"
    assert (await told(client))["issuegraph_unplannable_total"] == 1
