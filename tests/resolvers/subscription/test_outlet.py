"""One subscriber's end: direct while the reader waits, buffered up to a limit, never out of order."""

import asyncio

import pytest

from resolvers.subscription.outlet import Frame, Frames, Outlet


def frame(end):
    return Frame(b"frame %d" % end, end - 1, end, 1)


async def test_a_waiting_reader_is_served_directly():
    outlet, sent = Outlet(0, limit=2), []

    def sink(frame):
        sent.append(frame.end)
        return True

    outlet.sink = sink
    reader = asyncio.create_task(outlet.get())
    await asyncio.sleep(0)
    assert outlet.put(frame(1))
    assert outlet.put(frame(2))
    assert (sent, outlet.position) == ([1, 2], 2)
    reader.cancel()


async def test_what_the_sink_does_not_take_is_buffered_and_nothing_overtakes_it():
    outlet, sent = Outlet(0, limit=3), []

    def sink(frame):
        if frame.end != 1:
            sent.append(frame.end)
        return frame.end != 1

    outlet.sink = sink
    reader = asyncio.create_task(outlet.get())
    await asyncio.sleep(0)
    assert outlet.put(frame(1))
    assert outlet.put(frame(2))
    assert (await reader).end == 1
    assert outlet.put(frame(3))
    assert [(await outlet.get()).end for _ in range(2)] == [2, 3]
    assert sent == []


async def test_a_full_buffer_refuses():
    outlet = Outlet(0, limit=2)
    assert [outlet.put(frame(end)) for end in (1, 2, 3)] == [True, True, False]
    outlet.clear()
    assert outlet.put(frame(4))
    assert (await outlet.get()).end == outlet.position == 4


async def test_a_wake_without_a_frame_is_none():
    outlet = Outlet(0, limit=1)
    reader = asyncio.create_task(outlet.get())
    await asyncio.sleep(0)
    outlet.wake()
    assert await reader is None


async def test_an_error_comes_after_what_was_handed_over():
    outlet = Outlet(0, limit=1)
    outlet.put(frame(1))
    outlet.fail(RuntimeError("over"))
    assert (await outlet.get()).end == 1
    with pytest.raises(RuntimeError, match="over"):
        await outlet.get()


async def test_when_all_hold_too_much_only_who_waits_gets_a_frame():
    frames = Frames(most=10)
    slow, waiting = Outlet(0, limit=5, frames=frames), Outlet(0, limit=5, frames=frames)
    reader = asyncio.create_task(waiting.get())
    await asyncio.sleep(0)
    small, large = (frames.make(b"x" * size, end - 1, end, 1) for end, size in ((1, 10), (2, 1)))
    assert frames.held == 11
    assert not slow.put(small)
    assert waiting.put(small)
    assert (await reader).end == 1
    del reader, small
    await asyncio.sleep(0)
    assert frames.held == 1
    assert slow.put(large)
    del large
    assert frames.held == 1
    slow.clear()
    assert frames.held == 0
