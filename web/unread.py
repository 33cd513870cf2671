"""What was written to clients and is not read yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from web.asgi import Scope

# In `scope["extensions"]`: a Holds of this connection.
HOLDS = "issuegraph.holds"


class Holds(Protocol):
    """Is told that an application holds so many bytes more for a client, or, below zero, less."""

    def __call__(self, count: int, /) -> None: ...


class Reader(Protocol):
    """A connection whose client reads, or does not."""

    def cut(self) -> None:
        """Ends at once, for the memory that it holds."""
        ...


class Unread:
    """All together hold `most` bytes; beyond that the client that leaves something unread for longest is ended.

    So whoever reads slowly takes no memory from those who read. What the system's sockets hold is not counted.
    """

    def __init__(self, most: int) -> None:
        self.held = 0
        self._most = most
        # In the order in which they began to leave something.
        self._by_reader: dict[Reader, int] = {}

    def add(self, reader: Reader, count: int) -> None:
        """So much more is there for a client, or less; one that has nothing is forgotten."""
        has = self._by_reader.get(reader, 0) + count
        if has <= 0:
            self.forget(reader)
            return
        self._by_reader[reader] = has
        self.held += count
        while self.held > self._most:
            longest = next(iter(self._by_reader))
            self.forget(longest)
            longest.cut()

    def forget(self, reader: Reader) -> None:
        """A client has taken everything, or is gone."""
        self.held -= self._by_reader.pop(reader, 0)


def hold(scope: Scope, count: int) -> None:
    """An application holds so many bytes more for the client of a request, or less."""
    holds: Holds | None = scope.get("extensions", {}).get(HOLDS)
    if holds is not None:
        holds(count)


@contextmanager
def held_for(scope: Scope, count: int) -> Iterator[None]:
    """While it sends them."""
    hold(scope, count)
    try:
        yield
    finally:
        hold(scope, -count)
