"""Requests by hand, for the processes that load a server: cheap, and every answer is looked at."""

import json
import socket
import sys
from typing import Any, NoReturn


class Asker:
    """One connection, for one request after the other."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = port
        self._answer = b""

    def ask(self, path: str, body: str) -> None:
        """Sends a POST of JSON."""
        content = body.encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + content)

    def answered(self) -> bool:
        """Reads; whether the answer is whole. Ends the process when it says no."""
        self._answer += self.socket.recv(65_536)
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found and self._answer:
            return False
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
        if not lines[0].startswith(b"http/1.1 2") or length is None or b'"errors"' in body:
            fail(f"a request was refused: {self._answer[:1000]!r}")
        if len(body) < length:
            return False
        self._answer = b""
        return True


def fail(reason: str) -> NoReturn:
    """Says why, and ends."""
    say({"failure": reason})
    sys.exit(1)


def say(found: dict[str, Any]) -> None:
    """A line for whoever asked."""
    print(json.dumps(found), flush=True)


def at(share: float, times: list[float]) -> float:
    """The quantile of sorted seconds, in milliseconds."""
    return times[min(len(times) - 1, int(len(times) * share))] * 1000
