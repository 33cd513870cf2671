"""What an orchestrator asks: `/healthz` of the process, `/readyz` of what its work needs."""

import asyncio

import pytest
from sqlalchemy import text

from models.database import Unavailable
from models.migrations import on_connection, revisions
from tests.web.client import living
from web import health
from web.app import create_app
from web.ending import Ending
from web.settings import Settings

UP = {"server": "UP", "database": "UP", "migrations": "UP", "log": "UP"}


@pytest.fixture
async def client(database_url):
    async with living(create_app(Settings(database_url=database_url))) as client:
        yield client


async def ready(client):
    """Status of the answer, and what of it decides."""
    answer = await client.get("/readyz")
    components = {name: word for name, word in answer.json["components"].items() if name != "wakeups"}
    assert answer.json["status"] == ("UP" if answer.status == 200 else "DOWN")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status, components


async def test_all_is_well(client):
    alive = await client.get("/healthz")
    assert (alive.status, alive.json) == (200, {"status": "UP"})
    assert await ready(client) == (200, UP)


async def test_they_answer_to_an_address_and_only_to_those_who_look(client):
    for path in ("/healthz", "/readyz"):
        assert (await client.get(path, headers={"host": "10.0.0.7:8080"})).status == 200
        assert (await client.get(path, headers={"host": "10.0.0.7:8080", "origin": "null"})).status == 200
        assert (await client.post(path)).headers["allow"] == "GET, HEAD"
    assert (await client.get("/api/v1/health", headers={"host": "10.0.0.7:8080"})).status == 421


async def test_a_database_that_is_away_takes_the_replica_out_but_does_not_end_it(client, monkeypatch):
    async def away(self):
        raise Unavailable("connection to ada:secret@10.1.1.1 refused")

    monkeypatch.setattr("models.database.Database.ping", away)
    answer = await client.get("/readyz")
    assert (answer.status, answer.json["components"]["database"]) == (503, "DOWN")
    assert "secret" not in answer.text
    assert "10.1.1.1" not in answer.text
    assert (await client.get("/healthz")).status == 200


async def test_a_database_that_says_nothing_is_not_waited_for(client, monkeypatch):
    async def silent(self):
        await asyncio.Event().wait()

    monkeypatch.setattr("models.database.Database.ping", silent)
    monkeypatch.setattr(health, "PING_SECONDS", 0.01)
    status, components = await ready(client)
    assert (status, components["database"]) == (503, "DOWN")


@pytest.mark.parametrize(("revision", "status"), [(revisions()[0], 503), (revisions()[-1], 200), ("9999", 200)])
async def test_a_database_that_waits_for_migrations_is_not_ready_and_one_of_a_newer_version_is(
    client, database_url, revision, status
):
    def put(connection):
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.commit()

    await asyncio.to_thread(on_connection, database_url, put)
    word = "UP" if status == 200 else "DOWN"
    assert await ready(client) == (status, UP | {"migrations": word})


async def test_wakeups_are_told_and_decide_nothing(sqlite_url):
    nobody = Settings(database_url=sqlite_url, wakeups_url="redis://127.0.0.1:1")
    async with living(create_app(nobody)) as client:
        answer = await client.get("/readyz")
    assert (answer.status, answer.json["components"]["wakeups"]) == (200, "DOWN")


async def test_a_server_that_stops_gets_no_more_work(sqlite_url):
    ending = Ending()
    async with living(create_app(Settings(dev=True, database_url=sqlite_url), ending)) as client:
        ending.begun.set()
        assert await ready(client) == (503, UP | {"server": "DOWN"})


async def test_a_log_that_cannot_be_followed_is_named(client, monkeypatch):
    def broken(self):
        raise Unavailable("away")

    monkeypatch.setattr("resolvers.subscription.tailer.POLL_SECONDS", 0.01)
    monkeypatch.setattr("resolvers.subscription.tailer.Tailer._news", broken)
    async with asyncio.timeout(10):
        while (await ready(client))[1]["log"] == "UP":
            await asyncio.sleep(0.05)
    assert (await ready(client))[0] == 503
