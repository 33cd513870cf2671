"""One caller's subscriptions are bounded, charged as they go on, and leave others their turns."""

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from resolvers.errors import Overloaded, Unavailable
from resolvers.subscription import patience
from resolvers.subscription.matching import Matching
from tests.resolvers.mutation.house import ADA, BOB, made
from tests.resolvers.subscription.watching import EVENTS, events

STATS = "subscription ($where: IssueWhere) { issueStats(where: $where) { total } }"


class Bill:
    """A meter that only writes down."""

    def __init__(self):
        self.owed = {}

    def owe(self, line, cost):
        self.owed[line] = self.owed.get(line, 0) + cost

    def took(self, line, seconds):
        pass


def titled(text):
    return {"issue": {"title": {"contains": text}}}


async def test_one_caller_has_so_many_different_ones(house, monkeypatch):
    monkeypatch.setattr(house.streams, "_most_of_one_caller", 2)
    async with house.watch(where=titled("a")), house.watch(where=titled("a")):
        async with house.watch(where=titled("b")):
            with pytest.raises(Overloaded, match="At most 2 different subscriptions"):
                async with house.watch(where=titled("c")):
                    pass
            async with house.watch(where=titled("c"), who=BOB), house.watch(where=titled("a"), who=BOB):
                pass
        async with house.watch(STATS) as watcher:
            assert (await watcher.next())["total"] == 0
    assert house.streams.groups == 0
    async with house.watch(where=titled("a")), house.watch(where=titled("b")):
        pass


async def test_batches_and_counts_are_charged_to_those_who_share_them(house, monkeypatch):
    bill = Bill()
    monkeypatch.setattr(house.streams, "_meter", bill)
    cost = house.planner.documents.operation(EVENTS, None, {}).cost
    async with house.watch() as ada, house.watch() as again, house.watch(who=BOB) as bob:
        for watcher in (ada, again, bob):
            await watcher.next()
        assert bill.owed == {}
        id = await made(house)
        for watcher in (ada, again, bob):
            assert [each for _, _, each in events(await watcher.next())] == [id]
        assert bill.owed == {ADA.line: cost / 2, BOB.line: cost / 2}
    async with house.watch(STATS) as watcher:
        await watcher.next()
        before = bill.owed[ADA.line]
        await made(house, resource_name="other")
        await watcher.next()
    assert bill.owed[ADA.line] == before + house.planner.documents.operation(STATS, None, {}).cost


async def test_looking_through_the_log_leaves_others_their_turns(monkeypatch):
    monkeypatch.setattr("resolvers.subscription.matching.UNBROKEN_SECONDS", 0)
    matching, turns = Matching(), 0
    lines = [SimpleNamespace(position=number) for number in range(100)]

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def look(line):
        found = await matching.matched(lines, lambda each: each.position % 2, line)
        assert found == [(1, number) for number in range(1, 100, 2)]
        order.append(line)

    order = []
    beside = asyncio.create_task(others())
    await asyncio.gather(*(look(line) for line in "aaab"))
    beside.cancel()
    assert order == ["a", "a", "b", "a"]
    assert turns >= 400


LARGE = "subscription { issueEvents { position events { match event { kind issueId issue { description } } } } }"


async def large(house, **values):
    """A report so large that who is told of it needs a part of what all answers may have together."""
    return await made(house, description="d" * 65_536, **values)


async def test_who_has_left_holds_up_nobody_who_shared_with_him(house):
    async with AsyncExitStack() as leaving:
        ada = await leaving.enter_async_context(house.watch(LARGE))
        await ada.next()
        async with house.watch(LARGE, who=BOB) as bob:
            await bob.next()
            assert house.streams.groups == 1
            await leaving.aclose()
            # All that one caller may have of answers.
            house.planner.answers._held[ADA.line] = 50_000_000
            id = await large(house)
            assert events(await bob.next()) == [("ENTERED", "CREATED", id)]


async def test_while_too_much_is_answered_subscriptions_wait(house, monkeypatch):
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    held = house.planner.answers._held
    async with house.watch(LARGE) as ada:
        await ada.next()
        held["others"] = 100_000_000
        id = await large(house)
        assert await ada.has_nothing()
        del held["others"]
        assert events(await ada.next()) == [("ENTERED", "CREATED", id)]


async def test_one_for_whom_it_is_too_much_holds_up_nobody_who_shares_with_him(house, monkeypatch):
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    async with house.watch(LARGE) as ada, house.watch(LARGE, who=BOB) as bob:
        await ada.next()
        await bob.next()
        assert house.streams.groups == 1
        house.planner.answers._held[ADA.line] = 50_000_000
        for name in ("one", "two"):
            id = await large(house, resource_name=name)
            assert [each for _, _, each in events(await bob.next())] == [id]
            assert [each for _, _, each in events(await ada.next())] == [id]


async def test_those_who_wait_for_the_database_leave_the_places_to_others(house, monkeypatch):
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    before = await house.position()
    id = await made(house)
    page, away = house.tailer.page, set()

    async def sometimes(after, upto):
        # Those of one caller find nobody.
        if asyncio.current_task() in away:
            raise Unavailable("the database cannot be read now")
        return await page(after, upto)

    monkeypatch.setattr(house.tailer, "page", sometimes)
    async with AsyncExitStack() as stack:
        for _ in range(house.streams._replays._value):
            watcher = await stack.enter_async_context(house.watch(after=before))
            watcher._reading = asyncio.ensure_future(anext(watcher.stream.frames))
            away.add(watcher._reading)
        await asyncio.sleep(0.1)
        async with house.watch(after=before, who=BOB) as bob:
            assert [each for _, _, each in events(await bob.next())] == [id]
