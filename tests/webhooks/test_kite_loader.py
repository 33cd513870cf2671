"""Who asks for an issue at the moment at which others do is served with them, and never by an older answer."""

import asyncio

import pytest

from resolvers.errors import TooLarge
from tests.resolvers.mutation.house import ADA, BOB
from webhooks.kite_loader import MAX_IDS, IssueLoader


class Store:
    """Issues by id, and every fetch that was made; `hold` keeps one waiting."""

    def __init__(self, *ids):
        self.issues = {id: {"id": id} for id in ids}
        self.fetched = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.loader = IssueLoader(self.fetch)

    async def fetch(self, ids, caller):
        self.fetched.append((caller, ids))
        found = [self.issues[id] for id in reversed(ids) if id in self.issues]
        await self.hold.wait()
        return found


async def test_those_who_ask_together_are_one_query_for_each_caller():
    store = Store("a", "b")
    asked = [("a", ADA), ("b", ADA), ("a", ADA), ("c", ADA), ("a", BOB)]
    answers = await asyncio.gather(*(store.loader.issue(id, who) for id, who in asked))
    assert answers == [{"id": "a"}, {"id": "b"}, {"id": "a"}, None, {"id": "a"}]
    assert store.fetched == [(ADA, ["a", "b", "c"]), (BOB, ["a"])]


async def test_who_asks_while_a_query_runs_gets_one_that_began_later():
    store = Store("a")
    store.hold.clear()
    before = asyncio.create_task(store.loader.issue("a", ADA))
    while not store.fetched:
        await asyncio.sleep(0)
    store.issues["a"] = {"id": "a", "title": "new"}
    after = asyncio.create_task(store.loader.issue("a", ADA))
    await asyncio.sleep(0)
    store.hold.set()
    assert await before == {"id": "a"}
    assert await after == {"id": "a", "title": "new"}


async def test_who_no_longer_waits_takes_nothing_from_the_others():
    store = Store("a")
    gone, there = (asyncio.create_task(store.loader.issue("a", ADA)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await there == {"id": "a"}
    assert gone.cancelled()


async def test_an_error_is_everybodys_and_the_next_asks_anew():
    store = Store("a")
    broken = IssueLoader(lambda ids, caller: failing())

    async def failing():
        raise LookupError("away")

    answers = await asyncio.gather(*(broken.issue(id, ADA) for id in "aab"), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away"] * 3
    with pytest.raises(LookupError):
        await broken.issue("a", ADA)
    assert await store.loader.issue("a", ADA) == {"id": "a"}


async def test_a_query_has_a_largest_size():
    ids = [str(number) for number in range(MAX_IDS + 1)]
    store = Store(*ids)
    answers = await asyncio.gather(*(store.loader.issue(id, ADA) for id in ids))
    assert [answer and answer["id"] for answer in answers] == ids
    assert [len(fetched) for _, fetched in store.fetched] == [MAX_IDS, 1]


async def test_those_who_are_too_much_together_are_asked_for_apart():
    store = Store("a", "b", "c")
    fetch = store.fetch

    async def narrow(ids, caller):
        if len(ids) > 1 or ids == ["c"]:
            raise TooLarge(1)
        return await fetch(ids, caller)

    store.loader = IssueLoader(narrow)
    answers = await asyncio.gather(*(store.loader.issue(id, ADA) for id in "ab"))
    assert answers == [{"id": "a"}, {"id": "b"}]
    with pytest.raises(TooLarge):
        await store.loader.issue("c", ADA)
