"""A client that goes away takes with it what it asked, and only that."""

import asyncio

import pytest

from web.wanted import Wanted


class Client:
    def __init__(self):
        self.gone = asyncio.Event()
        self.watched = False

    async def receive(self):
        self.watched = True
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_what_nobody_waits_for_is_cancelled():
    client, ended = Client(), asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(Wanted().do(work(), client.receive))
    await asyncio.sleep(0)
    client.gone.set()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(asking, 10)
    assert ended.is_set()


async def test_what_is_quick_is_not_watched():
    client = Client()

    async def work():
        return 3

    assert await Wanted().do(work(), client.receive) == 3
    assert not client.watched


async def test_what_is_wanted_for_long_is_answered():
    client = Client()

    async def work():
        while not client.watched:
            await asyncio.sleep(0.01)
        return 3

    assert await asyncio.wait_for(Wanted().do(work(), client.receive), 10) == 3


async def test_a_server_that_stops_is_not_a_client_that_went():
    asking = asyncio.create_task(Wanted().do(asyncio.Event().wait(), Client().receive))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
