"""A subscription that the database takes too long to answer ends, and its client is told so."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest

from models.database import Fetch, Statement
from resolvers.errors import TimedOut
from tests.resolvers.mutation.house import report
from tests.resolvers.query.test_timeouts import SLOW
from tests.resolvers.subscription.watching import EVENTS, watching

STATS = "subscription { issueStats { total } }"


@pytest.fixture
async def house(database_url):
    async with watching(database_url, query_timeout_seconds=0.8) as house:
        yield house


@contextmanager
def slow(house):
    """The planner asks something slow instead."""
    read = house.planner._read

    def work():
        yield Fetch(Statement(SLOW[house.database.name], (), {}, frozenset()))

    with patch.object(house.planner, "_read", lambda _, statements, *others: read(work, statements, *others)):
        yield


@pytest.mark.parametrize("text", [STATS, EVENTS])
async def test_it_ends_and_can_be_asked_for_anew(house, text):
    async with house.watch(text) as one, house.watch(text) as two:
        await one.next()
        await two.next()
        with slow(house):
            await house.do(report())
            for watcher in (one, two):
                with pytest.raises(TimedOut) as ended:
                    await watcher.next()
                assert ended.value.code == "TIMEOUT"
    assert not house.streams.groups
    async with house.watch(text) as again:
        await again.next()
