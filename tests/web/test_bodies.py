"""What is on its way at once is bounded: who sends slowly gives way, and keeps nobody out."""

import asyncio
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from tests.web.client import living
from web.app import create_app
from web.bodies import PATIENCE_SECONDS, Bodies, Body, GaveWay
from web.settings import Settings
from webhooks.http import body_of

FIRST = "a-first-token-that-is-hard-to-guess-0123456789"
REFUSED = "Too much is on its way at once: try again"


class Sender:
    """Sends pieces of a body when it is told to."""

    def __init__(self, bodies, line):
        self.messages = asyncio.Queue()
        self.body = Body(bodies, line, self.messages.get)
        self.reading = asyncio.create_task(body_of(self.body.receive))

    async def send(self, size, *, more=True):
        self.messages.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": more})
        await turn()

    async def go(self):
        self.messages.put_nowait({"type": "http.disconnect"})
        await turn()

    @property
    def gave_way(self):
        return self.reading.done() and isinstance(self.reading.exception(), GaveWay)


async def turn():
    for _ in range(8):
        await asyncio.sleep(0)


@pytest.fixture
def now():
    return SimpleNamespace(seconds=0.0)


@pytest.fixture
def bodies(now):
    """100 bytes may be on their way together."""
    return Bodies(100, clock=lambda: now.seconds)


async def test_a_body_comes_in_pieces_and_then_what_follows(bodies):
    sender = Sender(bodies, "ada")
    await sender.send(3)
    assert bodies.held == 3
    await sender.send(4, more=False)
    await sender.go()
    assert await sender.reading == b"x" * 7
    assert bodies.held == 0
    assert await sender.body.receive() == {"type": "http.disconnect"}


async def test_the_slow_one_gives_way_at_once_and_is_told_though_nothing_more_comes(bodies, now):
    slow, slower, quick = (Sender(bodies, "ada") for _ in range(3))
    await slower.send(20)
    await slow.send(20)
    now.seconds += PATIENCE_SECONDS + 1
    await quick.send(20)
    assert (slower.gave_way, slow.gave_way, bodies.held) == (True, False, 40)
    for sender in (slow, quick):
        await sender.send(1, more=False)
        assert await sender.reading == b"x" * 21
    assert bodies.held == 0


async def test_where_all_are_quick_the_one_that_came_last_gives_way(bodies):
    """Those before it will be whole sooner: else nobody would ever be whole where more comes than fits."""
    first, second, last = (Sender(bodies, "ada") for _ in range(3))
    await first.send(20)
    await second.send(25)
    await last.send(10)
    assert (first.gave_way, second.gave_way, last.gave_way) == (False, False, True)
    await first.send(20)
    assert (first.gave_way, second.gave_way, bodies.held) == (False, True, 40)


async def test_what_is_whole_at_once_comes_in_whatever_else_is_on_its_way(bodies):
    slow = Sender(bodies, "ada")
    await slow.send(50)
    storm = [Sender(bodies, "ada") for _ in range(20)]
    for sender in storm:
        await sender.send(90, more=False)
    assert [len(await sender.reading) for sender in storm] == [90] * 20
    assert not slow.gave_way


async def test_one_line_fills_half_and_makes_room_among_its_own(bodies):
    ada = [Sender(bodies, "ada") for _ in range(3)]
    for sender in ada:
        await sender.send(25)
    bob = Sender(bodies, "bob")
    await bob.send(45)
    assert [sender.gave_way for sender in (*ada, bob)] == [False, False, True, False]


async def test_beyond_the_whole_the_line_that_holds_most_makes_room(bodies):
    ada = [Sender(bodies, "ada") for _ in range(2)]
    for sender in ada:
        await sender.send(25)
    others = [Sender(bodies, name) for name in ("bob", "eve")]
    for sender in others:
        await sender.send(30)
    assert [sender.gave_way for sender in (*ada, *others)] == [False, True, False, False]


async def test_one_alone_may_be_larger(bodies):
    sender = Sender(bodies, "ada")
    await sender.send(80)
    await sender.send(80)
    await sender.send(1, more=False)
    assert len(await sender.reading) == 161


async def test_who_goes_away_or_is_answered_before_all_came_holds_nothing(bodies):
    gone, answered = Sender(bodies, "ada"), Sender(bodies, "ada")
    await gone.send(10)
    await answered.send(10)
    await gone.go()
    assert isinstance(gone.reading.exception(), ConnectionResetError)
    answered.reading.cancel()
    answered.body.end()
    assert bodies.held == 0


async def test_who_gave_way_while_it_did_something_else_is_told_when_it_goes_on(bodies, now):
    body = Body(bodies, "ada", asyncio.Queue().get)
    bodies.hold(body, 30)
    now.seconds += PATIENCE_SECONDS + 1
    quick = Sender(bodies, "ada")
    await quick.send(30)
    with pytest.raises(GaveWay):
        await body.receive()


@pytest.mark.parametrize("dev", [False, True])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/graphql", {"errors": [{"message": REFUSED, "extensions": {"code": "UNAVAILABLE"}}]}),
        ("/api/v1/issues", {"error": REFUSED}),
        ("/api/v1/webhooks/pipeline-failure", {"error": REFUSED}),
        ("/api/v1/webhooks/alertmanager", {"error": REFUSED}),
        ("/api/rest/plugins/webhook/connections", {"success": False, "message": REFUSED}),
    ],
)
async def test_who_gave_way_is_told_when_to_try_again_in_the_words_of_its_path(path, told, dev, database_url):
    settings = Settings(dev=dev, database_url=database_url, bootstrap_token=SecretStr(FIRST), max_bodies_bytes=100)
    headers = {"authorization": f"Bearer {FIRST}", "content-type": "application/json"}
    async with living(create_app(settings)) as client:
        arrived, rest = asyncio.Event(), asyncio.Event()

        async def slow():
            arrived.set()
            await rest.wait()

        body = b" " * 100
        sending = client.request("POST", path, body, headers=headers, chunk=60, before_last=slow)
        first = asyncio.create_task(sending)
        await arrived.wait()
        second = await client.request("POST", path, body, headers=headers, chunk=60)
        assert (second.status, second.headers["retry-after"], second.json) == (503, "2", told)
        # It has its answer still.
        rest.set()
        assert (await first).status != 503


async def test_strangers_have_their_own_room(database_url, monkeypatch):
    monkeypatch.setattr("web.auth.STRANGERS_BYTES", 100)
    settings = Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST))
    path = "/api/v1/webhooks/nosuch"
    async with living(create_app(settings)) as client:
        arrived = asyncio.Event()

        async def slow():
            arrived.set()
            await asyncio.Event().wait()

        first = asyncio.create_task(client.request("POST", path, b" " * 100, chunk=60, before_last=slow))
        await arrived.wait()
        second = await client.request("POST", path, b" " * 100, chunk=60)
        assert (second.status, second.headers["retry-after"]) == (503, "2")
        known = await client.request("POST", path, b" " * 100, chunk=60, headers={"authorization": f"Bearer {FIRST}"})
        assert known.status not in (401, 503)
        assert (await client.request("POST", path, b" " * 100)).status == 401
        first.cancel()


async def test_beyond_the_whole_who_sends_slowly_makes_room_however_little_it_holds(bodies, now):
    slow = [Sender(bodies, f"line {number}") for number in range(11)]
    for sender in slow:
        await sender.send(9)
    now.seconds += PATIENCE_SECONDS + 1
    honest = Sender(bodies, "honest")
    await honest.send(30)
    assert [sender.gave_way for sender in slow] == [True] * 4 + [False] * 7
    await honest.send(1, more=False)
    assert await honest.reading == b"x" * 31
    for sender in slow[4:]:
        await sender.send(1, more=False)
        assert await sender.reading == b"x" * 10
    assert bodies.held == 0
