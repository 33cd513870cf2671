"""Positions: opaque to clients, but of one log and in order."""

import pytest

from models.database import Database
from resolvers.errors import BadRequest, PositionExpired
from resolvers.subscription import Log

LOG = Log("0123456789ab")


async def test_a_position_names_the_log_of_its_database(database_url):
    database = Database(database_url)
    try:
        first, again = await Log.load(database), await Log.load(database)
    finally:
        await database.close()
    assert first.identity == again.identity
    assert len(first.text(7)) == 28


@pytest.mark.parametrize("number", [0, 1, 255, 10**12, 2**63 - 1])
def test_a_number_survives_the_way_to_a_client_and_back(number):
    assert LOG.number(LOG.text(number)) == number


def test_later_positions_compare_greater_as_text():
    numbers = [0, 9, 10, 15, 16, 99, 100, 255, 256, 2**40]
    assert sorted(map(LOG.text, numbers)) == list(map(LOG.text, numbers))


def test_a_position_of_another_log_is_refused_not_skipped_to():
    with pytest.raises(PositionExpired):
        LOG.number(Log("ba9876543210").text(3))


@pytest.mark.parametrize(
    "text", ["", "7", LOG.text(7)[:-1], LOG.text(7) + "0", LOG.text(7).upper(), "x" * 28, LOG.text(2**63)]
)
def test_what_is_no_position_is_the_callers_mistake(text):
    with pytest.raises(BadRequest):
        LOG.number(text)
