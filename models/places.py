"""A number of places, given out by line, each in its turn."""

import asyncio

from models.lines import OWN, Held, Lines


class Places:
    """At most `most` are taken at once, and not all of them by one line. Nobody waits for ever."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._held = Held(most)
        self._waiting = Lines()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self._most - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    async def take(self, seconds: float | None = None, line: str = OWN) -> None:
        """Waits for a place; give it back. Raises TimeoutError after so many seconds, if they are given."""
        if self._free and self._held.may(line):
            self._free -= 1
            self._held.add(line)
            return
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.put(line, place)
        timer = None if seconds is None else loop.call_later(seconds, _expire, place)
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
            if timer is not None:
                timer.cancel()

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
