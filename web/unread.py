"""What was written to clients and is not read yet."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from web.asgi import Scope

# In `scope["extensions"]`: a Holds of this connection.
HOLDS = "issuegraph.holds"
# Beside it: `Unread.room`.
ROOM = "issuegraph.room"
# Who has read nothing for so long takes no room from who waits for it.
SILENT_SECONDS = 5.0
# Whoever has waited for longer goes in its turn, however slowly others read.
ROOM_SECONDS = 30.0
# Between two who go though it is half full: who reads at all has taken something meanwhile.
READING_SECONDS = 0.05
# What is no larger a transport takes without being paused, and it is never counted: it need not wait for room.
SMALL_BYTES = 65_536


class Holds(Protocol):
    """Is told that an application holds so many bytes more for a client, or, below zero, less."""

    def __call__(self, count: int, /) -> None: ...


class Reader(Protocol):
    """A connection whose client reads, or does not."""

    def cut(self) -> None:
        """Ends at once, for the memory that it holds."""
        ...


@dataclass(slots=True)
class _Share:
    """What one client has, and when it began to or has read something, in seconds of `monotonic`."""

    count: int
    read_at: float


class Unread:
    """All together hold `most` bytes. Beyond that the client that asks for more is ended if it has more than half of
    it, else the one that has read nothing for longest: who reads slowly takes no memory from those who read. What the
    system's sockets hold is not counted.
    """

    def __init__(self, most: int) -> None:
        self.held = 0
        self._most = most
        # Whoever has just read something is the last.
        self._by_reader: dict[Reader, _Share] = {}
        self._room = asyncio.Event()
        self._room.set()
        # Of those who wait for room.
        self._first = asyncio.Lock()

    @property
    def is_half_full(self) -> bool:
        """Whether what can wait elsewhere should."""
        return self.held > self._most // 2

    def add(self, reader: Reader, count: int) -> None:
        """So much more is there for a client, or less; one that has nothing is forgotten."""
        share = self._by_reader.get(reader) or _Share(0, monotonic())
        if share.count + count <= 0:
            self.forget(reader)
            return
        share.count += count
        self._by_reader[reader] = share
        self._change(count)
        while self.held > self._most:
            has_most = reader in self._by_reader and share.count > self._most // 2
            longest = reader if has_most else next(iter(self._by_reader))
            self.forget(longest)
            longest.cut()

    def has_read(self, reader: Reader) -> None:
        """A client has taken something: others are cut before it."""
        if share := self._by_reader.pop(reader, None):
            share.read_at = monotonic()
            self._by_reader[reader] = share

    def forget(self, reader: Reader) -> None:
        """A client has taken everything, or is gone."""
        if share := self._by_reader.pop(reader, None):
            self._change(-share.count)

    async def room(self, size: int) -> None:
        """Returns when it is not half full, to one after the other: whoever has room for `size` bytes is to `add` them
        at once.

        Those who have read nothing for long do not count, for they make room where it is needed; and whoever has
        waited for long goes, where others are cut for it while those who read have the time to.
        """
        if not self.is_half_full and not self._first.locked():
            return
        until = monotonic() + ROOM_SECONDS
        async with self._first:
            while self.is_half_full:
                if self._may_go(until) and self.held + size <= self._most:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(READING_SECONDS):
                        await self._room.wait()
                if self._may_go(until):
                    return

    def _may_go(self, until: float) -> bool:
        return monotonic() >= until or self._held_by_who_reads() <= self._most // 2

    def _held_by_who_reads(self) -> int:
        held, since = self.held, monotonic() - SILENT_SECONDS
        for share in self._by_reader.values():
            if share.read_at > since:
                break
            held -= share.count
        return held

    def _change(self, count: int) -> None:
        self.held += count
        if self.is_half_full:
            self._room.clear()
        else:
            self._room.set()


def hold(scope: Scope, count: int) -> None:
    """An application holds so many bytes more for the client of a request, or less."""
    holds: Holds | None = scope.get("extensions", {}).get(HOLDS)
    if holds is not None:
        holds(count)


async def room(scope: Scope, size: int, *, meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
    """Waits until there is room for so many bytes that are to be sent to the client of a request (see Unread).

    Within `meanwhile`, where it may take time.
    """
    wait: Callable[[int], Awaitable[None]] | None = scope.get("extensions", {}).get(ROOM)
    if wait is not None and size > SMALL_BYTES:
        with meanwhile():
            await wait(size)


@contextmanager
def held_for(scope: Scope, count: int) -> Iterator[None]:
    """While it sends them."""
    hold(scope, count)
    try:
        yield
    finally:
        hold(scope, -count)
