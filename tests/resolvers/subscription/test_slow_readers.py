"""A slow reader gets everything once and holds nobody up; live counters skip what it missed."""

import asyncio

from resolvers.mutation import ResolveIssue
from resolvers.subscription import stats_group
from tests.resolvers.mutation.house import caller, made, report
from tests.resolvers.subscription.watching import EVENTS, events, watching

STATS = "subscription ($where: IssueWhere) { issueStats(where: $where) { total } }"
EVENTS_OF_A_STORM = 1_000


async def test_a_reader_that_slept_through_a_storm_gets_everything_once(database_url):
    async with (
        watching(database_url, max_buffered_batches=3) as house,
        house.watch() as slow,
        house.watch() as quick,
    ):
        await slow.next()
        await quick.next()
        reports = (report(run_id=f"{number}") for number in range(EVENTS_OF_A_STORM))
        storm = asyncio.gather(*map(house.do, reports))
        seen = []
        while len(seen) < EVENTS_OF_A_STORM:
            seen += (await quick.next())["events"]
        await storm
        batches = await slow.until(await house.position())
        assert [item for batch in batches for item in batch["events"]] == seen
        positions = [item["event"]["position"] for item in seen]
        assert positions == sorted(set(positions))
        assert len(positions) == EVENTS_OF_A_STORM
        id = await made(house, resource_name="after")
        assert events(await slow.next()) == events(await quick.next()) == [("ENTERED", "CREATED", id)]


async def test_what_is_too_large_for_one_result_comes_in_several(database_url):
    async with watching(database_url, max_answer_bytes=20_000, max_answers_bytes=40_000) as house:
        start = await house.position()
        for number in range(10):
            await house.do(report(run_id=f"{number}", resource_name=f"{number}", description="x" * 5_000))
        text = EVENTS.replace("issueId", "issueId issue { description }")
        async with house.watch(text, after=start) as watcher:
            batches = await watcher.until(await house.position())
        seen = [item["event"] for batch in batches for item in batch["events"]]
        assert [event["issue"]["description"] for event in seen] == ["x" * 5_000] * 10
        positions = [event["position"] for event in seen]
        assert positions == sorted(set(positions))


async def test_a_frame_is_let_go_when_it_was_taken(house):
    async with house.watch() as taken, house.watch(STATS) as counted:
        await taken.next()
        await counted.next()
        before = house.streams.frames.held
        for number in range(5):
            await made(house, resource_name=f"{number}")
            await taken.next()
        # While it waits for more.
        assert await taken.has_nothing()
        assert house.streams.frames.held <= before


async def test_what_comes_while_a_reader_catches_up_comes_after_it(database_url):
    async with watching(database_url, max_buffered_batches=1) as house, house.watch(maxBatch=3) as slow:
        start = (await slow.next())["position"]
        seen = []
        for number in range(20):
            await house.do(report(run_id=f"{number}"))
            await house.do(report(run_id=f"{number} again"))
            if number % 3 == 0:
                seen.append(await slow.next())
        seen += await slow.until(await house.position())
        positions = [item["event"]["position"] for batch in seen for item in batch["events"]]
        first = house.log.number(start) + 1
        assert positions == [house.log.text(number) for number in range(first, first + 40)]


async def test_counters_come_at_once_and_after_changes_that_matter(house, monkeypatch):
    monkeypatch.setattr(stats_group, "SECONDS_BETWEEN_COUNTS", 0.05)
    mine = await made(house)
    team = caller(team=["READ"])
    where = {"severity": {"eq": "MAJOR"}, "state": {"eq": "ACTIVE"}}
    async with house.watch(STATS, team, where=where) as watcher:
        assert await watcher.next() == {"total": 1}
        await made(house, namespace="other")
        await made(house, resource_name="small", severity="minor")
        assert await watcher.has_nothing()
        await house.do(ResolveIssue(id=mine))
        assert await watcher.next() == {"total": 0}
        async with house.watch(STATS, team, where=where) as late:
            assert house.streams.groups == 1
            assert await late.next() == {"total": 0}
    assert house.streams.groups == 0


async def test_counters_are_counted_once_for_all_and_not_more_often_than_the_pause(one_house, monkeypatch):
    house = one_house
    # Nothing else waits for just so long.
    monkeypatch.setattr(stats_group, "SECONDS_BETWEEN_COUNTS", pause := 1.2345)
    pauses, counted = [], 0
    count, sleep = house.planner.live_stats, asyncio.sleep
    go_on = asyncio.Event()

    async def counting(*given):
        nonlocal counted
        counted += 1
        return await count(*given)

    async def pausing(seconds):
        if seconds == pause:
            pauses.append(seconds)
            await go_on.wait()
            go_on.clear()
        else:
            await sleep(seconds)

    monkeypatch.setattr(house.planner, "live_stats", counting)
    monkeypatch.setattr(asyncio, "sleep", pausing)
    async with house.watch(STATS) as one, house.watch(STATS) as two:
        assert await one.next() == await two.next() == {"total": 0}
        for number in range(5):
            await made(house, resource_name=f"{number}")
        assert (counted, pauses) == (1, [pause])
        go_on.set()
        assert await one.next() == await two.next() == {"total": 5}
        assert counted == 2


async def test_a_slow_reader_of_counters_gets_the_newest_only(house, monkeypatch):
    monkeypatch.setattr(stats_group, "SECONDS_BETWEEN_COUNTS", 0.01)
    async with house.watch(STATS) as quick, house.watch(STATS) as slow:
        await slow.next()
        assert (await quick.next())["total"] == 0
        for number in range(5):
            await made(house, resource_name=f"{number}")
            while (await quick.next())["total"] <= number:
                pass
        assert await slow.next() == {"total": 5}
