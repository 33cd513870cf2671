"""Subscriptions to `issueStats` that want the same: counted once for all of them, at most once a second."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from resolvers.subscription.line import Line
from resolvers.subscription.matching import Matching, Payers
from resolvers.subscription.outlet import Frame, Frames, Outlet, Stopping
from resolvers.subscription.patience import patiently
from resolvers.subscription.tailer import Tailer

SECONDS_BETWEEN_COUNTS = 1.0


class StatsGroup:
    """Counts anew when the log brings a line that may matter. A reader that is slow gets the newest count."""

    def __init__(
        self,
        tailer: Tailer,
        matters: Callable[[Line], bool],
        count: Callable[[], Awaitable[bytes]],
        *,
        matching: Matching,
        payers: Payers,
        frames: Frames,
    ) -> None:
        self._tailer = tailer
        self._matters = matters
        self._count = count
        self._matching = matching
        self._payers = payers
        self._frames = frames
        self._newest: Frame | None = None
        self._outlets: set[Outlet] = set()

    async def run(self) -> None:
        """Counts until cancelled; ends, with every subscriber, at an error."""
        with self._tailer.followed():
            try:
                while True:
                    # Before the count: a line that it has seen already brings one count more, never one less.
                    position = self._tailer.position
                    text = await patiently(self._count, overloaded=self._payers.pass_on)
                    self._hand_out(self._frames.make(text, position, position, 0))
                    del text
                    await asyncio.sleep(SECONDS_BETWEEN_COUNTS)
                    await self._change_after(position)
            except Exception as error:
                for outlet in self._outlets:
                    outlet.fail(error)

    def join(self) -> Outlet:
        """A new subscriber's end, with the newest count in it if there is one."""
        outlet = Outlet(self._tailer.position, limit=1)
        if self._newest is not None:
            outlet.put(self._newest)
        self._outlets.add(outlet)
        return outlet

    def leave(self, outlet: Outlet) -> None:
        """Hands nothing to `outlet` any more."""
        self._outlets.remove(outlet)

    async def finish(self) -> None:
        """Ends every stream; `run` does not run any more."""
        for outlet in self._outlets:
            outlet.fail(Stopping())

    async def frames(self, outlet: Outlet) -> AsyncIterator[Frame]:
        """The counts, as they come."""
        while True:
            if frame := await outlet.get():
                # Whoever takes it is the only one to hold it.
                taken = [frame]
                del frame
                yield taken.pop()

    def _hand_out(self, frame: Frame) -> None:
        self._newest = frame
        for outlet in self._outlets:
            outlet.clear()
            outlet.put(frame)

    async def _change_after(self, position: int) -> None:
        while True:
            await self._tailer.moved_past(position)
            after, upto = position, self._tailer.position
            page = await patiently(lambda: self._tailer.page(after, upto))  # noqa: B023 - awaited at once
            if await self._matching.matched(page.lines, self._matters, self._payers.first.line, first=True):
                return
            position = page.position
