"""Who waits for a place: a line for each name, and the lines take turns."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

# What the server reads by itself: it holds as much as it needs.
OWN = ""


def share_of(most: int) -> int:
    """How many of the places one line may hold: a quarter, and at least one if there are several, is for others."""
    return max(1, most - max(1, most // 4))


class Lines:
    """Futures that wait: of one line in the order in which they came, of several one each in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[asyncio.Future[Any]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def put(self, name: str, future: "asyncio.Future[Any]") -> None:
        """Waits from now on."""
        self._lines.setdefault(name, deque()).append(future)

    def remove(self, name: str, future: "asyncio.Future[Any]") -> None:
        """Waits no more, if it still does."""
        line = self._lines.get(name)
        if line is not None and future in line:
            line.remove(future)
            if not line:
                del self._lines[name]

    def next(self, may: Callable[[str], bool]) -> "tuple[str, asyncio.Future[Any]] | None":
        """Takes the first of the line whose turn it is, of those that may."""
        for name in list(self._lines):
            if not may(name):
                continue
            line = self._lines[name]
            while line:
                future = line.popleft()
                if not future.done():
                    if line:
                        self._lines.move_to_end(name)
                    else:
                        del self._lines[name]
                    return name, future
            del self._lines[name]
        return None


class Held:
    """How many places each line holds, of `most`."""

    def __init__(self, most: int) -> None:
        self._share = share_of(most)
        self._counted: dict[str, int] = {}

    def may(self, name: str) -> bool:
        """Whether the line may have one more."""
        return name == OWN or self._counted.get(name, 0) < self._share

    def add(self, name: str) -> None:
        """One more."""
        self._counted[name] = self._counted.get(name, 0) + 1

    def remove(self, name: str) -> None:
        """One less."""
        if self._counted[name] > 1:
            self._counted[name] -= 1
        else:
            del self._counted[name]
