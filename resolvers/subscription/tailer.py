"""The one reader of the log in a process: what it read lately is kept for everyone who follows."""

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from models.database import Database, DatabaseError, Fetch, Row, Steps
from models.values import time_of
from resolvers.errors import PositionExpired, Unavailable
from resolvers.subscription.line import Line, line_of, select_line_before, select_lines, select_log
from resolvers.subscription.log import Log
from resolvers.subscription.wakeups import Wakeups

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
EDGE_SECONDS = 60.0  # how often the begin of the resume window is looked for
RESUME_WINDOW = timedelta(days=7)
PAGE_LINES = 500
WINDOW_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Lines in the order of the log, or what has its positions; `position` is how far was read, found or not."""

    lines: Sequence[Any]
    position: int


class AnotherLog(Exception):
    """The log is not the one that this process started with."""


class Tailer:
    """Follows the log by position, in pages. Woken by commits here and elsewhere, and by itself every second.

    Nobody is ever waited for: who follows asks for the page after what it has seen. The newest lines are handed out
    from memory, older ones are read again.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        wakeups: Wakeups,
        *,
        poll_seconds: float = POLL_SECONDS,
        resume_window: timedelta = RESUME_WINDOW,
    ) -> None:
        self.position = 0
        # The newest line that is older than the window: nobody may resume from before it.
        self.resume_from = 0
        self._resume_window = resume_window
        self._edge_due = 0.0
        self._line_before = database.compile(select_line_before())
        self._database = database
        self._log = log
        self._wakeups = wakeups
        self._poll_seconds = poll_seconds
        self._lines = database.compile(select_lines())
        self._state = database.compile(select_log())
        self.pruned_to = 0
        self._at_the_end = time.monotonic()
        self.problem: str | None = None  # why the log cannot be read, for health
        # The lines after _window_start up to `position`, oldest first.
        self._window: list[Line] = []
        self._window_start = 0
        self._followers = 0
        self._woken = asyncio.Event()
        self._moved = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Finds the end of the log and follows from there. Raises Unavailable when it cannot be read."""
        ((_, self.position, self.pruned_to),) = await self._database.fetch(self._state)
        self._window_start = self.position
        await self._find_edge()
        self._running = asyncio.create_task(self._follow(), name="tailer")
        self._wakeups.start(self.wake)

    async def close(self) -> None:
        """Stops reading; who still waits gets Unavailable."""
        await self._wakeups.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._answer(self._waiting, Unavailable("The server is stopping"))

    def wake(self, position: int) -> None:
        """There is a line at `position`, somebody says. Called in the event loop's thread."""
        if position > self.position:
            self._woken.set()

    def committed(self, position: int) -> None:
        """This process's writer has committed up to `position`. Called in the event loop's thread."""
        self.wake(position)
        self._wakeups.send(position)

    @property
    def lag_seconds(self) -> float:
        """How long ago the log was last read to its end: no more than POLL_SECONDS and a little when all is well."""
        return time.monotonic() - self._at_the_end

    async def catch_up(self) -> None:
        """Returns when everything committed before this call has been read. Raises Unavailable."""
        if self._running is None or self._running.done():
            raise Unavailable("The server is stopping")
        caught_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(caught_up)
        self._woken.set()
        await caught_up

    async def moved_past(self, position: int) -> None:
        """Returns when something after `position` has been read."""
        while self.position <= position:
            await self._moved.wait()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While anyone is in here the newest lines are kept; without, only the end of the log is looked at."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    async def page(self, after: int, upto: int) -> Page:
        """Up to PAGE_LINES lines after `after`, none after `upto`, which the tailer must have reached.

        Raises PositionExpired when lines after `after` were removed, Unavailable.
        """
        # Of lines that were removed there may be some in memory, but no row to select from.
        if after >= max(self._window_start, self.pruned_to):
            first = bisect_right(self._window, after, key=attrgetter("position"))
            last = bisect_right(self._window, upto, key=attrgetter("position"))
            return _page(self._window[first:last][:PAGE_LINES], upto)

        def work() -> Steps[list[Row]]:
            ((_, _, pruned_to),) = yield Fetch(self._state)
            if after < pruned_to:
                raise PositionExpired("The log no longer reaches back to this position: read the list again")
            return (yield Fetch(self._lines, {"after": after, "upto": upto, "count": PAGE_LINES}))

        try:
            rows = await self._database.read(work)
        except DatabaseError as error:
            raise Unavailable("The log cannot be read now") from error
        return _page([line_of(row) for row in rows], upto)

    async def _follow(self) -> None:
        while True:
            self._woken.clear()
            waiting, self._waiting = self._waiting, []
            try:
                await self._read_to_the_end()
                if time.monotonic() >= self._edge_due:
                    await self._find_edge()
            except asyncio.CancelledError:
                self._waiting += waiting
                raise
            except Exception as error:
                # Whatever it is, those who follow must not be left with a tailer that has ended.
                self._answer(waiting, Unavailable("The log cannot be read now"))
                self._report(error)
                await asyncio.sleep(self._poll_seconds)
            else:
                self._answer(waiting, None)
                self._report(None)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._woken.wait()

    async def _read_to_the_end(self) -> None:
        while True:
            wanted = bool(self._followers)
            read = self._database.read(partial(self._news, wanted), statements=2 if wanted else 1)
            end, self.pruned_to, rows = await read
            self._advance([line_of(row) for row in rows], end, are_read=wanted)
            if self.position == end:
                self._at_the_end = time.monotonic()
                return

    def _news(self, wanted: bool) -> Steps[tuple[int, int, list[Row]]]:
        """The end of the log, how far it was pruned, and what came since, if it is wanted. Raises AnotherLog."""
        ((identity, end, pruned_to),) = yield Fetch(self._state)
        if identity != self._log.identity or end < self.position:
            raise AnotherLog("the database was replaced; start the server again to follow its log")
        if not wanted or end == self.position:
            return end, pruned_to, []
        rows = yield Fetch(self._lines, {"after": self.position, "upto": end, "count": PAGE_LINES})
        return end, pruned_to, rows

    async def _find_edge(self) -> None:
        before = time_of(datetime.now(UTC) - self._resume_window)
        self.resume_from = await self._database.read(lambda: self._edge(before))
        self._edge_due = time.monotonic() + EDGE_SECONDS

    def _edge(self, before: str) -> Steps[int]:
        """By halves: lines are in the order of their times, as far as the clock allows."""
        edge = low = self.pruned_to
        high = self.position
        # It is not before where it was last, unless the clock was ahead then.
        middle = max(low, self.resume_from)
        while low < high:
            found = yield Fetch(self._line_before, {"after": low, "upto": middle})
            for position, at in found:
                if at < before:
                    edge, low = position, middle
                else:
                    high = position - 1
            if not found:
                low = middle
            middle = (low + high + 1) // 2
        return edge

    def _advance(self, lines: list[Line], end: int, *, are_read: bool) -> None:
        position = lines[-1].position if len(lines) == PAGE_LINES else end
        if position == self.position:
            return
        self.position = position
        self._window += lines
        if not are_read:
            # Nobody followed when that began. Who does by now finds them in the log.
            self._window.clear()
            self._window_start = position
        elif len(self._window) > 2 * WINDOW_LINES:
            del self._window[:-WINDOW_LINES]
            self._window_start = self._window[0].position - 1
        self._moved.set()
        self._moved = asyncio.Event()

    def _answer(self, waiting: list[asyncio.Future[None]], error: Exception | None) -> None:
        for caught_up in waiting:
            if caught_up.done():
                continue
            if error is None:
                caught_up.set_result(None)
            else:
                caught_up.set_exception(error)

    def _report(self, error: Exception | None) -> None:
        if error is None:
            if self.problem is not None:
                logger.info("the log can be read again")
            self.problem = None
        elif self.problem is None:
            # Once: it is tried again every second.
            unexpected = not isinstance(error, (DatabaseError, AnotherLog))
            logger.warning("the log cannot be read: %s", error, exc_info=unexpected)
            self.problem = str(error) or type(error).__name__


def _page(lines: Sequence[Line], upto: int) -> Page:
    return Page(lines, lines[-1].position if len(lines) == PAGE_LINES else upto)
