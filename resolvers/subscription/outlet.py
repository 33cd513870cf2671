"""One subscriber's end of a stream: at once where it can be, else over a bounded buffer."""

import asyncio
import weakref
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Frame:
    """What one tick means for all subscribers that want the same: one ExecutionResult as JSON.

    It tells of the log after `start` up to `end`, and holds so many `events`.
    """

    text: bytes
    start: int
    end: int
    events: int


class Frames:
    """Makes frames, and knows how much they have together that somebody still holds: `most` bytes, then none waits."""

    def __init__(self, most: int = 64_000_000) -> None:
        self.held = 0
        self._most = most

    @property
    def too_much(self) -> bool:
        """Whether no more may wait: who does not take a frame at once reads it from the log later."""
        return self.held > self._most

    def make(self, text: bytes, start: int, end: int, events: int) -> Frame:
        """A frame, which counts until nobody holds it."""
        frame = Frame(text, start, end, events)
        self.held += len(text)
        weakref.finalize(frame, self._gone, len(text)).atexit = False
        return frame

    def _gone(self, count: int) -> None:
        self.held -= count


class Stopping(Exception):
    """The server stops: the stream ends here, and goes on elsewhere or later from where it stands."""


# Sends a frame if that can be done without waiting, and says whether it did.
Sink = Callable[[Frame], bool]


class Outlet:
    """Frames for one subscriber, which takes them with `get`, or by a `sink` whenever it waits in `get` anyway."""

    __slots__ = ("_buffer", "_error", "_frames", "_limit", "_parked", "position", "sink")

    def __init__(self, position: int, limit: int, frames: Frames | None = None) -> None:
        # The end of the last frame that the subscriber took.
        self.position = position
        self.sink: Sink | None = None
        self._limit = limit
        self._frames = frames
        # A list: an empty one takes a tenth of a deque's memory.
        self._buffer: list[Frame] = []
        self._error: Exception | None = None
        self._parked: asyncio.Future[None] | None = None

    def put(self, frame: Frame) -> bool:
        """Hands a frame over; False when the buffer is full, or all buffers have too much."""
        is_waited_for = self._parked is not None and not self._parked.done()
        if is_waited_for and self.sink is not None and self.sink(frame):
            self.position = frame.end
            return True
        too_much = self._frames is not None and self._frames.too_much and not is_waited_for
        if too_much or len(self._buffer) >= self._limit:
            return False
        self._buffer.append(frame)
        self.wake()
        return True

    def clear(self) -> None:
        """Throws away what is in the buffer."""
        self._buffer.clear()

    def fail(self, error: Exception) -> None:
        """Ends the stream with an error, after what is in the buffer."""
        self._error = error
        self.wake()

    def wake(self) -> None:
        """Makes `get` return, with None if there is no frame."""
        if self._parked is not None and not self._parked.done():
            self._parked.set_result(None)

    async def get(self) -> Frame | None:
        """The next frame; None when woken without one. Raises the error that ended the stream."""
        if not self._buffer and self._error is None:
            self._parked = asyncio.get_running_loop().create_future()
            try:
                await self._parked
            finally:
                self._parked = None
        if self._buffer:
            frame = self._buffer.pop(0)
            self.position = frame.end
            return frame
        if self._error is not None:
            raise self._error
        return None
