"""What the writer forgets, and that it forgets nothing younger."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import update

from models import (
    Batch,
    Change,
    Deployment,
    DeploymentChange,
    EventLog,
    IdempotencyKey,
    Issue,
    IssueEvent,
    Occurrence,
    Run,
    TrackedIssue,
)
from models.database import Fetch, Statement, Write
from models.values import new_id, time_of
from resolvers.mutation import (
    DeleteIssue,
    DeployedChange,
    RecordChange,
    RecordDeployment,
    TrackIssue,
    UpdateIssue,
    retention,
    writer,
)
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


async def test_many_old_rows_go_piece_by_piece_with_commands_in_between(database_url):
    with patch.object(retention, "MAX_ROWS_AT_ONCE", 2), patch.object(retention, "PAUSE_SECONDS", 3_600):
        async with open_house(database_url, run_memory_days=-1) as house:
            await look(house)
            for number in range(5):
                await house.do(report(run_id=str(number)))
            left = []
            for _ in range(4):
                left.append(len(await house.rows(Run)))
                await look(house)
                # Within the pause nothing more goes.
                await house.do(success(resource_name="nobody"))
            assert left == [5, 3, 1, 0]


async def test_a_server_that_nobody_reports_to_forgets_as_well(database_url):
    with (
        patch.object(retention, "MAX_ROWS_AT_ONCE", 2),
        patch.object(retention, "PAUSE_SECONDS", 0.01),
        patch.object(retention, "INTERVAL_SECONDS", 0.2),
    ):
        async with open_house(database_url, run_memory_days=-1) as house:
            await asyncio.gather(*(house.do(report(run_id=str(number))) for number in range(5)))
            async with asyncio.timeout(30):
                while await house.rows(Run):
                    await asyncio.sleep(0.01)
            assert (await house.row(Issue))["occurrence_count"] == 5


async def test_statistics_are_taken_as_the_log_grows(house):
    taken = asyncio.Semaphore(0)

    async def analyze():
        taken.release()
        raise OSError("not now")

    with patch.object(house.database, "analyze", analyze), patch.object(writer, "ANALYZE_AT_LINES", (2, 4)):
        for lines in range(1, 7):
            await house.do(report(run_id=str(lines)))
            if lines in (2, 4):
                await asyncio.wait_for(taken.acquire(), 20)
    assert taken.locked()


async def test_whoever_holds_up_the_statistics_holds_up_no_report(database_url):
    begun = asyncio.Event()

    async def analyze():
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(60), open_house(database_url) as house:
        with patch.object(house.database, "analyze", analyze), patch.object(writer, "ANALYZE_AT_LINES", (1, 2)):
            await house.do(report(run_id="1"))
            await begun.wait()
            await house.do(report(run_id="2"))
            await house.do(report(run_id="3"))


def aged(house, days, **where):
    """Makes the lines of the log so many days older; `where` is a column's value."""
    then = time_of(datetime.now(UTC) - timedelta(days=days))
    statement = update(IssueEvent).values(at=then).filter_by(**where)

    def work():
        yield Write(house.database.compile(statement), [{}])

    return house.database.transact(work)


async def pruned_to(house):
    return (await house.row(EventLog))["pruned_to"]


async def test_the_log_of_an_issue_stays_for_400_days_after_it_and_as_long_as_it(house):
    (gone,) = (await house.do(report(resource_name="gone"))).issue_ids
    (there,) = (await house.do(report(resource_name="there"))).issue_ids
    await house.do(DeleteIssue(id=gone))
    await house.do(UpdateIssue(id=there, title="still"))
    await aged(house, 399)
    await look(house)
    assert kinds(await house.log()) == ["CREATED", "CREATED", "DELETED", "UPDATED"]
    assert await pruned_to(house) == 0
    # However old its first lines are, its deletion counts.
    await aged(house, 3_000, kind="CREATED")
    await look(house)
    assert len(await house.log()) == 4
    await aged(house, 401)
    await look(house)
    assert [line["issue_id"] for line in await house.log()] == [there, there]
    assert await pruned_to(house) == 3
    # The next line has the next number.
    end = (await house.row(EventLog))["end"]
    await house.do(UpdateIssue(id=there, title="more"))
    assert (await house.log())[-1]["position"] == end + 1 == 5


async def test_a_long_log_goes_piece_by_piece_and_is_never_forgotten_halfway(house):
    for number in range(3):
        (id,) = (await house.do(report(resource_name=f"{number}"))).issue_ids
        for again in range(3):
            await house.do(report(resource_name=f"{number}", run_id=f"{again}"))
        await house.do(DeleteIssue(id=id))
    await aged(house, 500)
    left = []
    with patch.object(retention, "MAX_ROWS_AT_ONCE", 4), patch.object(retention, "MAX_ISSUES_AT_ONCE", 2):
        for _ in range(4):
            await look(house)
            left.append(len(await house.log()))
    assert left == [11, 7, 3, 0]
    assert house.writer._retention.due_in > retention.PAUSE_SECONDS
    assert await pruned_to(house) == (await house.row(EventLog))["end"] == 15


async def plan_of(house, statement, values):
    """What the database says of how it runs a statement; PostgreSQL must not take the whole of a small table."""
    sqlite = house.database.name == "sqlite"
    explained = replace(statement, sql=f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement.sql}")

    def work():
        if not sqlite:
            yield Fetch(Statement("SET LOCAL enable_seqscan = off", (), {}))
        return (yield Fetch(explained, values))

    return "\n".join(str(row[-1]) for row in await house.database.transact(work))


async def test_old_lines_are_found_without_reading_the_log(house):
    await house.do(report())
    search = {"before": time_of(datetime.now(UTC)), "count": 9}
    plan = await plan_of(house, house.writer._retention._gone_issues, search)
    assert "ix_issue_event_deleted" in plan, plan
    plan = await plan_of(house, house.writer._retention._delete_lines, {"issue_id": new_id(), "count": 9})
    assert "ix_issue_event_issue" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "SCAN issue_event" not in plan, plan


async def test_deployments_and_what_other_trackers_closed_are_forgotten_but_not_what_is_open_there(house):
    own: dict[str, Any] = {"namespace": "team", "source": "devlake"}
    old = "2020-01-01T00:00:00.000000Z"
    for id in ("old", "new"):
        await house.do(RecordDeployment(**own, external_id=id, changes=(DeployedChange(sha=id),)))
        await house.do(RecordChange(**own, kind="commit", external_id=id))
        await house.do(TrackIssue(**own, external_id=f"{id} closed", kind="TASK", state="RESOLVED", report=None))
        await house.do(TrackIssue(**own, external_id=f"{id} open", kind="TASK", state="ACTIVE", report=None))

    def aging():
        for model in (Deployment, Change, TrackedIssue):
            is_old = model.external_id.startswith("old")
            yield Write(house.database.compile(update(model).where(is_old).values(updated_at=old)), [{}])

    await house.database.transact(aging)
    await look(house)
    assert [row["external_id"] for row in await house.rows(Deployment)] == ["new"]
    assert [row["sha"] for row in await house.rows(DeploymentChange)] == ["new"]
    assert [row["external_id"] for row in await house.rows(Change)] == ["new"]
    left = {row["external_id"] for row in await house.rows(TrackedIssue)}
    assert left == {"new closed", "new open", "old open"}
    # It is told again as if it were new.
    again = await house.do(RecordDeployment(**own, external_id="old", changes=(DeployedChange(sha="old"),)))
    assert again.action == "CREATED"
