"""Clients that behave badly while others go on: one stops reading, many are cut in the middle of a word."""

import asyncio
import json
import os
import random
import socket
import struct
from statistics import median

import psutil

from tests.faults.watch import Watcher

LONG_WORDS = 30_000
MORE_THAN_SOCKETS_HOLD = 300  # reports with so many characters


async def test_a_client_stops_reading(opened, soak, tell):
    async with opened() as scene:
        stalled = Watcher(scene.server.port, narrow=True)
        quick = Watcher(scene.server.port)
        await scene.watch(stalled, quick)
        load = await scene.begin(words=LONG_WORDS, reporters=4)
        for _ in soak.rounds(1, share=0.1):
            stalled.reading.clear()
            begun = len(stalled.seen)
            await load.acknowledges(MORE_THAN_SOCKETS_HOLD)
            assert len(stalled.seen) - begun < MORE_THAN_SOCKETS_HOLD * 0.7
            stalled.reading.set()
        counts = await scene.settle()
        assert median(lag for _, lag in scene.lags(quick, load)) < 1
        tell(counts)


HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def frame(message):
    """A text frame of a client, masked."""
    text, mask = json.dumps(message).encode(), os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(text)) + mask + masked


def report(marker):
    body = json.dumps(
        {"pipelineName": "cut", "namespace": "team-a", "failureReason": f"{marker} ", "runId": marker}
    ).encode()
    head = "POST /api/v1/webhooks/pipeline-failure?namespace=team-a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode(), body


SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { issueEvents { position } }"}}
WHOLE = HANDSHAKE.encode() + frame({"type": "connection_init"}) + frame(SUBSCRIBE)


def cut_after(port, data, *, hard):
    """Sends this and goes: `hard` as a machine that fell over does (RST), else as a process that ended (FIN)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        if hard:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(data)


async def test_clients_are_cut_in_the_middle_of_a_message(opened, soak, tell):
    async with opened() as scene:
        load = await scene.begin()
        connections = len(connections_of(scene.server))
        for number in soak.rounds(40, share=20):
            head, body = report(f"cut-{number}")
            whole = WHOLE if number % 2 else head + body
            # From within the first word to just before the last character.
            data = whole[: random.randrange(1, len(whole))]
            await asyncio.to_thread(cut_after, scene.server.port, data, hard=number % 4 > 1)
        # Whole, but nobody waits for the answer: it may count, once.
        for number in range(10):
            data = b"".join(report(f"gone-{number}"))
            await asyncio.to_thread(cut_after, scene.server.port, data, hard=number % 2)
        await load.acknowledges(100)
        counts = await scene.settle()
        async with asyncio.timeout(10):
            while len(connections_of(scene.server)) > connections:
                await asyncio.sleep(0.05)
        assert not [marker for marker in scene.markers() if marker.startswith("cut-")]
        tell(counts)


def connections_of(server):
    return psutil.Process(server.process.pid).net_connections("tcp")
