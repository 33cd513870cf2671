"""Places go to whoever waits longest, and none is lost."""

import asyncio

import pytest

from models.places import Places


async def waiting(*tasks):
    """Lets all of them come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)
    return [task.done() for task in tasks]


async def test_who_waits_longest_comes_first():
    places = Places(2, 10)
    await places.take()
    await places.take()
    tasks = [asyncio.create_task(places.take()) for _ in range(3)]
    assert await waiting(*tasks) == [False, False, False]
    places.give_back()
    # Nobody comes between.
    late = asyncio.create_task(places.take())
    assert await waiting(*tasks, late) == [True, False, False, False]
    for _ in range(3):
        places.give_back()
    assert await waiting(*tasks, late) == [True] * 4


async def test_who_waits_too_long_is_told_and_takes_no_place():
    places = Places(1, 0.01)
    await places.take()
    with pytest.raises(TimeoutError):
        await places.take()
    assert places.waiting == 0
    places.give_back()
    await asyncio.wait_for(places.take(), 1)


async def test_who_no_longer_waits_leaves_the_place_to_others():
    places = Places(1, 10)
    await places.take()
    first, second = (asyncio.create_task(places.take()) for _ in range(2))
    await waiting(first, second)
    first.cancel()
    places.give_back()
    assert await waiting(first, second) == [True, True]
    assert first.cancelled()


@pytest.mark.parametrize("expired", [False, True])
async def test_a_place_that_was_given_to_one_who_is_cancelled_is_not_lost(expired):
    places = Places(1, 0.01 if expired else 10)
    await places.take()
    task = asyncio.create_task(places.take())
    await waiting(task)
    if expired:
        # The clock runs out and the task is cancelled before it hears of it.
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        await asyncio.sleep(0.02)
        places.give_back()
    else:
        places.give_back()
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(places.take(), 1)
    assert places.taken == 1
    assert places.waiting == 0
