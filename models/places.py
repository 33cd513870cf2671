"""A number of places, given out in the order in which they are asked for."""

import asyncio
from collections import deque


class Places:
    """At most `most` are taken at once. As asyncio.Semaphore, at half its cost, and nobody waits for ever."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self._most - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    async def take(self, seconds: float | None = None) -> None:
        """Waits for a place; give it back. Raises TimeoutError after so many seconds, if they are given."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        timer = None if seconds is None else loop.call_later(seconds, _expire, place)
        try:
            await place
        except asyncio.CancelledError:
            # It may have been given just before.
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give_back()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def give_back(self) -> None:
        """The place is for whoever waits longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


def _expire(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_exception(TimeoutError())
