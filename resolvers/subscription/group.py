"""Subscriptions to `issueEvents` that want the same: matched once, selected once, encoded once for all of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing, nullcontext, suppress
from functools import partial
from typing import Any, Protocol

from resolvers.errors import TooLarge
from resolvers.subscription.matching import Matching, Payers
from resolvers.subscription.outlet import Frame, Frames, Outlet, Stopping
from resolvers.subscription.patience import patiently
from resolvers.subscription.tailer import Page

LIVE_BATCH_EVENTS = 100  # the default of maxBatch
SECONDS_BETWEEN_POSITIONS = 30.0
# Where any number may read at once.
EVERYWHERE: AbstractAsyncContextManager[Any] = nullcontext()

# What something on a page means, None for nothing.
Matcher = Callable[[Any], Any]
# That, and its position.
Item = tuple[Any, int]
# The ExecutionResult as JSON, of some events, how far the log was read, and whether that is all there is.
Render = Callable[[Sequence[Item], int, bool], Awaitable[bytes]]


class Member:
    """One subscription in a group: what waits for its reader, and whether the reader must look into the log."""

    __slots__ = ("_expected", "lagging", "max_batch", "outlet")

    def __init__(self, position: int, max_batch: int, buffer_frames: int, frames: Frames) -> None:
        self.outlet = Outlet(position, buffer_frames, frames)
        self.max_batch = max_batch
        # What came after the outlet's position is in the log only.
        self.lagging = False
        self._expected = position

    def offer(self, frame: Frame) -> None:
        """Takes a live frame, or falls behind: too big for it, no room, or begun before it came."""
        if self.lagging or frame.end <= self._expected:
            return
        fits = frame.events <= self.max_batch and frame.start >= self._expected
        if fits and self.outlet.put(frame):
            self._expected = frame.end
        else:
            self.lagging = True
            self.outlet.clear()
            self.outlet.wake()

    def expect(self, position: int) -> None:
        """From now on takes the frames that come after `position`."""
        self.lagging = False
        self._expected = position


class Source(Protocol):
    """What of Tailer is needed here; what a page has in the place of lines is what is matched."""

    @property
    def position(self) -> int: ...

    def followed(self) -> AbstractContextManager[None]: ...

    async def moved_past(self, position: int) -> None: ...

    async def page(self, after: int, upto: int) -> Page: ...


class EventGroup:
    """Follows the log for its members, who all see what it makes of it; rests `pause` seconds after each time."""

    def __init__(
        self,
        tailer: Source,
        matches: Matcher,
        render: Render,
        *,
        matching: Matching,
        payers: Payers,
        frames: Frames,
        buffer_frames: int,
        replays: asyncio.Semaphore,
        pause: float = 0,
    ) -> None:
        # How far the members were told everything.
        self.position = tailer.position
        self._tailer = tailer
        self._matches = matches
        self._render = render
        self._matching = matching
        self._payers = payers
        self._made = frames
        self._buffer_frames = buffer_frames
        self._replays = replays
        self._pause = pause
        self._members: set[Member] = set()
        # Whoever hears of less than this knows that more comes, and must hear when it has, events or not.
        self._owed = self.position
        self._told(self.position)

    async def run(self) -> None:
        """Hands out what the log brings until cancelled; ends, with every member, at an error."""
        with self._tailer.followed():
            try:
                while True:
                    await self._something_to_tell()
                    await self._hand_out()
                    if self._pause and self.position >= self._tailer.position:
                        await self._rest()
            except Exception as error:
                for member in self._members:
                    member.outlet.fail(error)

    async def finish(self) -> None:
        """Tells the members how far the log goes, if they do not know, and ends them; `run` does not run any more."""
        while self._told_position < self._tailer.position:
            self._tell_by = 0.0
            await self._hand_out()
        for member in self._members:
            member.outlet.fail(Stopping())

    def join(self, after: int, max_batch: int) -> Member:
        """A member that has seen everything up to `after`."""
        member = Member(after, max_batch, self._buffer_frames, self._made)
        member.lagging = after < self.position
        if max(after, self.position) < self._tailer.position:
            self._owed = self._tailer.position
        self._members.add(member)
        return member

    def leave(self, member: Member) -> None:
        """Hands nothing to `member` any more."""
        self._members.remove(member)

    async def frames(self, member: Member) -> AsyncIterator[Frame]:
        """Where the member stands, or what it has missed; then everything that comes, each event once."""
        if not member.lagging:
            position = member.outlet.position
            yield await self._frame((), position, position, caught_up=position >= self._owed)
        while True:
            if member.lagging:
                async with aclosing(self._missed(member)) as missed:
                    async for frame in missed:
                        taken = [frame]
                        # Whoever takes it is the only one to hold it.
                        del frame
                        yield taken.pop()
            elif waiting := await member.outlet.get():
                taken = [waiting]
                del waiting
                yield taken.pop()

    async def _rest(self) -> None:
        """What comes meanwhile goes out together."""
        await asyncio.sleep(self._pause)

    async def _something_to_tell(self) -> None:
        """Waits for the log to move; if it has moved without an event, no longer than until the position is due."""
        in_silence = self.position > self._told_position
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._tell_by if in_silence else None):
                await self._tailer.moved_past(self.position)

    async def _hand_out(self) -> None:
        start, upto = self.position, self._tailer.position
        page = await self._page(start, upto)

        def is_due() -> bool:
            is_time = asyncio.get_running_loop().time() >= self._tell_by
            return is_time or self._told_position < self._owed <= page.position

        async for frame in self._frames_of(page, start, upto, LIVE_BATCH_EVENTS, even_without_events=is_due):
            self.position = frame.end
            self._told(frame.end)
            self._owed = max(self._owed, upto)
            for member in self._members:
                member.offer(frame)
        self.position = page.position

    async def _missed(self, member: Member) -> AsyncGenerator[Frame]:
        """What the log has between the member and the group; what comes meanwhile goes to the outlet."""
        upto = self.position
        member.expect(upto)
        after = begin = member.outlet.position
        while after < upto:
            page = await self._page(after, upto, places=self._replays)
            # Also where nothing matches, the reader hears at the begin and at the end.
            tell = partial(bool, after == begin or page.position == upto)
            frames = self._frames_of(page, after, upto, member.max_batch, even_without_events=tell)
            async with aclosing(frames):
                async for frame in frames:
                    member.outlet.position = frame.end
                    taken = [frame]
                    del frame
                    yield taken.pop()
            after = page.position

    async def _page(self, after: int, upto: int, places: AbstractAsyncContextManager[Any] = EVERYWHERE) -> Page:
        async def read() -> Page:
            # Not while it waits to try again: there are others.
            async with places:
                return await self._tailer.page(after, upto)

        return await patiently(read, overloaded=self._payers.pass_on)

    async def _frames_of(
        self, page: Page, start: int, upto: int, max_batch: int, *, even_without_events: Callable[[], bool]
    ) -> AsyncGenerator[Frame]:
        """The matching lines of a page that begins after `start`, in batches; the last one ends where the page does.

        `even_without_events` is asked once it is known what matches: who joined meanwhile must hear too.
        """
        items = await self._matching.matched(page.lines, self._matches, self._payers.first.line)
        is_due = even_without_events()
        while items or is_due:
            batch, left = items[:max_batch], items[max_batch:]
            end = batch[-1][1] if left else page.position
            try:
                made = [await self._frame(batch, start, end, caught_up=end == upto >= self._owed)]
            except TooLarge:
                if len(batch) <= 1:
                    raise
                max_batch = len(batch) // 2
                continue
            items, start, is_due = left, end, False
            yield made.pop()

    async def _frame(self, items: Sequence[Item], start: int, end: int, *, caught_up: bool) -> Frame:
        text = await patiently(lambda: self._render(items, end, caught_up), overloaded=self._payers.pass_on)
        return self._made.make(text, start, end, len(items))

    def _told(self, position: int) -> None:
        self._told_position = position
        self._tell_by = asyncio.get_running_loop().time() + SECONDS_BETWEEN_POSITIONS
