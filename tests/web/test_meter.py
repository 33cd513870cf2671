"""What was done already is charged afterwards, and what comes next is refused."""

import pytest

from resolvers.errors import RateLimited
from web.buckets import MOST_OWED, MemoryBuckets, RedisBuckets
from web.meter import FREE_SECONDS, SECONDS_OF_A_SECOND, BucketMeter


@pytest.fixture
def clock():
    class Clock:
        now = 1_024.0

        def __call__(self):
            return self.now

    return Clock()


async def test_what_took_long_is_charged(clock):
    buckets = MemoryBuckets(16, 100, clock=clock)
    meter = BucketMeter(buckets, 16)
    meter.took("ada", FREE_SECONDS)
    assert (await buckets.spend("ada", 1)).remaining == 99
    meter.took("ada", FREE_SECONDS + 1.5)
    assert (await buckets.spend("ada", 1)).remaining == 98 - 1.5 * 16 * SECONDS_OF_A_SECOND
    assert (await buckets.spend("bob", 1)).remaining == 99


async def test_nobody_owes_more_than_a_bucket_twice(clock):
    buckets = MemoryBuckets(16, 100, clock=clock)
    buckets.owe("ada", 10**9)
    with pytest.raises(RateLimited) as refused:
        await buckets.spend("ada", 1)
    assert refused.value.retry_after == pytest.approx((MOST_OWED * 100 + 1 - 100) / 16, abs=1)
    clock.now += MOST_OWED * 100 / 16
    assert (await buckets.spend("ada", 1)).remaining == 99


async def test_parts_of_a_cost_add_up(clock):
    buckets = MemoryBuckets(16, 100, clock=clock)
    meter = BucketMeter(buckets, 16)
    for _ in range(8):
        meter.owe("ada", 0.5)
    assert (await buckets.spend("ada", 1)).remaining == 95


async def test_in_redis_too(redis_url):
    buckets = RedisBuckets(redis_url, 1, 100)
    buckets.owe("owing-ada", 50)
    while buckets._owing:
        await next(iter(buckets._owing))
    assert (await buckets.spend("owing-ada", 1)).remaining in (49, 50)
    buckets.owe("owing-ada", 10**9)
    while buckets._owing:
        await next(iter(buckets._owing))
    with pytest.raises(RateLimited) as refused:
        await buckets.spend("owing-ada", 1)
    assert 95 <= refused.value.retry_after <= 102
    await buckets.close()
