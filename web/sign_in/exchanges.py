"""How often the identity provider is asked for whoever comes back from there."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from resolvers.access.secret import digest_of
from resolvers.errors import Unavailable
from web.buckets import Buckets

# Of one network: nobody knows yet who it is.
EXCHANGE_COST = 10_000
# Of all: how many are under way, and how many wait for that.
AT_ONCE = 10
WAITING = 100
STATES_KEPT = 10_000


class Exchanges:
    """Counts those under way, and remembers who came back."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._room = asyncio.Semaphore(AT_ONCE)
        self._there = 0
        # Digests: a state of a stranger's may be as long as a header.
        self._used: OrderedDict[str, None] = OrderedDict()

    def is_first(self, state: str) -> bool:
        """Whether nobody came back with it before; from now on somebody did."""
        digest = digest_of(state)
        if digest in self._used:
            return False
        self._used[digest] = None
        if len(self._used) > STATES_KEPT:
            self._used.popitem(last=False)
        return True

    @asynccontextmanager
    async def turn(self, network: str) -> AsyncIterator[None]:
        """Within it, the provider is asked. Raises RateLimited for a network that asked too much, and Unavailable."""
        await self._buckets.spend(f"NETWORK:{network}", EXCHANGE_COST)
        if self._there >= AT_ONCE + WAITING:
            raise Unavailable("Too many sign in at once. Try again later.")
        self._there += 1
        try:
            async with self._room:
                yield
        finally:
            self._there -= 1
