"""What the log brought is looked through for one group after the other, callers in turn, and others come in between."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from models.places import Places
from resolvers.charge import Meter

# After so much without a break everything else in the process has its turn.
UNBROKEN_SECONDS = 0.005
# Of what a group costs less is not worth the reckoning.
TOLD_SECONDS = 1.0


class Payers:
    """The lines of a group's members, who pay for it together."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._members: Counter[str] = Counter()
        self._seconds = 0.0

    @property
    def first(self) -> str:
        """Who is there longest."""
        return next(iter(self._members), "")

    def __contains__(self, line: str) -> bool:
        return line in self._members

    def join(self, line: str) -> None:
        """A member more."""
        self._members[line] += 1

    def leave(self, line: str) -> None:
        """A member less."""
        self._members[line] -= 1
        if not self._members[line]:
            del self._members[line]

    def owe(self, cost: int) -> None:
        """Each line pays its part."""
        for line in self._members:
            self._meter.owe(line, cost / len(self._members))

    def took(self, seconds: float) -> None:
        """Seconds of this process, gathered."""
        self._seconds += seconds
        if self._seconds > TOLD_SECONDS:
            for line in self._members:
                self._meter.took(line, self._seconds / len(self._members))
            self._seconds = 0.0


class Matching:
    """One group at a time."""

    def __init__(self) -> None:
        self._turn = Places(1)

    async def matched(
        self, lines: Sequence[Any], matches: Callable[[Any], Any], payers: Payers, *, first: bool = False
    ) -> list[Any]:
        """What `matches` makes of each line, but for what is nothing, with the line's position; or only the `first`."""
        if not lines:
            return []
        line = payers.first
        await self._turn.take(None, line)
        try:
            found = []
            begun = time.monotonic()
            for each in lines:
                if match := matches(each):
                    found.append((match, each.position))
                    if first:
                        break
                if time.monotonic() - begun > UNBROKEN_SECONDS:
                    payers.took(time.monotonic() - begun)
                    await asyncio.sleep(0)
                    begun = time.monotonic()
            payers.took(time.monotonic() - begun)
            return found
        finally:
            self._turn.give_back(line)
