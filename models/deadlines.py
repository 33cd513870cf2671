"""Time for things that all have the same: one timer for all, as one for each costs what a small answer does."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Deadlines(Generic[T]):
    """Calls `late` of each thing that has begun and not ended within `seconds`, once."""

    def __init__(self, seconds: float, late: Callable[[T], None]) -> None:
        self.seconds = seconds
        self._late = late
        # Of what has not ended, the first first.
        self._until: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, thing: T) -> None:
        """From now on. It must not be under way."""
        loop = asyncio.get_running_loop()
        until = self._until[thing] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)

    def end(self, thing: T) -> None:
        """In time, or not."""
        self._until.pop(thing, None)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for thing, until in list(self._until.items()):
            if until > now:
                self._timer = loop.call_at(until, self._look)
                break
            del self._until[thing]
            self._late(thing)
