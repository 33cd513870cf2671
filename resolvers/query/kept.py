"""A cache that is bounded by number and by size."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """What was made once to be used again; the least used goes when there are more than `most`, or too large ones.

    `most_weight` is the most that all of them may weigh together, in whatever unit `put` is given. What stays is
    neither counted nor weighed.
    """

    def __init__(self, most: int, most_weight: int) -> None:
        self._most = most
        self._most_weight = most_weight
        self._weight = 0
        self._kept: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._staying: dict[Hashable, V] = {}
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept) + len(self._staying)

    def __contains__(self, key: Hashable) -> bool:
        """Whether it is kept; not counted."""
        return key in self._kept or key in self._staying

    @property
    def weight(self) -> int:
        """Of all that is kept."""
        return self._weight

    def get(self, key: Hashable) -> V | None:
        """What was put there, if it is still kept."""
        found = self._kept.get(key)
        if found is not None:
            self.hits += 1
            self._kept.move_to_end(key)
            return found[0]
        staying = self._staying.get(key)
        if staying is None:
            self.misses += 1
        else:
            self.hits += 1
        return staying

    def stay(self, key: Hashable, value: V) -> None:
        """Keeps a value for good."""
        self._staying[key] = value

    def put(self, key: Hashable, value: V, weight: int) -> None:
        """Keeps a value; one that alone is too heavy is not kept."""
        if weight > self._most_weight:
            return
        _, replaced = self._kept.pop(key, (None, 0))
        self._kept[key] = (value, weight)
        self._weight += weight - replaced
        while len(self._kept) > self._most or self._weight > self._most_weight:
            _, (_, gone) = self._kept.popitem(last=False)
            self._weight -= gone
