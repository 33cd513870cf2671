"""Bodies that come in several pieces: all that are on their way together hold so many bytes at most."""

import asyncio
import time
from collections.abc import Callable

from web.asgi import Message, Receive
from webhooks.http import TurnedAway

# Whoever is on the way for longer sends slowly.
PATIENCE_SECONDS = 2.0
# A body that is whole by then came with its head.
AT_ONCE_SECONDS = 0.01


class GaveWay(TurnedAway):
    """Too much came at once, and this request was the one to give way."""


class Bodies:
    """All together hold no more than `most` bytes, those of one line (see Caller.line) half of that.

    The body that is on its way for longest makes room if it is slow: beyond its half of the line's own, beyond the
    whole of all. If none is slow the one that came last does, of the line that holds most, as the others will be whole
    sooner. One that is alone may be larger.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        # When each began, in that order.
        self._begun: dict[Body, float] = {}
        # Bytes, of all that are on their way.
        self.held = 0

    def hold(self, body: "Body", size: int) -> None:
        """So many bytes more of a body; somebody gives way where they do not fit. Raises GaveWay: it is this one."""
        line = self._lines.setdefault(body.line, _Line())
        if body not in line.begun:
            line.begun[body] = self._begun[body] = self._clock()
        line.held += size
        body.held += size
        self.held += size
        while line.held > self._most // 2 and len(line.begun) > 1:
            self._make_room(line)
        while self.held > self._most and len(self._begun) > 1:
            longest, begun = next(iter(self._begun.items()))
            if self._is_slow(begun):
                self._give_way(longest)
            else:
                self._make_room(self._largest)
        if body.gave_way:
            raise GaveWay

    def let_go(self, body: "Body") -> None:
        """It is whole, or nobody wants it any more."""
        line = self._lines[body.line]
        del line.begun[body], self._begun[body]
        line.held -= body.held
        self.held -= body.held
        body.held = 0
        if not line.begun:
            del self._lines[body.line]

    def _make_room(self, line: "_Line") -> None:
        longest, begun = next(iter(line.begun.items()))
        self._give_way(longest if self._is_slow(begun) else next(reversed(line.begun)))

    def _give_way(self, body: "Body") -> None:
        self.let_go(body)
        body.give_way()

    def _is_slow(self, begun: float) -> bool:
        return self._clock() - begun > PATIENCE_SECONDS

    @property
    def _largest(self) -> "_Line":
        return max(self._lines.values(), key=_held_by)


class _Line:
    def __init__(self) -> None:
        self.held = 0
        # When each began, in that order.
        self.begun: dict[Body, float] = {}


def _held_by(line: _Line) -> int:
    return line.held


class Body:
    """The body of one request of a line. One that is whole in its first piece is held nowhere, and never gives way.

    `check` is called when it is whole, if that was not at once; what it raises is raised to whoever reads.
    """

    __slots__ = ("_begun", "_bodies", "_check", "_is_in_pieces", "_rest", "_source", "gave_way", "held", "line")

    def __init__(self, bodies: Bodies, line: str, source: Receive, check: Callable[[], None] | None = None) -> None:
        self.line = line
        self.held = 0
        self.gave_way = False
        self._bodies = bodies
        self._source = source
        self._check = check
        self._begun = time.monotonic()
        self._is_in_pieces = False
        self._rest: asyncio.Timeout | None = None

    async def receive(self) -> Message:
        """The next message of the request. Raises GaveWay."""
        message = await (self._next() if self.held or self.gave_way else self._source())
        if message.get("more_body"):
            self._is_in_pieces = True
            size = len(message.get("body", b""))
            if size:
                self._bodies.hold(self, size)
            return message
        if self.held:
            self._bodies.let_go(self)
        if self._check is not None and message["type"] == "http.request" and not self._came_at_once:
            self._check()
        return message

    def end(self) -> None:
        """The request is over, whatever came of it."""
        if self.held:
            self._bodies.let_go(self)

    def give_way(self) -> None:
        """Whoever waits for the rest is told at once."""
        self.gave_way = True
        if self._rest is not None:
            self._rest.reschedule(0)

    @property
    def _came_at_once(self) -> bool:
        return not self._is_in_pieces and time.monotonic() - self._begun < AT_ONCE_SECONDS

    async def _next(self) -> Message:
        message: Message = {}
        try:
            if not self.gave_way:
                async with asyncio.timeout(None) as self._rest:
                    message = await self._source()
        except TimeoutError:
            if not self.gave_way:
                raise
        finally:
            self._rest = None
        if self.gave_way:
            raise GaveWay
        return message
