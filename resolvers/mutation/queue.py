"""What waits for the writer: a line for each caller, served in turns, bounded by number and by bytes."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from resolvers.caller import Caller
from resolvers.errors import Overloaded
from resolvers.mutation.command import Command
from resolvers.mutation.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command, who gave it, who waits for the answer, and the bytes that it counts for."""

    command: Command
    caller: Caller
    answer: asyncio.Future[Outcome]
    bytes: int
    # How many commands it is in one.
    weight: int = 1


@dataclass(slots=True, eq=False)
class _Line:
    name: str
    waiting: deque[Waiting] = field(default_factory=deque)
    bytes: int = 0


class Queue:
    """Commands of one caller come out in the order in which they went in; callers take turns, a command each.

    The first half of the room is for whoever comes first, the second for those who have less than an equal share of
    the whole, one more share kept for who comes next: a caller alone may fill half.
    """

    def __init__(self, *, max_commands: int, max_bytes: int) -> None:
        self._max_commands = max_commands
        self._max_bytes = max_bytes
        self._lines: dict[str, _Line] = {}
        self._turns: deque[_Line] = deque()
        self._count = self._bytes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def bytes(self) -> int:
        """Of all that wait."""
        return self._bytes

    def put(self, item: Waiting) -> None:
        """Raises Overloaded."""
        name = item.caller.line
        line = self._lines.get(name)
        if self._is_full(line):
            raise Overloaded("too many commands are waiting")
        if line is None:
            line = self._lines[name] = _Line(name)
            self._turns.append(line)
        line.waiting.append(item)
        line.bytes += item.bytes
        self._count += 1
        self._bytes += item.bytes

    def take(self, most: int) -> list[Waiting]:
        """The next ones, no more than it takes to have `most` commands."""
        taken: list[Waiting] = []
        while self._turns and most > 0:
            line = self._turns.popleft()
            item = line.waiting.popleft()
            line.bytes -= item.bytes
            self._count -= 1
            self._bytes -= item.bytes
            if line.waiting:
                self._turns.append(line)
            else:
                del self._lines[line.name]
            taken.append(item)
            most -= item.weight
        return taken

    def _is_full(self, line: _Line | None) -> bool:
        # What the new one brings is not counted: a body larger than the limit would never come in.
        count, size = (len(line.waiting), line.bytes) if line else (0, 0)
        shares = len(self._lines) + (1 if line else 2)
        return _leaves_no_room(self._count, count, self._max_commands, shares) or _leaves_no_room(
            self._bytes, size, self._max_bytes, shares
        )


def _leaves_no_room(total: int, own: int, limit: int, shares: int) -> bool:
    return total >= limit or (2 * total >= limit and own >= max(1, limit // shares))
