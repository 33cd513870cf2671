"""`deliveryEvents`: every delivery that the caller may see, once, in the order in which it was kept or done again."""

from unittest.mock import patch

import pytest

from models.database import Fetch, Statement
from resolvers.errors import Forbidden, PositionExpired, TimedOut, Unavailable
from resolvers.subscription import patience
from resolvers.subscription.matching import Payers
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import caller, report
from tests.resolvers.query.test_timeouts import SLOW
from tests.resolvers.subscription.watching import watching
from tests.resolvers.webhooks.post import GITHUB, plans, received, tool

DELIVERIES = """subscription ($where: DeliveryWhere, $after: LogPosition) {
  deliveryEvents(where: $where, after: $after) { position deliveries {
    id webhook outcome position replayedAt items { action issues { title } } request { body }
  } } }"""
BEN = caller(team=["MANAGE"])


@pytest.fixture
async def slow_house(database_url):
    async with watching(database_url, query_timeout_seconds=0.8) as house:
        yield house


async def take(house, items=None, who=GITHUB, **values):
    """The id of a delivery that was kept."""
    delivery = received(**values)
    given = plans(report()) if items is None else items
    await house.house.webhooks.deliveries.carry_out(delivery, given, who)
    return delivery.id


async def ids_of(watcher, count):
    """The ids of the next deliveries, as many as wanted."""
    found = []
    while len(found) < count:
        found += [each["id"] for each in (await watcher.next())["deliveries"]]
    return found


async def test_each_delivery_comes_once_and_in_order_with_what_is_selected(house):
    async with house.watch(DELIVERIES) as watcher:
        first = await watcher.next()
        assert first == {"position": await house.position(), "deliveries": []}
        id = await take(house)
        batch = await watcher.next()
        (delivery,) = batch["deliveries"]
        assert delivery == {
            "id": id,
            "webhook": "github",
            "outcome": "HANDLED",
            "position": batch["position"],
            "replayedAt": None,
            "items": [{"action": "CREATED", "issues": [{"title": "Build failed: api"}]}],
            "request": {"body": '{"n":1}'},
        }
        ids = [await take(house, [Plan(index=0, action="ignored")]) for _ in range(5)]
        assert await ids_of(watcher, 5) == ids


async def test_one_that_is_larger_than_an_answer_ends_nothing(house):
    house.house.planner.answers.most = 100_000
    async with house.watch(DELIVERIES) as watcher:
        await watcher.next()
        large = await take(house, [Plan(index=0, action="ignored")], body=b"x" * 200_000, body_bytes=200_000)
        small = await take(house, [Plan(index=0, action="ignored")])
        assert await ids_of(watcher, 1) == [small] != [large]


@pytest.mark.parametrize("reads", ["since", "some_items", "shown"])
async def test_a_database_that_was_away_meanwhile_loses_nothing(house, monkeypatch, reads):
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    history = house.house.webhooks.history
    found, tries = getattr(history, reads), []

    async def at_the_third(*arguments, **named):
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("the database cannot be read now")
        return await found(*arguments, **named)

    owed = []
    monkeypatch.setattr(Payers, "owe", lambda _, cost: owed.append(cost))
    async with house.watch(DELIVERIES) as watcher:
        await watcher.next()
        monkeypatch.setattr(history, reads, at_the_third)
        id = await take(house)
        batch = await watcher.next()
        while not batch["deliveries"]:
            batch = await watcher.next()
    (delivery,) = batch["deliveries"]
    assert (delivery["id"], delivery["request"], len(delivery["items"])) == (id, {"body": '{"n":1}'}, 1)
    assert len(tries) == 3
    # However often it was tried.
    assert owed == [house.planner.documents.operation(DELIVERIES, None, {}).cost]


@pytest.mark.parametrize("reads", ["since", "some_items"])
async def test_one_that_takes_the_database_too_long_ends_and_is_told(slow_house, monkeypatch, reads):
    history = slow_house.house.webhooks.history
    read, found = history._read, getattr(history, reads)

    def work():
        yield Fetch(Statement(SLOW[slow_house.database.name], (), {}, frozenset()))

    async def slowly(*arguments, **named):
        with patch.object(history, "_read", lambda _, *rest, **others: read(work, *rest, **others)):
            return await found(*arguments, **named)

    before = await slow_house.position()
    async with slow_house.watch(DELIVERIES) as watcher:
        await watcher.next()
        with patch.object(history, reads, slowly):
            id = await take(slow_house)
            with pytest.raises(TimedOut):
                await watcher.next()
    async with slow_house.watch(DELIVERIES, after=before) as watcher:
        assert await ids_of(watcher, 1) == [id]


async def test_who_comes_back_misses_nothing(house):
    before = await house.position()
    ids = [await take(house) for _ in range(4)]
    async with house.watch(DELIVERIES, after=before) as watcher:
        assert await ids_of(watcher, 4) == ids
    async with house.watch(DELIVERIES, last_event=house.log.number(before)) as watcher:
        assert await ids_of(watcher, 4) == ids
    (position,) = {house.log.text(house.tailer.position + 1000)}
    with pytest.raises(PositionExpired):
        async with house.watch(DELIVERIES, after=position):
            pass


async def test_only_what_the_caller_may_see_and_wants_comes(house):
    async with (
        house.watch(DELIVERIES, BEN) as bens,
        house.watch(DELIVERIES, where={"outcome": ["FAILED", "REFUSED"]}) as failures,
        house.watch(DELIVERIES, where={"webhook": "ours", "receivedAt": {"isNull": False}}) as ours,
    ):
        for watcher in (bens, failures, ours):
            assert (await watcher.next())["deliveries"] == []
        await take(house, plans(report(namespace="team-b")))
        await take(house, [Plan(index=0, action="unmatched")])
        failed = await take(house, plans(report(namespace="stranger")))
        refused = await take(house, [], tool("team"), refused="no signature", body=None)
        own = await take(house)
        mine = await take(house, webhook="ours")
        assert await ids_of(bens, 3) == [refused, own, mine]
        assert await ids_of(failures, 2) == [failed, refused]
        assert await ids_of(ours, 1) == [mine]


async def test_who_has_manage_nowhere_is_told(house):
    with pytest.raises(Forbidden):
        async with house.watch(DELIVERIES, caller(team=["READ", "REPORT", "ADMIN"])):
            pass


async def test_those_who_may_do_the_same_share_the_work(house):
    async with house.watch(DELIVERIES), house.watch(DELIVERIES), house.watch(DELIVERIES, BEN):
        assert house.streams.groups == 2


async def test_who_follows_the_issues_is_not_held_up_by_deliveries(house):
    async with house.watch() as watcher:
        await watcher.next()
        await take(house, [Plan(index=0, action="ignored")])
        await take(house)
        batch = await watcher.next()
        while not batch["events"]:
            batch = await watcher.next()
        assert [item["event"]["kind"] for item in batch["events"]] == ["CREATED"]
