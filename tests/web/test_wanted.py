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


async def wanted_by(client, work, wanted=None):
    with (wanted or Wanted()).by(client.receive):
        return await work


async def test_what_nobody_waits_for_is_cancelled():
    client, ended = Client(), asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(wanted_by(client, work()))
    await asyncio.sleep(0)
    client.gone.set()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(asking, 10)
    assert ended.is_set()


async def test_what_is_quick_is_not_watched():
    client = Client()

    async def work():
        return 3

    assert await wanted_by(client, work()) == 3
    assert not client.watched


async def test_what_is_wanted_for_long_is_answered():
    client = Client()

    async def work():
        while not client.watched:
            await asyncio.sleep(0.01)
        return 3

    assert await asyncio.wait_for(wanted_by(client, work()), 10) == 3


async def test_a_server_that_stops_is_not_a_client_that_went():
    asking = asyncio.create_task(wanted_by(Client(), asyncio.Event().wait()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_each_of_several_is_watched_however_late_it_began():
    wanted, clients, ended = Wanted(), [Client() for _ in range(3)], []

    async def work(number):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def until_watched(client):
        while not client.watched:
            await asyncio.sleep(0.01)

    asking = []
    for number, client in enumerate(clients):
        asking.append(asyncio.create_task(wanted_by(client, work(number), wanted)))
        # The next one begins when this one is watched already.
        await asyncio.wait_for(until_watched(client), 10)
    clients[1].gone.set()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(asking[1], 10)
    assert ended == [1]
    for client in clients:
        client.gone.set()
    await asyncio.gather(*asking, return_exceptions=True)
    # With nobody to watch the timer ends, and begins again for the next.
    while wanted._unwatched._timer is not None:
        await asyncio.sleep(0.01)
    late = Client()
    asking = [asyncio.create_task(wanted_by(late, work(3), wanted))]
    await asyncio.wait_for(until_watched(late), 10)
    late.gone.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert ended == [1, 0, 2, 3]
