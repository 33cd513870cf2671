"""The load generator, a process of its own: raw sockets that stay open, requests filled into templates, one core.

Reads a task as JSON from standard input and writes what it found to standard output. A request costs it about half of
what the bare HTTP floor costs the server, so what is measured is the server; the report tells how much.
"""

import contextlib
import gc
import hmac
import json
import re
import select
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
READ_BYTES = 65_536
NAMESPACES = 20
NO_SIGNATURE = b"0" * 64
# An answer that takes longer is none.
PATIENCE_SECONDS = 60.0


class Failed(Exception):
    """An answer is missing or is not the right one."""


class Mix:
    """What is sent next. The pipelines from `oldest` up to `newest` are failing.

    `shares` are of further failures, new ones and successes. A success is of the pipeline that fails longest; while
    something else of that one waits for its answer, a new one fails instead, so that each success has what to resolve.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self._secret = (task["secret"] or "").encode()
        self._templates = {kind: text.encode() for kind, text in task["templates"].items()}
        self._random = Random(task["seed"])
        # In a fixed order, so that all contestants get the same.
        self._kinds = self._random.choices(("further", "new", "success"), task["shares"], k=10_000)
        self._stamp = task["seed"]
        self.oldest: int = task["oldest"]
        self.newest: int = task["newest"]
        self.sent = 0
        self._waiting: defaultdict[int, int] = defaultdict(int)

    def next(self) -> tuple[str, int, bytes]:
        """What it is, of which pipeline, and its bytes."""
        kind = self._kinds[self.sent % len(self._kinds)]
        self.sent += 1
        is_last = self.oldest >= self.newest - 1
        if kind == "new" or is_last or (kind == "success" and self._waiting[self.oldest]):
            kind, number = "failure", self.newest
            self.newest += 1
        elif kind == "further":
            kind = "failure"
            number = self.oldest + int(self._random.random() * (self.newest - self.oldest))
        else:
            number = self.oldest
            self.oldest += 1
        self._waiting[number] += 1
        run = f"{self._stamp:06d}{self.sent:08d}".encode()
        filled = {b"number": number, b"namespace": number % NAMESPACES, b"run": run}
        request = self._templates[kind] % filled
        return kind, number, _signed(request, self._secret) if self._secret else request

    def answered(self, number: int) -> None:
        """One that was sent of this pipeline."""
        self._waiting[number] -= 1


def _signed(request: bytes, secret: bytes) -> bytes:
    signature = hmac.digest(secret, request[request.index(END) + len(END) :], "sha256").hex()
    return request.replace(NO_SIGNATURE, signature.encode(), 1)


class Connection:
    """One of those who ask, each the next thing when the last one is answered."""

    __slots__ = ("_expected", "_port", "_rest", "began", "kind", "number", "socket")

    def __init__(self, port: int, expected: dict[str, Any]) -> None:
        self._port = port
        self._expected = {
            kind: (tuple(f" {status} ".encode() for status in one["statuses"]), one["holds"].encode())
            for kind, one in expected.items()
        }
        self._rest = b""
        self.open()

    def open(self) -> None:
        """Connects; again for servers that close after each answer."""
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # With a timeout, Python would ask the kernel before each call whether it can be made.
        self.socket.setblocking(False)

    def ask(self, kind: str, number: int, request: bytes) -> None:
        """Sends it."""
        self.kind, self.number = kind, number
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def take(self) -> bool | None:
        """Whether the connection ends with the answer; None as long as that is not whole.

        Raises Failed when it is not the right one.
        """
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise Failed(f"the server closed a connection after {self._rest[:1000]!r}")
        if self._rest:
            data = self._rest + data
        head = data.find(END)
        if head < 0:
            self._rest = data
            return None
        length = LENGTH.search(data, 0, head)
        if length is None:
            raise Failed(f"an answer without Content-Length: {data[:1000]!r}")
        missing = head + len(END) + int(length[1]) - len(data)
        if missing > 0:
            self._rest = data
            return None
        statuses, holds = self._expected[self.kind]
        if not data.startswith(statuses, 8) or holds % {b"number": self.number} not in data:
            raise Failed(f"not the answer to {self.kind} {self.number}: {data[:2000]!r}")
        self._rest = b""
        return CLOSES.search(data, 0, head) is not None


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Sends until `seconds` are over or `count` are sent, and waits for all answers. Raises Failed and OSError."""
    mix = Mix(task)
    ports: Sequence[int] = task["ports"]
    connections: dict[int, Connection] = {}
    poll = select.epoll()
    for number in range(task["connections"]):
        connection = Connection(ports[number % len(ports)], task["expected"])
        connections[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    count = task["count"] or sys.maxsize
    latencies: list[float] = []
    acknowledged = {"failure": 0, "success": 0}
    waiting = 0
    clock = time.perf_counter
    used = time.process_time()
    began = clock()
    end = began + (task["seconds"] or float("inf"))
    for connection in list(connections.values())[:count]:
        connection.ask(*mix.next())
        waiting += 1
    while waiting:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            raise Failed(f"{waiting} requests were not answered in {PATIENCE_SECONDS:.0f} s")
        for descriptor, _ in ready:
            connection = connections[descriptor]
            closes = connection.take()
            if closes is None:
                continue
            now = clock()
            latencies.append(now - connection.began)
            acknowledged[connection.kind] += 1
            mix.answered(connection.number)
            if closes:
                poll.unregister(descriptor)
                del connections[descriptor]
                connection.open()
                connections[connection.socket.fileno()] = connection
                poll.register(connection.socket, select.EPOLLIN)
            if now < end and mix.sent < count:
                connection.ask(*mix.next())
            else:
                waiting -= 1
    seconds = clock() - began
    latencies.sort()
    return {
        **acknowledged,
        "seconds": seconds,
        "p50": latencies[len(latencies) // 2] * 1e3,
        "p99": latencies[len(latencies) * 99 // 100] * 1e3,
        "cpu": (time.process_time() - used) / len(latencies) * 1e6,
        "oldest": mix.oldest,
        "newest": mix.newest,
    }


def main() -> None:
    """One task."""
    gc.disable()
    task = json.load(sys.stdin)
    try:
        found = run(task)
    except (Failed, OSError) as failure:
        found = {"failure": str(failure)}
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(found))


if __name__ == "__main__":
    main()
