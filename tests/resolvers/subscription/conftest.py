"""A house to watch, on each database in turn or on one for what no database decides."""

import pytest

from tests.resolvers.subscription.watching import watching


@pytest.fixture
async def house(database_url):
    async with watching(database_url) as house:
        yield house


@pytest.fixture
async def one_house(sqlite_url):
    async with watching(sqlite_url) as house:
        yield house
