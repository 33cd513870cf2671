"""The log can rebuild the tables, row for row, whatever was done; only what retention removed is more in the log."""

import asyncio
import random

import pytest

from models import EventLog, Issue
from models.words import EVENT_KINDS
from tests.resolvers.mutation.house import BOB, TEKTON, count_transactions
from tests.resolvers.mutation.house import house as open_house
from tests.resolvers.mutation.random_commands import RandomCommands
from tests.resolvers.mutation.replay import replayed, tables

ALL_KEPT = 1_000_000


async def play(house, seed, rounds=150):
    """Rounds of commands that wait together, and what came of all."""
    dice = random.Random(seed)
    commands = RandomCommands(dice)
    outcomes = []
    for _ in range(rounds):
        ids = [row["id"] for row in await house.rows(Issue)]
        batch = [commands.next(ids) for _ in range(dice.choice((1, 2, 5, 20)))]
        outcomes += await asyncio.gather(*(house.do(command, dice.choice((BOB, TEKTON))) for command in batch))
    return outcomes


@pytest.mark.parametrize("seed", range(2))
async def test_the_log_from_its_first_line_gives_the_tables(database_url, seed):
    async with open_house(database_url, occurrences_kept=ALL_KEPT) as house:
        outcomes = await play(house, seed)
        told, lines = await replayed(house)
        found = await tables(house)
    for name, rows in found.items():
        assert told[name] == rows, name
    # It was worth it.
    assert {line["kind"] for line in lines} == set(EVENT_KINDS)
    assert {outcome.action for outcome in outcomes} == {None, "CREATED", "UPDATED", "REOPENED", "UNCHANGED"}
    assert {error.code for outcome in outcomes for error in outcome.errors} >= {"NOT_FOUND", "CONFLICT"}
    assert [line for line in lines if line["kind"] == "UPDATED" and line["after"] is None]
    # Positions have no gap, and answers know them.
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    assert max(outcome.position for outcome in outcomes) == len(lines)


async def test_the_end_of_the_log_is_its_last_line(house):
    await play(house, seed=5, rounds=10)
    assert (await house.row(EventLog))["end"] == (await house.log())[-1]["position"]


async def test_nothing_that_commands_can_do_is_refused_by_the_database(house):
    with count_transactions(house) as batches:
        outcomes = await play(house, seed=6, rounds=30)
    # Each command was decided in one transaction only; some wait for rows that a neighbour made relevant.
    assert sum(len(batch.answers) for batch in batches) == len(outcomes)


async def test_old_occurrences_are_in_the_log_alone(database_url):
    async with open_house(database_url, occurrences_kept=2) as house:
        await play(house, seed=7)
        told, _ = await replayed(house)
        found = await tables(house)
    occurrences, kept = told.pop("occurrence"), found.pop("occurrence")
    assert told == found
    assert kept.items() <= occurrences.items()
    assert len(kept) < len(occurrences)
    for id, issue in found["issue"].items():
        all_of_it = sorted(key for key, row in occurrences.items() if row["issue_id"] == id)
        assert len(all_of_it) == issue["occurrence_count"]
        assert sorted(key for key, row in kept.items() if row["issue_id"] == id) == all_of_it[-2:]
