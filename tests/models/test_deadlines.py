"""What does not end in time is told of, once."""

import asyncio

import pytest

from models.deadlines import Deadlines


@pytest.fixture
def late():
    return []


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_has_not_ended_is_late_in_its_order_and_once(late):
    deadlines = Deadlines(0.05, late.append)
    for name in ("a", "b", "c"):
        deadlines.begin(name)
    deadlines.end("b")
    await until(lambda: len(late) == 2)
    await asyncio.sleep(0.1)
    assert late == ["a", "c"]
    # It may end, and begin again.
    deadlines.end("a")
    deadlines.begin("a")
    await until(lambda: late == ["a", "c", "a"])


async def test_each_has_the_whole_time(late):
    loop, deadlines = asyncio.get_running_loop(), Deadlines(0.1, lambda name: late.append((name, loop.time())))
    begun = {}
    for name in range(4):
        begun[name] = loop.time()
        deadlines.begin(name)
        await asyncio.sleep(0.03)
    await until(lambda: len(late) == 4)
    assert [name for name, _ in late] == [0, 1, 2, 3]
    # The clock of the loop counts milliseconds.
    assert all(at - begun[name] >= 0.098 for name, at in late)


async def test_one_that_ended_in_time_and_began_again_has_all_of_the_time_again(late):
    loop, deadlines = asyncio.get_running_loop(), Deadlines(0.1, lambda name: late.append(loop.time()))
    deadlines.begin("a")
    await asyncio.sleep(0.06)
    deadlines.end("a")
    deadlines.begin("a")
    again = loop.time()
    await until(lambda: late)
    assert late[0] - again >= 0.098
