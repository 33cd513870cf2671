"""What clients leave unread is bounded as a whole, whatever it is and however it is sent."""

import asyncio
from contextlib import suppress

import pytest
from uvicorn.protocols.utils import ClientDisconnected

from tests.web.listening import MEGABYTES, PONG, Listening, frames
from web.arriving import MAX_PIPELINED
from web.unread import SMALL_BYTES, Unread

CLOSE = 0x88
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Reader:
    """One that knows whether it was cut."""

    def __init__(self, unread):
        self.unread = unread
        self.is_cut = False

    def cut(self):
        self.is_cut = True


def test_who_has_just_read_is_not_cut_before_who_has_not():
    unread = Unread(100)
    slow, _silent, late = readers = [Reader(unread) for _ in range(3)]
    for reader in readers:
        unread.add(reader, 30)
    unread.has_read(slow)
    unread.add(late, 15)
    assert [reader.is_cut for reader in readers] == [False, True, False]
    assert unread.held == 75
    unread.add(slow, -30)
    unread.forget(late)
    assert unread.held == 0


def test_who_asks_for_more_than_half_is_cut_before_others():
    unread = Unread(100)
    modest, greedy = Reader(unread), Reader(unread)
    unread.add(modest, 30)
    for _ in range(3):
        unread.add(greedy, 30)
    assert (modest.is_cut, greedy.is_cut, unread.held) == (False, True, 30)
    # It gives back what it no longer has.
    unread.add(greedy, -90)
    assert unread.held == 30


async def test_who_is_gone_as_room_comes_does_not_go_on():
    unread = Unread(100)
    other = Reader(unread)
    unread.add(other, 80)
    waiting = asyncio.create_task(unread.room(20))
    await asyncio.sleep(0)
    unread.forget(other)
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert waiting.cancelled()


async def test_there_is_room_again_when_others_have_read():
    unread = Unread(100)
    one, other = Reader(unread), Reader(unread)
    await unread.room(60)
    unread.add(one, 60)
    unread.add(other, 20)
    waiting = asyncio.create_task(unread.room(20))
    unread.add(other, -20)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    unread.forget(one)
    await asyncio.wait_for(waiting, 1)


async def test_only_what_is_large_waits_until_others_have_read():
    listening = Listening(unread=1_000_000)
    wire, slow = listening.connection(), Reader(listening.wires.unread)
    assert wire.has_turn(200_000)
    listening.wires.unread.add(slow, 600_000)
    assert [wire.has_turn(size) for size in (1_000, SMALL_BYTES, SMALL_BYTES + 1)] == [True, True, False]
    listening.wires.unread.forget(slow)
    assert wire.has_turn(200_000)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("over_http", "messages"), [(True, 1), (False, 1), (False, 10)])
async def test_of_those_who_leave_too_much_unread_the_slowest_is_cut(over_http, messages, tls):
    """Two have room; of three, the one who was first leaves."""
    listening = Listening(messages=messages, tls=tls, unread=70_000_000)
    async with asyncio.timeout(30):
        first, _ = await listening.connect(over_http=over_http)
        await asyncio.sleep(0.2)
        assert 20_000_000 < listening.wires.unread.held <= 35_000_000
        others = [await listening.connect(over_http=over_http) for _ in range(2)]
        while not listening.wires.stalled + listening.wires.stalled_answers:
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.IncompleteReadError):
            await first.readexactly(MEGABYTES * 1_000_000)
        for other, writer in others:
            if over_http:
                await other.readexactly(MEGABYTES * 1_000_000)
            else:
                assert [first async for first, _ in frames(other, MEGABYTES * 1_000_000)]
            writer.close()
    assert listening.wires.stalled + listening.wires.stalled_answers == 1
    await listening.is_let_go()
    listening.server.close()


async def test_one_who_leaves_more_unread_than_there_is_room_for_is_cut():
    listening = Listening(messages=10, unread=20_000_000)
    async with asyncio.timeout(30):
        reader, _ = await listening.connect()
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(MEGABYTES * 1_000_000)
    assert listening.wires.stalled == 1
    listening.server.close()


async def test_answers_that_are_sent_but_not_read_are_counted():
    listening = Listening(unread=100_000_000)
    async with asyncio.timeout(30):
        _, writer = await listening.connect(over_http=True)
        await asyncio.sleep(0.2)
        before = listening.wires.unread.held
        assert before >= MEGABYTES * 500_000
        writer.transport.abort()
        await listening.is_let_go()
    listening.server.close()


async def test_requests_that_wait_behind_one_are_so_many():
    listening = Listening()
    async with asyncio.timeout(30):
        patient, writer = await listening.open(over_http=True)
        writer.write(GET * MAX_PIPELINED)
        greedy, other = await listening.open(over_http=True)
        other.write(GET * 1_000)
        # The one that is answered when they come, so many that wait behind it, and that the others were too many.
        came = await greedy.read(-1)
        assert came.count(b"HTTP/1.1 200 ") == MAX_PIPELINED + 1
        assert came.split(b"HTTP/1.1 ")[-1].startswith(b"503 ")
        await patient.readexactly(MEGABYTES * 1_000_000 * 2)
        writer.transport.abort()
        await listening.is_let_go()
    listening.server.close()


async def test_an_answer_that_is_not_read_is_sent_before_a_socket_is_refused():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect(over_http=True)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        came = await reader.read(-1)
        assert len(came) > MEGABYTES * 1_000_000
        assert came.split(b"HTTP/1.1 ")[-1].startswith(b"400 ")
        await listening.is_let_go()
    listening.server.close()


async def test_pings_between_the_pieces_of_a_large_message_are_answered_once_it_goes_on():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        await asyncio.sleep(0.2)
        held = listening.wires.unread.held
        for number in range(1_000):
            writer.write(b"\x89\x84\0\0\0\0%04d" % number)
            if number % 100 == 0:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        assert listening.wires.unread.held == held
        came = [each async for each in frames(reader, MEGABYTES * 1_000_000)]
        pongs = [data for first, data in came if first == PONG]
        kinds = [first for first, _ in came if first != PONG]
        assert pongs[-1] == b"0999"
        assert len(pongs) < 500
        # One message: its beginning, its middle, its end.
        assert (kinds[0], {*kinds[1:-1]}, kinds[-1]) == (0x01, {0x00}, 0x80)
    writer.close()
    listening.server.close()


async def test_large_messages_of_one_socket_come_one_after_the_other():
    listening = Listening(messages=10)
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        await asyncio.sleep(0.2)
        kinds = [first async for first, _ in frames(reader, MEGABYTES * 1_000_000)]
        begun = False
        for kind in kinds:
            assert begun == (kind & 0x0F == 0)
            begun = not kind & 0x80
        assert kinds.count(0x01) == 10
    writer.close()
    listening.server.close()


async def test_who_waited_in_vain_for_room_is_not_cut_by_those_who_waited_beside_him(monkeypatch):
    monkeypatch.setattr("web.unread.SILENT_SECONDS", 0.05)
    unread = Unread(100)
    silent = Reader(unread)
    unread.add(silent, 60)
    readers = [Reader(unread) for _ in range(10)]

    async def send(reader):
        await unread.room(30)
        unread.add(reader, 30)
        # He reads it, in his own time.
        await asyncio.sleep(0.01)
        unread.forget(reader)

    async with asyncio.timeout(30):
        await asyncio.gather(*map(send, readers))
    assert not any(reader.is_cut for reader in readers)
    assert (silent.is_cut, unread.held) == (False, 60)


async def test_who_reads_slowly_is_not_cut_by_those_who_wait_for_room(monkeypatch):
    monkeypatch.setattr("web.unread.SILENT_SECONDS", 0.5)
    unread = Unread(100)
    readers = [Reader(unread) for _ in range(3)]

    async def send(reader):
        await unread.room(60)
        unread.add(reader, 60)
        for _ in range(12):
            await asyncio.sleep(0.05)
            unread.has_read(reader)
        unread.forget(reader)

    async with asyncio.timeout(30):
        await asyncio.gather(*map(send, readers))
    assert not any(reader.is_cut for reader in readers)


async def test_where_nobody_is_cut_for_it_those_who_wait_do_not_wait_for_each_other(monkeypatch):
    monkeypatch.setattr("web.unread.SILENT_SECONDS", 0)
    monkeypatch.setattr("web.unread.READING_SECONDS", 1_000)
    unread = Unread(100)
    unread.add(Reader(unread), 60)

    async def send(reader):
        await unread.room(30)
        unread.add(reader, 30)
        unread.forget(reader)

    async with asyncio.timeout(10):
        await asyncio.gather(*(send(Reader(unread)) for _ in range(100)))


async def test_nobody_waits_for_ever_for_those_who_read_slowly(monkeypatch):
    monkeypatch.setattr("web.unread.ROOM_SECONDS", 0.1)
    unread = Unread(100)
    slow = Reader(unread)
    unread.add(slow, 60)
    await asyncio.wait_for(unread.room(30), 2)


async def test_a_large_message_counts_before_the_next_one_looks_for_room():
    listening = Listening()
    async with asyncio.timeout(30):
        _, writer = await listening.connect()
        (wire,) = listening.made
        before = listening.wires.unread.held
        sending = wire.send({"type": "websocket.send", "text": "x" * 300_000})
        sending.send(None)
        assert listening.wires.unread.held >= before + 300_000
        sending.close()
        writer.transport.abort()
        await listening.is_let_go()
    listening.server.close()


async def test_a_close_stands_between_the_pieces_of_a_large_message():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        await asyncio.sleep(0.2)
        (wire,) = listening.made
        closing = asyncio.create_task(wire.send({"type": "websocket.close", "code": 4409, "reason": "here"}))
        came = []
        with suppress(asyncio.IncompleteReadError):
            async for frame in frames(reader, MEGABYTES * 1_000_000):
                came.append(frame)
        await closing
        assert came[-1] == (CLOSE, (4409).to_bytes(2, "big") + b"here")
        assert {first for first, _ in came[1:-1]} == {0x00}
        writer.close()
        await listening.is_let_go()
    listening.server.close()


async def test_after_a_close_there_is_nobody_to_send_to():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        (wire,) = listening.made
        async for _ in frames(reader, MEGABYTES * 1_000_000):
            pass
        # A frame that is too long, of which the application has not heard yet.
        wire.data_received(b"\x81\xff" + (200_000_000).to_bytes(8, "big") + b"\0\0\0\0")
        assert wire.close_sent
        messages = [{"type": "websocket.send", "text": text} for text in ("x", "x" * 300_000)]
        for message in [*messages, {"type": "websocket.close", "code": 4409}]:
            with pytest.raises(ClientDisconnected):
                await wire.send(message)
        writer.transport.abort()
        await listening.is_let_go()
    listening.server.close()
