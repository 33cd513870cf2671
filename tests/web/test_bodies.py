"""What strangers send at once is bounded: who sends slowly gives way, and keeps nobody out."""

import asyncio

import pytest
from pydantic import SecretStr

from tests.web.client import living
from web.app import create_app
from web.settings import Settings
from web.strangers import GaveWay, Strangers

FIRST = "a-first-token-that-is-hard-to-guess-0123456789"


class Sender:
    """Sends pieces of a body when it is told to."""

    def __init__(self):
        self.messages = asyncio.Queue()

    def send(self, size, *, more=True):
        self.messages.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": more})

    def go(self):
        self.messages.put_nowait({"type": "http.disconnect"})


async def turn():
    for _ in range(5):
        await asyncio.sleep(0)


async def whole(receiving):
    return (await (await receiving)())["body"]


async def test_a_body_comes_in_one_piece_and_then_what_follows():
    sender = Sender()
    sender.send(3)
    sender.send(4, more=False)
    sender.go()
    receive = await Strangers(100).whole(sender.messages.get)
    assert await receive() == {"type": "http.request", "body": b"x" * 7, "more_body": False}
    assert await receive() == {"type": "http.disconnect"}


async def test_the_one_that_takes_longest_gives_way_and_its_pieces_are_let_go():
    strangers, slow, slower, quick = Strangers(100), Sender(), Sender(), Sender()
    tasks = []
    for sender in (slower, slow):
        tasks.append(asyncio.create_task(whole(strangers.whole(sender.messages.get))))
        sender.send(40)
        await turn()
    quick.send(50, more=False)
    assert await whole(strangers.whole(quick.messages.get)) == b"x" * 50
    assert strangers._held == 40
    for sender in (slow, slower):
        sender.send(1, more=False)
    with pytest.raises(GaveWay):
        await tasks[0]
    assert await tasks[1] == b"x" * 41
    assert strangers._held == 0


async def test_the_one_that_sends_too_much_may_be_the_one_that_gives_way():
    strangers, first, other = Strangers(100), Sender(), Sender()
    reading = asyncio.create_task(whole(strangers.whole(first.messages.get)))
    first.send(40)
    await turn()
    waiting = asyncio.create_task(strangers.whole(other.messages.get))
    other.send(50)
    await turn()
    first.send(20, more=False)
    with pytest.raises(GaveWay):
        await reading
    other.send(50, more=False)
    assert (await (await waiting)())["body"] == b"x" * 100
    assert strangers._held == 0


async def test_who_goes_away_holds_nothing():
    strangers, sender = Strangers(100), Sender()
    sender.send(40)
    sender.go()
    receive = await strangers.whole(sender.messages.get)
    assert await receive() == {"type": "http.disconnect"}
    assert strangers._held == 0


async def test_one_alone_may_be_larger():
    strangers, sender = Strangers(10), Sender()
    sender.send(20)
    sender.send(20, more=False)
    assert await whole(strangers.whole(sender.messages.get)) == b"x" * 40


@pytest.mark.parametrize("path", ["/api/v1/webhooks/nosuch", "/sign-in"])
async def test_whoever_shows_no_token_is_a_stranger_and_who_gave_way_is_told_so(path, database_url, monkeypatch):
    monkeypatch.setattr("web.strangers.Strangers.whole", gives_way)
    settings = Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST))
    async with living(create_app(settings)) as client:
        answer = await client.post(path, {})
        assert (answer.status, answer.headers.get("retry-after")) == (503, "2")
        with_token = await client.post(path, {}, headers={"authorization": f"Bearer {FIRST}"})
        assert path == "/sign-in" or with_token.status != 503


async def gives_way(self, receive):
    raise GaveWay
