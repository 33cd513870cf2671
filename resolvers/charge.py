"""What an operation was charged, and what its caller has left."""

from typing import NamedTuple, Protocol


class Charge(NamedTuple):
    """Costs are counted as in resolvers.query.cost. `limit` is the most that can be spent at once; what was spent comes
    back at `restore_rate` a second."""

    cost: int
    limit: int
    remaining: int
    restore_rate: int

    @property
    def seconds_to_full(self) -> float:
        """When all of `limit` can be spent again."""
        return (self.limit - self.remaining) / self.restore_rate


class Meter(Protocol):
    """Charges a line (see Caller.line) for what was done for it already. Never refuses: what comes next is refused."""

    def owe(self, line: str, cost: float) -> None:
        """So much."""
        ...

    def took(self, line: str, seconds: float) -> None:
        """What so many seconds of the database or of this process cost."""
        ...


class Free:
    """A meter that charges nobody."""

    def owe(self, line: str, cost: float) -> None:
        """Nothing."""

    def took(self, line: str, seconds: float) -> None:
        """Nothing."""
