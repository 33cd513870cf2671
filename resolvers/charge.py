"""What an operation was charged, and what its caller has left."""

from typing import NamedTuple


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
