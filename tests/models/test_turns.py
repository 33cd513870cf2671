"""Readers are for all: callers take turns, none holds all of them, and nobody reads for who has gone."""

import asyncio
import time

import pytest

from models.database import Database, Fetch, Statement
from models.lines import OWN
from models.places import Places
from models.turns import Turns

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def of_turns(most):
    turns = Turns(most)
    return turns.take, turns.give_back


def of_places(most):
    places = Places(most)

    async def take(line):
        await places.take(line)
        return line

    return take, places.give_back


@pytest.mark.parametrize("made", [of_turns, of_places])
async def test_who_asks_often_lets_others_in_between(made):
    take, give_back = made(1)
    order = []

    async def read(line):
        turn = await take(line)
        order.append(line)
        await asyncio.sleep(0)
        give_back(turn)

    await asyncio.gather(*(read(line) for line in "aaaabbc"))
    assert order == ["a", "a", "b", "c", "a", "b", "a"]


@pytest.mark.parametrize("made", [of_turns, of_places])
async def test_one_line_never_holds_all(made):
    take, give_back = made(2)
    first = await take("a")
    second = asyncio.create_task(take("a"))
    await asyncio.sleep(0.05)
    assert not second.done()
    other = await asyncio.wait_for(take("b"), 5)
    give_back(first)
    turn = await asyncio.wait_for(second, 5)
    for each in (other, turn):
        give_back(each)
    # What the server reads by itself is nobody's.
    held = [await asyncio.wait_for(take(OWN), 5) for _ in range(2)]
    assert len(held) == 2


@pytest.mark.parametrize("made", [of_turns, of_places])
async def test_who_gives_up_does_not_keep_others_waiting(made):
    take, give_back = made(1)
    first = await take("a")
    gone = [asyncio.create_task(take("a")) for _ in range(3)]
    stays = asyncio.create_task(take("b"))
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    give_back(first)
    give_back(await asyncio.wait_for(stays, 5))
    give_back(await asyncio.wait_for(take("a"), 5))


async def test_the_database_stops_reading_for_who_was_cancelled(database_url):
    database = Database(database_url, readers=2, timeout_seconds=60)
    statement = Statement(SLOW[database.name], (), {})

    def work():
        for _ in range(50):
            yield Fetch(statement)

    begun = time.monotonic()
    for _ in range(3):
        reads = [asyncio.create_task(database.read(work, line="a")) for _ in range(5)]
        await asyncio.sleep(0.2)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    while database.reads != (0, 0):
        await asyncio.sleep(0.05)
    await database.ping()
    await database.close()
    assert time.monotonic() - begun < 30
