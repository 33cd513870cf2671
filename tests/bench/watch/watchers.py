"""A process of many WebSocket clients that publishes events and counts who heard of them.

Standard input brings JSON lines: a `Task` first, then one line for each load, or one
that asks what was heard meanwhile; each is answered by a line. Frames are
made and read by hand and compared as bytes, so that the clients cost less than the server that they measure.
"""

import json
import os
import random
import select
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.bench.watch.asking import Asker, at, fail, say

CONNECTED_AT_ONCE = 100
PATIENCE_SECONDS = 60
# Servers close a connection that was quiet for some seconds.
QUIET_SECONDS = 2
TEXT, PING, PONG = 0x81, 0x89, 0x8A
# Messages are compared from there: the id of the operation, each has its own, comes before.
COMPARED_FROM = 80
NUMBER = "{number}"  # in the body of a publishing request, replaced by a number of its own

HANDSHAKE = """GET /graphql HTTP/1.1
Host: 127.0.0.1:{port}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Protocol: graphql-transport-ws

""".replace("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Task:
    """So many sockets of the server at `port`, the documents dealt out in turn; published to `publish_port`."""

    port: int
    sockets: int
    documents: list[str]
    publish_port: int
    path: str
    body: str


class Watchers:
    """The sockets, each with one subscription, and the connection that publishes."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.documents: dict[int, int] = {}  # by the number of the socket's file
        self.polled = select.epoll()
        self.received = 0  # bytes of all messages that were published here
        self.heard = 0  # messages of events that were published elsewhere
        self._sockets: list[socket.socket] = []
        self._unread: dict[int, bytes] = {}
        # Of the event that is on its way: the first message that came, by its document.
        self._expected: dict[int, bytes] = {}
        self._number = 0
        self._asker: Asker | None = None
        self._asked = 0.0
        self._address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"

    def connect(self) -> None:
        """Opens every socket and reads the first batch of its subscription."""
        while len(self._sockets) < self.task.sockets:
            count = min(CONNECTED_AT_ONCE, self.task.sockets - len(self._sockets))
            opened = [self._opened() for _ in range(count)]
            for each in opened:
                head = each.recv(65_536)
                if not head.startswith(b"HTTP/1.1 101") or not head.endswith(b"\r\n\r\n"):
                    fail(f"no socket: {head!r}")
                each.sendall(text_frame({"type": "connection_init"}))
            for number, each in enumerate(opened, len(self._sockets)):
                read_message(each, "connection_ack")
                document = number % len(self.task.documents)
                query = {"query": self.task.documents[document]}
                each.sendall(text_frame({"id": str(uuid4()), "type": "subscribe", "payload": query}))
                self.documents[each.fileno()] = document
            for each in opened:
                read_message(each, "next")
                each.setblocking(False)
                self.polled.register(each, select.EPOLLIN)
            self._sockets += opened
            # The first ones may have to say that they are still there before the last ones come.
            for file, _ in self.polled.poll(0):
                self.idle(file)

    def publish(self, times: list[float]) -> float:
        """Publishes one event; appends when each socket had it, in seconds since, and returns when the last one had."""
        self._expected.clear()
        self._number += 1
        asker = self._fresh_asker()
        waiting, answered = len(self._sockets), False
        publisher, documents, expected = asker.socket.fileno(), self.documents, self._expected
        last = 0.0
        begun = time.perf_counter()
        asker.ask(self.task.path, self.task.body.replace(NUMBER, f"{os.getpid()}-{self._number}"))
        while waiting or not answered:
            events = self.polled.poll(PATIENCE_SECONDS)
            if not events:
                fail(f"{waiting} of {len(self._sockets)} sockets did not hear of an event")
            for file, _ in events:
                if file == publisher and answered:
                    self._forget_asker()
                elif file == publisher:
                    answered = asker.answered()
                elif file == sys.stdin.fileno():
                    fail("the load was broken off")
                else:
                    data = os.read(file, 65_536)
                    if data[COMPARED_FROM:] != expected.get(documents[file]) and not self._is_event(file, data):
                        continue
                    last = time.perf_counter() - begun
                    times.append(last)
                    self.received += len(data)
                    waiting -= 1
        return last

    def idle(self, file: int) -> None:
        """Reads what a server says without having been asked: events that others publish, and pings."""
        if self._asker is not None and file == self._asker.socket.fileno():
            self._forget_asker()
            return
        self.heard += len(self.frames(file, os.read(file, 65_536)))

    def frames(self, file: int, data: bytes) -> list[bytes]:
        """The messages that are whole with these bytes; answers pings."""
        if not data:
            fail("the server closed a socket")
        data = self._unread.pop(file, b"") + data
        messages = []
        while (length := frame_length(data)) and len(data) >= length:
            one, data = data[:length], data[length:]
            if one[0] == TEXT:
                messages.append(one)
            elif one[0] == PING:
                os.write(file, frame(PONG, payload_of(one)))
            else:
                fail(f"a frame that nobody expected: {one[:200]!r}")
        if data:
            self._unread[file] = data
        return messages

    def _fresh_asker(self) -> Asker:
        """A connection that the server has not closed yet."""
        now = time.perf_counter()
        if self._asker is None or now - self._asked > QUIET_SECONDS:
            self._forget_asker()
            self._asker = Asker(self.task.publish_port)
            self.polled.register(self._asker.socket, select.EPOLLIN)
        self._asked = now
        return self._asker

    def _forget_asker(self) -> None:
        if self._asker is not None:
            self.polled.unregister(self._asker.socket)
            self._asker.socket.close()
            self._asker = None

    def _opened(self) -> socket.socket:
        # An address of its own: one has ports for 28,000 connections, and those of the run before are not free yet.
        opened = socket.create_connection(
            ("127.0.0.1", self.task.port), PATIENCE_SECONDS, source_address=(self._address, 0)
        )
        opened.sendall(HANDSHAKE.format(port=self.task.port).encode())
        return opened

    def _is_event(self, file: int, data: bytes) -> bool:
        """Whether these bytes make the message whole that all sockets with this document get."""
        messages = self.frames(file, data)
        if not messages:
            return False
        (message,) = (each[COMPARED_FROM:] for each in messages)
        expected = self._expected.setdefault(self.documents[file], message)
        if message != expected:
            fail(f"two sockets got different messages: ...{message!r} and ...{expected!r}")
        return True


def frame(kind: int, payload: bytes) -> bytes:
    """A frame from a client; the mask is all zeros, so the payload is what it is."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return bytes([kind]) + size + b"\0\0\0\0" + payload


def text_frame(message: dict[str, Any]) -> bytes:
    """A message to a server."""
    return frame(TEXT, json.dumps(message).encode())


def frame_length(data: bytes) -> int | None:
    """How many bytes the frame that begins here has; None when too little of it is there to tell."""
    if len(data) < 2:
        return None
    size = data[1]
    if size < 126:
        return 2 + size
    extra = 2 if size == 126 else 8
    return 2 + extra + int.from_bytes(data[2 : 2 + extra], "big") if len(data) >= 2 + extra else None


def payload_of(whole: bytes) -> bytes:
    """What a server's frame carries."""
    return whole[{126: 4, 127: 10}.get(whole[1], 2) :]


def read_message(one: socket.socket, kind: str) -> None:
    """Waits for one message, of this type."""
    data = one.recv(65_536)
    while data and not ((length := frame_length(data)) and len(data) >= length):
        data += one.recv(65_536)
    if not data or json.loads(payload_of(data)).get("type") != kind:
        fail(f"no {kind}: {data[:1000]!r}")


def load(watchers: Watchers, seconds: float, least: int, pause: float) -> dict[str, Any]:
    """Publishes one event after the other for so long, at least so many; `pause` seconds, more or less, in between."""
    times: list[float] = []
    lasts: list[float] = []
    watchers.received = 0
    begun, busy = time.perf_counter(), time.process_time()
    while len(lasts) < least or time.perf_counter() - begun < seconds:
        lasts.append(watchers.publish(times))
        if pause:
            time.sleep(pause * random.uniform(0.5, 1.5))
    elapsed, busy = time.perf_counter() - begun, time.process_time() - busy
    times.sort()
    lasts.sort()
    return {
        "messages": len(times),
        "messages_per_second": len(times) / elapsed,
        "p50": at(0.5, times),
        "p99": at(0.99, times),
        "last_p50": at(0.5, lasts),
        "last_p99": at(0.99, lasts),
        "bytes": watchers.received / len(times),
        "clients_busy": busy / elapsed,
    }


def main() -> None:
    """Connects as the first line says, then does each load that is asked for."""
    watchers = Watchers(Task(**json.loads(sys.stdin.readline())))
    begun = time.perf_counter()
    watchers.connect()
    say({"connected": time.perf_counter() - begun})
    asked = sys.stdin.fileno()
    watchers.polled.register(asked, select.EPOLLIN)
    while True:
        ready = [file for file, _ in watchers.polled.poll()]
        for file in ready:
            if file != asked:
                watchers.idle(file)
        if asked in ready:
            line = os.read(asked, 65_536)
            if not line:
                return
            watchers.heard, heard = 0, watchers.heard
            task = json.loads(line)
            say(load(watchers, **task) if task else {"heard": heard})


if __name__ == "__main__":
    main()
