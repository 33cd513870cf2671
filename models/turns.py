"""Who reads when: one after the other while reads are short, side by side when one takes long."""

import asyncio
from collections import deque

# What is read within this time is faster read alone: threads take the interpreter from each other at every row.
ALONE_SECONDS = 0.02


class Turns:
    """At most `most` at once; more than one only beside reads that have taken longer than a short one does."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[object, float] = {}
        self._waiting: deque[asyncio.Future[object]] = deque()
        self._look: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()

    @property
    def running(self) -> int:
        """How many read now."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting)

    async def take(self) -> object:
        """Waits for a turn; give it back."""
        if self._has_room():
            return self._start()
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._look_again()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back(future.result())
            raise

    def give_back(self, turn: object) -> None:
        """The turn is over."""
        del self._running[turn]
        self._let_in()
        if not self._running:
            self._quiet.set()

    async def all_over(self) -> None:
        """Waits until nobody reads, or waits to."""
        while self._running or self._waiting:
            self._quiet.clear()
            await self._quiet.wait()

    def _has_room(self) -> bool:
        if len(self._running) >= self._most:
            return False
        long_ago = asyncio.get_running_loop().time() - ALONE_SECONDS
        return all(start < long_ago for start in self._running.values())

    def _start(self) -> object:
        turn = object()
        self._running[turn] = asyncio.get_running_loop().time()
        return turn

    def _let_in(self) -> None:
        while self._waiting and self._has_room():
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(self._start())
        self._look_again()

    def _look_again(self) -> None:
        """Time alone makes a read a long one."""
        if self._waiting and self._look is None and len(self._running) < self._most:
            self._look = asyncio.get_running_loop().call_later(ALONE_SECONDS, self._looked)

    def _looked(self) -> None:
        self._look = None
        self._let_in()
