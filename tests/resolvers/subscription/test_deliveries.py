"""`deliveryEvents`: every delivery that the caller may see, once, in the order in which it was kept or done again."""

import pytest

from resolvers.errors import Forbidden, PositionExpired
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import caller, report
from tests.resolvers.webhooks.post import GITHUB, plans, received, tool

DELIVERIES = """subscription ($where: DeliveryWhere, $after: LogPosition) {
  deliveryEvents(where: $where, after: $after) { position deliveries {
    id webhook outcome position replayedAt items { action issues { title } } request { body }
  } } }"""
BEN = caller(team=["MANAGE"])


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
