"""A process of many open dashboards.

Each has one socket, with the two operations of the overview. Standard input has the task as a line of JSON and then a
line whenever somebody asks what came meanwhile; each is answered by a line.
"""

import json
import os
import select
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

from tests.bench.watch.asking import fail, say
from tests.bench.watch.watchers import (
    HANDSHAKE,
    PATIENCE_SECONDS,
    PING,
    PONG,
    frame,
    frame_length,
    payload_of,
    read_message,
    text_frame,
)


@dataclass(frozen=True, slots=True)
class Task:
    """So many dashboards; `operations` are the payloads of `subscribe`."""

    port: int
    dashboards: int
    operations: list[dict[str, Any]]


class Dashboards:
    """The sockets, and what came on them."""

    def __init__(self, task: Task) -> None:
        self.polled = select.epoll()
        self.messages = 0
        # Of one dashboard: all get the same.
        self.events = 0
        self._unread: dict[int, bytes] = {}
        self.sockets = [self._opened(task) for _ in range(task.dashboards)]

    def read(self, file: int) -> None:
        """What came on a socket; pings are answered."""
        data = os.read(file, 1_048_576)
        if not data:
            fail("the server closed a socket")
        data = self._unread.pop(file, b"") + data
        while (length := frame_length(data)) and len(data) >= length:
            one, data = data[:length], data[length:]
            if one[0] == PING:
                os.write(file, frame(PONG, payload_of(one)))
                continue
            self.messages += 1
            if file == self.sockets[0].fileno():
                self._count(json.loads(payload_of(one)))
        if data:
            self._unread[file] = data

    def _count(self, message: dict[str, Any]) -> None:
        data = message.get("payload", {}).get("data") if message["type"] == "next" else None
        if not data:
            fail(f"no data: {message!r}"[:1000])
        self.events += len(data.get("issueEvents", {}).get("events", ()))

    def _opened(self, task: Task) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", task.port), PATIENCE_SECONDS)
        opened.sendall(HANDSHAKE.format(port=task.port).encode())
        head = opened.recv(65_536)
        if not head.startswith(b"HTTP/1.1 101") or not head.endswith(b"\r\n\r\n"):
            fail(f"no socket: {head!r}")
        opened.sendall(text_frame({"type": "connection_init"}))
        read_message(opened, "connection_ack")
        for number, payload in enumerate(task.operations):
            opened.sendall(text_frame({"id": str(number), "type": "subscribe", "payload": payload}))
        opened.setblocking(False)
        self.polled.register(opened, select.EPOLLIN)
        return opened


def main() -> None:
    """Opens them all, says so, and counts."""
    dashboards = Dashboards(Task(**json.loads(sys.stdin.readline())))
    say({"opened": len(dashboards.sockets)})
    asked, begun = sys.stdin.fileno(), time.perf_counter()
    dashboards.polled.register(asked, select.EPOLLIN)
    while True:
        for file, _ in dashboards.polled.poll():
            if file != asked:
                dashboards.read(file)
            elif os.read(asked, 65_536):
                now = time.perf_counter()
                found = {"messages": dashboards.messages, "events": dashboards.events, "seconds": now - begun}
                dashboards.messages = dashboards.events = 0
                begun = now
                say(found)
            else:
                return


if __name__ == "__main__":
    main()
