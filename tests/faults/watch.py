"""Watchers: clients that follow the log as docs/subscribe.md teaches, and remember what they saw."""

import asyncio
import json
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

LIST = "{ issues(first: 1) { position } }"
WATCH = """subscription ($where: IssueEventWhere, $after: LogPosition) {
  issueEvents(where: $where, after: $after) { position events { match event { position %s } } } }"""
MORE = "issue { description }"
FULL_SOON_BYTES = 4_096
# What a server may say in trouble; everything else is a mistake.
PASSING = {"UNAVAILABLE", "TIMEOUT", "OVERLOADED"}

Image = dict[str, Any]
LogLine = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """A filter twice: as a subscription has it, and as plain Python."""

    where: dict[str, Any]
    holds: Callable[[Image], bool] = lambda image: True
    kinds: tuple[str, ...] = ()

    def match(self, line: LogLine) -> str | None:
        """What a subscriber is to be told of a line of the log, or None."""
        if self.kinds and line["kind"] not in self.kinds:
            return None
        before, after = line["before"], line["after"]
        if before is not None and after is not None:
            before = after | before
        was, is_now = (image is not None and self.holds(image) for image in (before, after))
        return {(False, True): "ENTERED", (True, True): "STAYED", (True, False): "LEFT"}.get((was, is_now))


FILTERS = {
    "everything": Filter({}),
    "active issues of a team": Filter(
        {"issue": {"namespace": {"eq": "team-a"}, "state": {"eq": "ACTIVE"}}},
        lambda image: image["namespace"] == "team-a" and image["state"] == "ACTIVE",
    ),
    "what was resolved": Filter({"kind": {"eq": "RESOLVED"}}, kinds=("RESOLVED",)),
}


class Expired(Exception):
    """The server cannot lead on from this position."""


class Watcher:
    """Follows one filter at the server on `port`, from its list on, through as many connections as it takes.

    `narrow` is one whose socket is full soon, and that asks for much.
    """

    def __init__(self, port: int, filter: Filter = FILTERS["everything"], *, narrow: bool = False) -> None:
        self.filter = filter
        self.seen: list[tuple[int, str]] = []  # position and match
        self.seen_at: dict[int, float] = {}  # of the monotonic clock
        self.begin = 0  # the position of the list
        self.connections = 0
        self.expired = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self._port = port
        self._narrow = narrow
        self._after: str | None = None
        self._began = asyncio.Event()
        self._task = asyncio.create_task(self._follow_for_ever())

    async def began(self) -> None:
        """Returns when the first batch has come. Raises what went wrong."""
        waiting = asyncio.create_task(self._began.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self.look()

    def look(self) -> None:
        """Raises what went wrong, if anything."""
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Ends it. Raises what went wrong."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _follow_for_ever(self) -> None:
        while True:
            try:
                async with connect(
                    f"ws://127.0.0.1:{self._port}/graphql",
                    sock=await self._socket(),
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    max_size=None,
                    max_queue=1,
                    close_timeout=0.2,
                ) as client:
                    await self._follow(client)
            except Expired:
                self.expired += 1
                self._after = None
            except (OSError, EOFError, TimeoutError, WebSocketException):
                pass  # what a cut connection looks like depends on the moment
            await asyncio.sleep(0.05 + 0.1 * random.random())

    async def _socket(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        if self._narrow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FULL_SOON_BYTES)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
        except BaseException:
            sock.close()
            raise
        return sock

    async def _follow(self, client: ClientConnection) -> None:
        await client.send('{"type": "connection_init"}')
        await client.recv()
        if self._after is None:
            await _subscribe(client, LIST)
            data = _data(await client.recv())
            if data is None:
                return
            self._after = data["issues"]["position"]
            self.begin, self.seen = _number(self._after), []
            await client.recv()  # complete
        await _subscribe(client, WATCH % (MORE if self._narrow else ""), where=self.filter.where, after=self._after)
        self.connections += 1
        async for text in client:
            await self.reading.wait()
            data = _data(text)
            if data is None:
                return
            batch = data["issueEvents"]
            for item in batch["events"]:
                number = _number(item["event"]["position"])
                self.seen.append((number, item["match"]))
                self.seen_at.setdefault(number, time.monotonic())
            self._after = batch["position"]
            self._began.set()


async def _subscribe(client: ClientConnection, query: str, **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


def _data(text: str | bytes) -> Any:
    """The data of a result; None when the server cannot go on now. Raises Expired."""
    message = json.loads(text)
    if message["type"] == "complete":
        return None
    errors = message["payload"] if message["type"] == "error" else message["payload"].get("errors")
    if not errors:
        return message["payload"]["data"]
    codes = {error.get("extensions", {}).get("code") for error in errors}
    if codes == {"POSITION_EXPIRED"}:
        raise Expired
    assert codes <= PASSING, message
    return None


def _number(position: str) -> int:
    return int(position[12:], 16)
