"""How much each caller may spend: a leaky bucket of cost, here or in Redis, where all replicas share it."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from resolvers.charge import Charge
from resolvers.errors import RateLimited

logger = logging.getLogger(__name__)

# Past so many callers, those are forgotten who owe nothing; where these are few, those who owe least.
CALLERS_KEPT = 10_000
# So many at once at least, as it takes looking at all.
FORGOTTEN_AT_ONCE = 1_000
# A Redis that takes longer is no help.
REDIS_SECONDS = 0.5
# How long a Redis that is away is not asked again.
PAUSE_SECONDS = 5.0
REDIS_CONNECTIONS = 20
# Buckets full, of what was charged afterwards.
MOST_OWED = 2


class Buckets(Protocol):
    """A bucket for each caller."""

    async def spend(self, caller: str, cost: int) -> Charge:
        """Puts `cost` into the caller's bucket. Raises RateLimited, and takes nothing, when it does not fit."""
        ...

    def owe(self, caller: str, cost: int) -> None:
        """Puts `cost` into the caller's bucket though it may not fit: nobody owes more than fits twice."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds."""
        ...


class MemoryBuckets:
    """Of this process alone. What was spent leaks away at `rate` a second, `burst` is what fits."""

    def __init__(self, rate: int, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._empty_at: dict[str, float] = {}

    async def spend(self, caller: str, cost: int) -> Charge:
        """See Buckets."""
        now = self._clock()
        empty_at = max(self._empty_at.get(caller, now), now)
        level = (empty_at - now) * self._rate + cost
        if level > self._burst:
            raise RateLimited((level - self._burst) / self._rate)
        self._put(caller, empty_at + cost / self._rate)
        return Charge(cost, self._burst, int(self._burst - level), self._rate)

    def owe(self, caller: str, cost: int) -> None:
        """See Buckets."""
        now = self._clock()
        empty_at = max(self._empty_at.get(caller, now), now)
        self._put(caller, min(empty_at + cost / self._rate, now + MOST_OWED * self._burst / self._rate))

    def _put(self, caller: str, empty_at: float) -> None:
        self._empty_at[caller] = empty_at
        if len(self._empty_at) > CALLERS_KEPT:
            self._forget()

    def _forget(self) -> None:
        now = self._clock()
        paid = sum(each <= now for each in self._empty_at.values())
        by_debt = sorted(self._empty_at, key=self._empty_at.__getitem__)
        for caller in by_debt[: max(paid, FORGOTTEN_AT_ONCE)]:
            del self._empty_at[caller]

    async def close(self) -> None:
        """Nothing to let go of."""


# The same reckoning in one step there, by Redis's own clock.
_SPEND = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local level = (empty_at - now) * rate + cost
local most = tonumber(ARGV[4])
if most > 0 and level > most * burst then
  cost = math.max(0, cost - (level - most * burst))
  level = (empty_at - now) * rate + cost
end
if level <= burst or most > 0 then
  redis.call('SET', KEYS[1], string.format('%.6f', empty_at + cost / rate), 'EX', math.ceil(level / rate) + 1)
end
return string.format('%.3f', level)
"""


class RedisBuckets:
    """In Redis. While that is away, each replica counts for itself."""

    def __init__(self, url: str, rate: int, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis

        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=REDIS_CONNECTIONS,
            timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        self._redis: Any = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SPEND)
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._own = MemoryBuckets(rate, burst, clock=clock)
        self._ask_from = 0.0
        self._owing: set[asyncio.Task[None]] = set()

    async def spend(self, caller: str, cost: int) -> Charge:
        """See Buckets."""
        from redis.exceptions import RedisError

        if self._clock() < self._ask_from:
            return await self._own.spend(caller, cost)
        try:
            found = await self._script(keys=[f"issuegraph:spent:{caller}"], args=[self._rate, self._burst, cost, 0])
            level = float(found)
        except (RedisError, OSError, TimeoutError, ValueError, TypeError) as error:
            self._ask_from = self._clock() + PAUSE_SECONDS
            logger.warning("limits are counted here, Redis cannot be asked: %s", type(error).__name__)
            return await self._own.spend(caller, cost)
        if level > self._burst:
            raise RateLimited((level - self._burst) / self._rate)
        return Charge(cost, self._burst, int(self._burst - level), self._rate)

    def owe(self, caller: str, cost: int) -> None:
        """See Buckets."""
        task = asyncio.get_running_loop().create_task(self._owe(caller, cost), name="owing")
        self._owing.add(task)
        task.add_done_callback(self._owing.discard)

    async def _owe(self, caller: str, cost: int) -> None:
        from redis.exceptions import RedisError

        if self._clock() >= self._ask_from:
            try:
                await self._script(keys=[f"issuegraph:spent:{caller}"], args=[self._rate, self._burst, cost, MOST_OWED])
            except (RedisError, OSError, TimeoutError, ValueError):
                self._ask_from = self._clock() + PAUSE_SECONDS
            else:
                return
        self._own.owe(caller, cost)

    async def close(self) -> None:
        """Closes the connections."""
        from redis.exceptions import RedisError

        with suppress(RedisError, OSError):
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()


def buckets(url: str, rate: int, burst: int) -> Buckets:
    """The buckets that a URL names; see `check_url`."""
    return MemoryBuckets(rate, burst) if url == "memory://" else RedisBuckets(url, rate, burst)


def check_url(url: str) -> None:
    """Raises ValueError for what is neither `memory://` nor a Redis."""
    if url == "memory://":
        return
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("must be memory://, or begin with redis:// or rediss://")
    try:
        _ = urlsplit(url).port
    except ValueError:
        # What urllib says of it may hold the password.
        raise ValueError("is not a URL: its host or port is not as URLs have them") from None
