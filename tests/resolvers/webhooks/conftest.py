"""A writer and its deliveries for each test, on each database in turn."""

import pytest

from tests.resolvers.webhooks.post import post


@pytest.fixture
async def office(database_url):
    async with post(database_url) as office:
        yield office
