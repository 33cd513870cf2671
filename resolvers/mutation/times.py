"""Times as senders tell them: their clocks are not ours."""

from models.values import time_of, to_datetime
from resolvers.mutation.limits import MAX_SKEW


def told_time(at: str | None, *, now: str) -> str | None:
    """The time; none where it is further ahead than clocks differ."""
    is_ahead = at is not None and at > now and at > time_of(to_datetime(now) + MAX_SKEW)
    return None if is_ahead else at
