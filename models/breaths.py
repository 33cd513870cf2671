"""What is ready at once is begun in turns, and between them everything else of the event loop has its own."""

import asyncio
import time

from models.lines import Lines

# How long what is begun in one turn of the loop takes.
TURN_SECONDS = 0.005
_MOST_AT_ONCE = 64


class Breaths:
    """Whoever begins something asks here first, and waits where it may not: by line, each in its turn."""

    def __init__(self) -> None:
        self._waiting = Lines()
        # Whether something was begun in this turn of the loop, and until when more of it may be.
        self._begun = False
        self._until = 0.0
        # How many may begin in one turn where some wait.
        self._at_once = 1

    def may_begin(self) -> bool:
        """Whether something may begin now; what is alone always may."""
        if not self._begun:
            self._begin()
            return True
        return not self._waiting and time.monotonic() < self._until

    async def wait(self, line: str) -> None:
        """Returns when it may."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(line, future)
        try:
            await future
        except asyncio.CancelledError:
            self._waiting.remove(line, future)
            raise

    def _begin(self) -> None:
        self._begun = True
        self._until = time.monotonic() + TURN_SECONDS
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        took_long = time.monotonic() > self._until
        self._begun = False
        self._at_once = 1 if took_long else min(2 * self._at_once, _MOST_AT_ONCE)
        for _ in range(self._at_once):
            found = self._waiting.next(lambda _: True)
            if found is None:
                break
            found[1].set_result(None)
            self._begun = True
        if self._begun:
            # After those that go on now.
            self._begin()
