"""A leaky bucket for each caller: what fits, what comes back, and the same in Redis for all replicas together."""

import asyncio
import logging
from uuid import uuid4

import pytest

from resolvers.charge import Charge
from resolvers.errors import RateLimited
from web import buckets
from web.buckets import MemoryBuckets, RedisBuckets


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


async def test_a_burst_fits_and_what_was_spent_comes_back(clock):
    some = MemoryBuckets(10, 100, clock=clock)
    assert await some.spend("a", 60) == Charge(60, 100, 40, 10)
    assert await some.spend("a", 40) == Charge(40, 100, 0, 10)
    with pytest.raises(RateLimited) as refused:
        await some.spend("a", 25)
    assert refused.value.retry_after == 3
    clock.now += 2.4
    with pytest.raises(RateLimited):
        await some.spend("a", 25)
    clock.now += 0.2
    assert await some.spend("a", 25) == Charge(25, 100, 1, 10)
    clock.now += 1000
    assert await some.spend("a", 1) == Charge(1, 100, 99, 10)


async def test_what_was_refused_costs_nothing(clock):
    some = MemoryBuckets(10, 100, clock=clock)
    for _ in range(1000):
        with pytest.raises(RateLimited):
            await some.spend("a", 101)
    assert (await some.spend("a", 100)).remaining == 0


async def test_callers_have_buckets_of_their_own(clock):
    some = MemoryBuckets(10, 100, clock=clock)
    await some.spend("a", 100)
    assert (await some.spend("b", 1)).remaining == 99


async def test_of_too_many_callers_those_are_forgotten_who_owe_nothing(clock, monkeypatch):
    monkeypatch.setattr(buckets, "CALLERS_KEPT", 10)
    monkeypatch.setattr(buckets, "FORGOTTEN_AT_ONCE", 1)
    some = MemoryBuckets(10, 100, clock=clock)
    await some.spend("owes much", 100)
    some.owe("owes more", 150)
    for number in range(8):
        await some.spend(f"owes little {number}", 10)
    clock.now += 2
    await some.spend("new", 1)
    assert some._empty_at.keys() == {"owes much", "owes more", "new"}


async def test_where_all_owe_those_are_forgotten_who_owe_least(clock, monkeypatch):
    monkeypatch.setattr(buckets, "CALLERS_KEPT", 10)
    monkeypatch.setattr(buckets, "FORGOTTEN_AT_ONCE", 3)
    some = MemoryBuckets(10, 100, clock=clock)
    await some.spend("owes much", 100)
    for number in range(1, 1_000):
        await some.spend(f"stranger {number}", 1 + number % 50)
        assert len(some._empty_at) <= 10
    assert (await some.spend("stranger 1000", 1)).remaining == 99
    with pytest.raises(RateLimited):
        await some.spend("owes much", 1)


def replicas(url, count):
    return [RedisBuckets(url, 10, 1_000) for _ in range(count)]


async def test_replicas_share_a_bucket_in_redis(redis_url):
    one, other = replicas(redis_url, 2)
    caller = f"TOKEN:{uuid4()}"
    try:
        assert await one.spend(caller, 600) == Charge(600, 1_000, 400, 10)
        assert 0 <= (await other.spend(caller, 400)).remaining <= 50
        with pytest.raises(RateLimited) as refused:
            await one.spend(caller, 500)
        assert 40 <= refused.value.retry_after <= 50
        assert (await other.spend(f"TOKEN:{uuid4()}", 1)).remaining == 999
    finally:
        await asyncio.gather(one.close(), other.close())


async def test_no_more_than_fits_is_spent_by_all_at_once(redis_url, monkeypatch):
    # A busy machine is no Redis that is away.
    monkeypatch.setattr(buckets, "REDIS_SECONDS", 60)
    some = replicas(redis_url, 3)
    caller = f"TOKEN:{uuid4()}"
    try:
        spending = [each.spend(caller, 20) for each in some for _ in range(40)]
        done = await asyncio.gather(*spending, return_exceptions=True)
    finally:
        await asyncio.gather(*(each.close() for each in some))
    charged = [each for each in done if isinstance(each, Charge)]
    # As much as fits, and what came back meanwhile.
    assert 50 <= len(charged) <= 60
    assert all(isinstance(each, Charge | RateLimited) for each in done)


async def test_without_its_redis_each_replica_counts_for_itself(clock, caplog):
    alone = RedisBuckets("redis://:secret@127.0.0.1:9", 10, 100, clock=clock)
    try:
        with caplog.at_level(logging.WARNING):
            assert await alone.spend("a", 60) == Charge(60, 100, 40, 10)
            assert await alone.spend("a", 40) == Charge(40, 100, 0, 10)
            with pytest.raises(RateLimited):
                await alone.spend("a", 1)
        assert len(caplog.records) == 1
        assert "secret" not in caplog.text
        clock.now += 6
        await alone.spend("a", 1)
        assert len(caplog.records) == 2
    finally:
        await alone.close()


@pytest.mark.parametrize("answer", [b"+OK\r\n", b"$-1\r\n", b":x\r\n", b"?\r\n"])
async def test_a_redis_that_answers_something_else_is_none(answer):
    async def odd(reader, writer):
        while await reader.read(1_000):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    some = RedisBuckets(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", 10, 100)
    assert await some.spend("a", 60) == Charge(60, 100, 40, 10)
    await some.close()
    server.close()
