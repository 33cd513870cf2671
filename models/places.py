"""A number of places, given out by line, each in its turn."""

import asyncio

from models.deadlines import Deadlines
from models.lines import OWN, Held, Lines


class Places:
    """At most `most` are taken at once, and not all of them by one line. Nobody waits for longer than `seconds`, if
    they are given.
    """

    def __init__(self, most: int, seconds: float | None = None) -> None:
        self._most = self._free = most
        self._held = Held(most)
        self._waiting = Lines()
        self._patience = None if seconds is None else Deadlines(seconds, _expire)

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self._most - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    async def take(self, line: str = OWN) -> None:
        """Waits for a place; give it back. Raises TimeoutError when that takes too long."""
        if self._free and self._held.may(line):
            self._free -= 1
            self._held.add(line)
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(line, place)
        if self._patience is not None:
            self._patience.begin(place)
        try:
            await place
        except TimeoutError:
            self._waiting.remove(line, place)
            raise
        except asyncio.CancelledError:
            # It may have been given just before.
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give_back(line)
            else:
                self._waiting.remove(line, place)
            raise
        finally:
            if self._patience is not None:
                self._patience.end(place)

    def give_back(self, line: str = OWN) -> None:
        """The place is for the next line that may have one."""
        self._held.remove(line)
        found = self._waiting.next(self._held.may)
        if found is None:
            self._free += 1
            return
        name, place = found
        self._held.add(name)
        place.set_result(None)


def _expire(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_exception(TimeoutError())
