"""However much is ready at once, everything else of the event loop comes between."""

import asyncio

import pytest

from models import breaths
from models.breaths import Breaths


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(breaths, "time", clock)
    return clock


class Beginning:
    """`begin(line, seconds)` begins something that takes so long; `begun` are the lines of those that did."""

    def __init__(self, clock):
        self.begun = []
        self._clock = clock
        self._breaths = Breaths()

    async def __call__(self, line, seconds):
        if not self._breaths.may_begin():
            await self._breaths.wait(line)
        self.begun.append(line)
        self._clock.now += seconds


@pytest.fixture
def begin(clock):
    return Beginning(clock)


async def turns_of(begun, tasks):
    """What was begun in each turn of the loop, until all are done."""
    turns, seen = [], 0
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if begun[seen:]:
            turns.append(begun[seen:])
            seen = len(begun)
    return turns


async def test_what_is_short_waits_for_nothing(begin):
    tasks = [asyncio.create_task(begin("ada", 0.0)) for _ in range(100)]
    assert [len(turn) for turn in await turns_of(begin.begun, tasks)] == [100]


async def test_between_those_that_take_long_others_have_their_turn(begin):
    tasks = [asyncio.create_task(begin("ada", 0.02)) for _ in range(5)]
    assert [len(turn) for turn in await turns_of(begin.begun, tasks)] == [1] * 5


async def test_more_begin_at_once_as_long_as_they_are_short(begin):
    tasks = [asyncio.create_task(begin("ada", 0.02)), *(asyncio.create_task(begin("ada", 0.0)) for _ in range(300))]
    sizes = [len(turn) for turn in await turns_of(begin.begun, tasks)]
    assert sizes[0] == 1
    assert sizes == sorted(sizes[:-1]) + sizes[-1:]
    assert len(sizes) < 20


async def test_lines_take_turns(begin):
    tasks = [asyncio.create_task(begin("ada", 0.02)) for _ in range(4)]
    tasks.append(asyncio.create_task(begin("bob", 0.02)))
    await turns_of(begin.begun, tasks)
    assert begin.begun.index("bob") <= 2


async def test_who_no_longer_waits_takes_nobodys_turn(begin):
    tasks = [asyncio.create_task(begin("ada", 0.02)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await turns_of(begin.begun, tasks)
    assert begin.begun == ["ada", "ada"]
    assert tasks[2].exception() is None
