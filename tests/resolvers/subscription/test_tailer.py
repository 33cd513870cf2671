"""The reader of the log: outlives a database that is away and lost wake-ups, and lets nobody wait for ever."""

import asyncio

import pytest

from models import database as storage
from resolvers.errors import Unavailable
from resolvers.subscription import patience, stats_group
from resolvers.subscription.log import Log
from resolvers.subscription.tailer import Tailer
from resolvers.subscription.wakeups import Wakeups
from tests.resolvers.mutation.house import made
from tests.resolvers.subscription.watching import SECONDS, events

STATS = "subscription { issueStats { total } }"


class Cable:
    """Between the house and what it reads of its database; `cut` and whole again."""

    def __init__(self, database, monkeypatch):
        self.cut = False
        self.refused = 0
        read = database.read

        async def through(work, **more):
            if self.cut:
                self.refused += 1
                raise storage.Unavailable("away")
            return await read(work, **more)

        monkeypatch.setattr(database, "read", through)


@pytest.fixture
def cable(one_house, monkeypatch):
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(stats_group, "SECONDS_BETWEEN_COUNTS", 0.01)
    monkeypatch.setattr(one_house.tailer, "_poll_seconds", 0.05)
    return Cable(one_house.database, monkeypatch)


async def test_a_database_that_is_away_makes_silence_and_no_hole(one_house, cable):
    house = one_house
    async with house.watch() as watcher, house.watch(STATS) as stats:
        await watcher.next()
        await stats.next()
        cable.cut = True
        made_meanwhile = [await made(house, resource_name=f"{number}") for number in range(3)]
        while cable.refused < 3:
            await asyncio.sleep(0.01)
        assert house.tailer.problem == "away"
        with pytest.raises(Unavailable):
            async with house.watch():
                pass
        cable.cut = False
        batches = await watcher.until(await house.position())
        assert [id for *_, id in events(*batches)] == made_meanwhile
        while (await stats.next())["total"] < 3:
            pass
        assert house.tailer.problem is None


async def test_a_replay_goes_on_where_the_database_left_it(one_house, cable, monkeypatch):
    monkeypatch.setattr("resolvers.subscription.tailer.PAGE_LINES", 3)
    house = one_house
    start = await house.position()
    ids = [await made(house, resource_name=f"{number}") for number in range(9)]
    async with house.watch(after=start, maxBatch=3) as watcher:
        seen = [await watcher.next()]
        cable.cut = True
        waiting = asyncio.create_task(watcher.next())
        while cable.refused < 3:
            await asyncio.sleep(0.01)
        cable.cut = False
        seen.append(await waiting)
        seen += await watcher.until(await house.position())
    assert [id for *_, id in events(*seen)] == ids


async def test_lost_wakeups_are_harmless(one_house, monkeypatch):
    house = one_house
    monkeypatch.setattr(house.tailer, "wake", lambda position: None)
    monkeypatch.setattr(house.tailer, "_poll_seconds", 0.05)
    async with house.watch() as watcher:
        await watcher.next()
        ids = [await made(house, resource_name=f"{number}") for number in range(3)]
        assert [id for *_, id in events(*await watcher.until(await house.position()))] == ids


async def test_a_wakeup_for_what_was_read_already_or_is_not_there_changes_nothing(one_house):
    house = one_house
    async with house.watch() as watcher:
        await watcher.next()
        for position in (0, 10**6):
            house.tailer.wake(position)
        id = await made(house)
        assert events(await watcher.next()) == [("ENTERED", "CREATED", id)]


async def test_who_opens_a_stream_sees_what_was_committed_before_whoever_committed_it(one_house, monkeypatch):
    house = one_house
    # As from another process: no wake-up comes, and the next look is far away.
    monkeypatch.setattr(house.tailer, "wake", lambda position: None)
    start = await house.position()
    id = await made(house)
    async with house.watch(after=start) as watcher:
        assert events(await watcher.next()) == [("ENTERED", "CREATED", id)]


async def test_a_database_that_was_replaced_is_told_to_health_and_to_who_comes(one_house, monkeypatch):
    house = one_house
    monkeypatch.setattr(house.log, "identity", "0" * 12)
    with pytest.raises(Unavailable):
        await house.tailer.catch_up()
    assert "replaced" in house.tailer.problem


async def test_who_waits_when_the_server_stops_is_told(one_house, monkeypatch):
    database = one_house.database
    tailer = Tailer(database, await Log.load(database), Wakeups("memory://"))
    await tailer.start()
    await tailer.catch_up()
    stuck = asyncio.Event()

    async def never(work):
        stuck.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(database, "read", never)
    waiting = asyncio.create_task(tailer.catch_up())
    await asyncio.wait_for(stuck.wait(), SECONDS)
    await tailer.close()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(waiting, SECONDS)
    with pytest.raises(Unavailable):
        await tailer.catch_up()


async def test_who_begins_to_follow_while_the_log_is_read_misses_nothing(one_house, monkeypatch):
    house, tailer = one_house, one_house.tailer
    start, read = tailer.position, one_house.database.read
    is_read, go = asyncio.Event(), asyncio.Event()

    async def slowly(work, **more):
        found = await read(work, **more)
        if isinstance(found, tuple) and found[0] > start:
            is_read.set()
            await go.wait()
        return found

    monkeypatch.setattr(house.database, "read", slowly)
    id = await made(house)
    await is_read.wait()
    with tailer.followed():
        go.set()
        await tailer.moved_past(start)
        page = await tailer.page(start, tailer.position)
    assert [line.issue_id for line in page.lines] == [id]
