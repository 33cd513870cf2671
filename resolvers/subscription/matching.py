"""What the log brought is looked through for one group after the other, callers in turn, and others come in between."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from models.places import Places
from resolvers.caller import Caller
from resolvers.charge import Meter

# After so much without a break everything else in the process has its turn.
UNBROKEN_SECONDS = 0.005


class Payers:
    """The members of a group, by their lines: they pay for it together."""

    def __init__(self, meter: Meter, first: Caller) -> None:
        self._meter = meter
        self._members: Counter[str] = Counter()
        self._callers: dict[str, Caller] = {}
        # In this one's line is done what is done for all: who is there longest, until it is too much for him. The last
        # one, where all have gone.
        self.first = first

    def __contains__(self, line: str) -> bool:
        return line in self._members

    def join(self, caller: Caller) -> None:
        """A member more."""
        self._members[caller.line] += 1
        self._callers.setdefault(caller.line, caller)

    def leave(self, line: str) -> None:
        """A member less."""
        self._members[line] -= 1
        if not self._members[line]:
            del self._members[line], self._callers[line]
            if line == self.first.line:
                self.first = next(iter(self._callers.values()), self.first)

    def pass_on(self) -> None:
        """The next one does what is done for all: it was too much for the first, and others must not wait for him."""
        lines = [*self._callers]
        if self.first.line in self._callers:
            self.first = self._callers[lines[(lines.index(self.first.line) + 1) % len(lines)]]

    def owe(self, cost: int) -> None:
        """Each line pays its part."""
        for line in self._members:
            self._meter.owe(line, cost / len(self._members))


class Matching:
    """One group at a time."""

    def __init__(self) -> None:
        self._turn = Places(1)

    async def matched(
        self, lines: Sequence[Any], matches: Callable[[Any], Any], line: str, *, first: bool = False
    ) -> list[Any]:
        """What `matches` makes of each line, but for what is nothing, with the line's position; or only the `first`.

        It is done in the turn of the caller with this `line`.
        """
        if not lines:
            return []
        await self._turn.take(line)
        try:
            found = []
            begun = time.monotonic()
            for each in lines:
                if match := matches(each):
                    found.append((match, each.position))
                    if first:
                        break
                if time.monotonic() - begun > UNBROKEN_SECONDS:
                    await asyncio.sleep(0)
                    begun = time.monotonic()
            return found
        finally:
            self._turn.give_back(line)
