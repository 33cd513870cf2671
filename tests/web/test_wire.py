"""The end of a connection under load: who reads slowly is let go on, who is going does not hold up the others."""

import asyncio

import pytest

from tests.web.listening import MEGABYTES, Listening


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_client_that_reads_slowly_has_not_stalled(over_http):
    listening = Listening(stall_seconds=1.0)
    async with asyncio.timeout(30):
        reader, writer = await listening.connect(over_http=over_http)
        taken = 0
        while taken < MEGABYTES * 1_000_000:
            taken += len(await reader.readexactly(200_000))
            await asyncio.sleep(0.02)
    assert (listening.wires.stalled, listening.wires.stalled_answers) == (0, 0)
    writer.close()
    listening.server.close()


async def test_a_connection_that_is_going_lets_the_server_stop():
    listening = Listening()
    async with asyncio.timeout(30):
        reader, writer = await listening.connect()
        # It says goodbye and leaves everything unread.
        writer.write(b"\x88\x82\0\0\0\0" + (1000).to_bytes(2, "big"))
        (connection,) = listening.made
        while not connection.transport.is_closing():
            await asyncio.sleep(0.01)
        connection.shutdown()
        assert await reader.read() is not None
    writer.close()
    listening.server.close()
