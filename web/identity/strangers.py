"""How often another server is asked about tokens that were not seen before: of each network, and of all together."""

import time
from collections import Counter, OrderedDict
from math import inf

from resolvers.errors import Unavailable

# How many may be asked about or wait for that, and how many of them from one network.
WAITING = 100
WAITING_OF_ONE = 50
# And how many of them may turn out to be nobody's, in a second and at once; then nobody is asked about another.
PER_SECOND_OF_ONE = 5.0
AT_ONCE_OF_ONE = 100
PER_SECOND = 50.0
AT_ONCE = 1_000
NETWORKS_KEPT = 10_000


class Strangers:
    """Counts them. What somebody else's network sends shuts nobody out before all together send too much."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._of: Counter[str] = Counter()
        # When the last of them is forgotten, one after the other; the last to send is the last.
        self._until: OrderedDict[str, float] = OrderedDict()
        self._all_until = -inf

    def __contains__(self, digest: str) -> bool:
        return digest in self._waiting

    def take_a_turn(self, digest: str, network: str) -> None:
        """For a token that was not seen before. Raises Unavailable."""
        now = time.monotonic()
        of_one = (self._until.get(network, -inf) - now) * PER_SECOND_OF_ONE
        of_all = (self._all_until - now) * PER_SECOND
        is_full = len(self._waiting) >= WAITING or self._of[network] >= WAITING_OF_ONE
        if is_full or of_one + 1 > AT_ONCE_OF_ONE or of_all + 1 > AT_ONCE:
            raise Unavailable("too many tokens come that nobody knows")
        self._waiting[digest] = network
        self._of[network] += 1

    def is_nobody(self, digest: str) -> None:
        """A token that has its turn turned out to be nobody's."""
        now, network = time.monotonic(), self._waiting[digest]
        self._until[network] = max(self._until.get(network, now), now) + 1 / PER_SECOND_OF_ONE
        self._until.move_to_end(network)
        if len(self._until) > NETWORKS_KEPT:
            self._until.popitem(last=False)
        self._all_until = max(self._all_until, now) + 1 / PER_SECOND

    def give_back(self, digest: str) -> None:
        """Its turn is over, if it had one."""
        network = self._waiting.pop(digest, None)
        if network is not None:
            self._of[network] -= 1
            if not self._of[network]:
                del self._of[network]
