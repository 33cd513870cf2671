"""What the writer forgets, and that it forgets nothing younger."""

from datetime import timedelta
from unittest.mock import patch

from models import Batch, IdempotencyKey, Issue, Occurrence, Run
from resolvers.mutation import retention, writer
from tests.resolvers.mutation.house import house as open_house
from tests.resolvers.mutation.house import kinds, report, success

EVERYTHING = timedelta(days=-1)


async def look(house):
    """Has the writer look for old rows now, and waits for it."""
    house.writer._retention._due = 0
    await house.do(success(resource_name="nobody"))
    # The writer takes the next command when it has looked.
    await house.do(success(resource_name="nobody"))


async def test_young_rows_stay(house):
    await house.do(report(run_id="1", idempotency_key="a"))
    await look(house)
    assert [len(await house.rows(model)) for model in (Run, IdempotencyKey, Batch, Occurrence)] == [1, 1, 1, 1]


async def test_a_run_that_is_forgotten_counts_again(database_url):
    async with open_house(database_url, run_memory_days=-1) as house:
        await house.do(report(run_id="1"))
        await look(house)
        assert await house.rows(Run) == []
        assert len(await house.rows(Occurrence)) == 1
        assert (await house.do(report(run_id="1"))).action == "UPDATED"
        assert (await house.row(Issue))["occurrence_count"] == 2


async def test_old_batches_and_answers_go_and_the_log_stays(house):
    with patch.object(retention, "BATCH_MEMORY", EVERYTHING), patch.object(retention, "IDEMPOTENCY_WINDOW", EVERYTHING):
        house.writer._retention = retention.Retention(house.database, run_memory_days=400)
    await house.do(report(run_id="1", idempotency_key="a"))
    await look(house)
    assert [len(await house.rows(model)) for model in (Run, IdempotencyKey, Batch)] == [1, 0, 0]
    assert kinds(await house.log()) == ["CREATED"]


async def test_many_old_rows_go_piece_by_piece(database_url):
    with patch.object(retention, "MAX_ROWS_AT_ONCE", 2):
        async with open_house(database_url, run_memory_days=-1) as house:
            house.writer._retention._due = float("inf")
            for number in range(5):
                await house.do(report(run_id=str(number)))
            left = []
            house.writer._retention._due = 0
            for _ in range(4):
                left.append(len(await house.rows(Run)))
                await house.do(success(resource_name="nobody"))
                # A transaction of our own waits until the one that deletes is over.
                await house.database.transact(nothing)
            assert left == [5, 3, 1, 0]
            assert not house.writer._retention.is_due


def nothing():
    """Work that does nothing."""
    yield from ()


async def test_statistics_are_taken_as_the_log_grows(house):
    taken = []

    async def analyze():
        taken.append((await house.log())[-1]["position"])
        raise OSError("not now")

    with patch.object(house.database, "analyze", analyze), patch.object(writer, "ANALYZE_AT_LINES", (2, 4)):
        for number in range(6):
            await house.do(report(run_id=str(number)))
    assert taken == [2, 4]
