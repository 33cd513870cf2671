"""Who reads when: one after the other while reads are short, side by side when one takes long."""

import asyncio

from models.lines import OWN, Held, Lines

# What is read within this time is faster read alone: threads take the interpreter from each other at every row.
ALONE_SECONDS = 0.02


class Turns:
    """At most `most` at once; more than one only beside reads that have taken longer than a short one does.

    Who waits is let in by line, each in its turn, and no line holds all of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[object, tuple[float, str]] = {}
        self._held = Held(most)
        self._waiting = Lines()
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

    async def take(self, line: str = OWN) -> object:
        """Waits for a turn; give it back."""
        if self._held.may(line) and self._has_room():
            return self._start(line)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.put(line, future)
        self._look_again()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back(future.result())
            else:
                self._waiting.remove(line, future)
                self._tell_if_quiet()
            raise

    def give_back(self, turn: object) -> None:
        """The turn is over."""
        _, line = self._running.pop(turn)
        self._held.remove(line)
        self._let_in()
        self._tell_if_quiet()

    async def all_over(self) -> None:
        """Waits until nobody reads, or waits to."""
        while self._running or self._waiting:
            self._quiet.clear()
            await self._quiet.wait()

    def _tell_if_quiet(self) -> None:
        if not self._running:
            self._quiet.set()

    def _has_room(self) -> bool:
        if len(self._running) >= self._most:
            return False
        long_ago = asyncio.get_running_loop().time() - ALONE_SECONDS
        return all(start < long_ago for start, _ in self._running.values())

    def _start(self, line: str) -> object:
        turn = object()
        self._running[turn] = (asyncio.get_running_loop().time(), line)
        self._held.add(line)
        return turn

    def _let_in(self) -> None:
        while self._has_room() and (found := self._waiting.next(self._held.may)):
            line, future = found
            future.set_result(self._start(line))
        self._look_again()

    def _look_again(self) -> None:
        """Time alone makes a read a long one."""
        if self._waiting and self._look is None and len(self._running) < self._most:
            self._look = asyncio.get_running_loop().call_later(ALONE_SECONDS, self._looked)

    def _looked(self) -> None:
        self._look = None
        self._let_in()
