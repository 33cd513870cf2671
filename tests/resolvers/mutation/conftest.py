"""A writer for each test, on each database in turn."""

import pytest

from tests.resolvers.mutation.house import house as open_house


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house
