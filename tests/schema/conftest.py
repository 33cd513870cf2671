"""A planner, a writer and the executor, for each test, on each database in turn."""

import pytest

from tests.resolvers.query.house import asking


@pytest.fixture
async def house(database_url):
    async with asking(database_url) as house:
        yield house
