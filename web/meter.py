"""Charges afterwards: what took long, and what goes on for who subscribed."""

from collections import Counter

from web.buckets import Buckets

# While the database is slow every read takes long, and nobody is to blame: only what is beyond this is charged.
FREE_SECONDS = 5.0
# A second is charged as what comes back in so many: who reads without end has half a reader.
SECONDS_OF_A_SECOND = 2


class BucketMeter:
    """See resolvers.charge.Meter. `rate` is what comes back a second."""

    def __init__(self, buckets: Buckets, rate: int) -> None:
        self._buckets = buckets
        self._rate = rate
        # Less than 1.
        self._rest: Counter[str] = Counter()

    def owe(self, line: str, cost: float) -> None:
        """See Meter."""
        owed = cost + self._rest.pop(line, 0)
        if owed >= 1:
            self._buckets.owe(line, int(owed))
        elif len(self._rest) < 10_000:
            self._rest[line] = owed  # type: ignore[assignment]

    def took(self, line: str, seconds: float) -> None:
        """See Meter; a short time is free."""
        if seconds > FREE_SECONDS:
            self.owe(line, (seconds - FREE_SECONDS) * self._rate * SECONDS_OF_A_SECOND)
