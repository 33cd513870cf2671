"""A field that takes the database too long ends alone: with its code, and with its neighbours of one moment."""

import asyncio
import threading
import time
from unittest.mock import patch

import asyncpg
import pytest
from sqlalchemy import make_url

from models.database import Database, Fetch, Statement, TimedOut
from tests.resolvers.mutation.house import house as writing
from tests.resolvers.mutation.house import report
from tests.resolvers.query.house import asking
from tests.servers import run_coroutine

SECONDS = 0.8
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000)"
    " SELECT max(i), (SELECT count(*) FROM issue) FROM n",
    "postgresql": "SELECT count(*), pg_sleep(60) FROM issue",
}
SESSIONS = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def slow(database_url):
    """A house with one connection to read, where a field whose key begins with `slow` is slow."""
    async with asking(database_url, Database(database_url, readers=1, timeout_seconds=SECONDS)) as house:
        answer = house.planner._answer
        statement = Statement(SLOW[house.database.name], (), {}, frozenset())
        house.begun = []
        house.afterwards = None

        def slowly(plan, values, caller, size):
            house.begun.append(plan.field.key)
            if plan.field.key.startswith("slow"):
                try:
                    yield Fetch(statement)
                except TimedOut:
                    if house.afterwards:
                        house.afterwards()
                    raise
            return (yield from answer(plan, values, caller, size))

        with patch.object(house.planner, "_answer", slowly):
            yield house


def counting(*keys):
    """A document that counts all issues under each of these keys."""
    return f"{{ {' '.join(f'{key}: issues {{ totalCount nodes {{ title }} }}' for key in keys)} }}"


def reporting_elsewhere(url):
    """Makes an issue with a connection of another thread."""

    async def add():
        async with writing(url) as house:
            await house.do(report())

    def call():
        thread = threading.Thread(target=lambda: run_coroutine(add()))
        thread.start()
        thread.join()

    return call


def codes(answer):
    return {error["path"][0]: error["extensions"]["code"] for error in answer["errors"]}


def counts(answer):
    return {key: value and value["totalCount"] for key, value in answer["data"].items()}


@pytest.mark.parametrize("keys", [("one", "slow", "two"), ("slow", "one", "two")])
async def test_neighbours_of_a_slow_field_are_answered_and_of_one_moment(slow, database_url, keys):
    slow.afterwards = reporting_elsewhere(database_url)
    slow.database.timeout_seconds = 60  # of the whole: what happens elsewhere takes its time
    answer = await slow.answer(counting(*keys))
    assert codes(answer) == {"slow": "TIMEOUT"}
    assert "totalCount" in answer["errors"][0]["message"]
    assert counts(answer) == {"one": 0, "slow": None, "two": 0}
    assert slow.planner.timeouts == 1
    # On the same connection.
    assert counts(await slow.answer(counting("one", "two"))) == {"one": 1, "two": 1}


async def test_a_field_alone_ends_with_its_code(slow):
    assert (await slow.refusal(counting("slow")))[0] == "TIMEOUT"
    assert counts(await slow.answer(counting("one"))) == {"one": 0}


async def test_many_slow_fields_do_not_take_many_times_as_long(slow):
    begun = time.monotonic()
    answer = await slow.answer(counting(*(f"slow{number}" for number in range(20)), "last"))
    assert time.monotonic() - begun < SECONDS * 10
    assert set(codes(answer).values()) == {"TIMEOUT"}
    assert len(answer["errors"]) == 21
    assert len(slow.begun) <= 4
    assert "alone" in answer["errors"][-1]["message"]


async def test_the_time_of_one_request_is_not_that_of_the_next(slow):
    for _ in range(3):
        assert counts(await slow.answer(counting("one", "two"))) == {"one": 0, "two": 0}
        await asyncio.sleep(SECONDS)


async def test_a_cancelled_request_leaves_the_connections_usable(slow):
    for _ in range(3):
        asked = asyncio.create_task(slow.answer(counting("one", "slow")))
        await asyncio.sleep(SECONDS / 4)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert counts(await slow.answer(counting("one"))) == {"one": 0}


async def locked(url, table="issue"):
    """A connection that lets nobody read the table."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    return connection


@pytest.mark.parametrize("pooled", [False, True])
async def test_postgresql_waits_no_longer_than_the_limit_for_a_lock(postgresql_url, pooled):
    database = Database(postgresql_url, readers=2, timeout_seconds=SECONDS, pooled=pooled)
    async with asking(postgresql_url, database) as house:
        for text in (counting("one"), counting("one", "two")):
            other = await locked(postgresql_url)
            answer = await house.answer(text)
            assert set(codes(answer).values()) == {"TIMEOUT"}, answer
            await other.execute("ROLLBACK")
            assert "errors" not in await house.answer(text)
            states = [row[0] for row in await other.fetch(SESSIONS)]
            assert not [state for state in states if state != "idle"], states
            await other.close()


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("token", "{ tokens { nodes { name } } }"),
        ("audit_event", "{ auditEvents { nodes { id } } }"),
        ("webhook", "{ webhooks { nodes { name } } }"),
        ("delivery", "{ deliveries { nodes { id } } }"),
    ],
)
async def test_lists_of_what_runs_the_server_end_so_too(postgresql_url, table, text):
    async with asking(postgresql_url, Database(postgresql_url, readers=2, timeout_seconds=SECONDS)) as house:
        other = await locked(postgresql_url, table)
        answer = await house.answer(text)
        assert set(codes(answer).values()) == {"TIMEOUT"}, answer
        await other.execute("ROLLBACK")
        assert "errors" not in await house.answer(text)
        await other.close()


async def test_who_cannot_have_a_reader_of_postgresql_is_told(postgresql_url, monkeypatch):
    monkeypatch.setattr("models.postgresql.WAIT_SECONDS", 0.2)
    database = Database(postgresql_url, readers=1)
    async with asking(postgresql_url, database) as house:
        other = await locked(postgresql_url)
        first = asyncio.create_task(house.answer(counting("one")))
        await asyncio.sleep(0.1)
        answers = await asyncio.gather(*(house.answer(counting("one")) for _ in range(3)))
        assert [set(codes(answer).values()) for answer in answers] == [{"UNAVAILABLE"}] * 3
        await other.execute("ROLLBACK")
        assert "errors" not in await first
        assert "errors" not in await house.answer(counting("one"))
        await other.close()


async def test_a_command_whose_statement_somebody_ends_is_tried_again(postgresql_url):
    async with asking(postgresql_url) as house:
        await house.do(report())
        other = await locked(postgresql_url)
        waiting = asyncio.create_task(house.do(report(title="again")))
        await asyncio.sleep(0.3)
        assert await other.fetchval(
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        await other.execute("ROLLBACK")
        assert (await waiting).issue_ids
        await other.close()
