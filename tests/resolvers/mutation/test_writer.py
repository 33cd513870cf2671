"""The writer: few commits for many commands, nobody pays for a neighbour, nothing is done twice or left unanswered."""

import asyncio
from collections import Counter
from unittest.mock import patch

import pytest

from models import Batch, Issue, IssueEvent, Occurrence
from models.database import Fetch, Refused
from models.database import Unavailable as DatabaseUnavailable
from resolvers.errors import Forbidden, Unavailable
from resolvers.mutation import CreateIssue, ResolveIssue, writer
from resolvers.mutation.retention import Retention
from resolvers.mutation.values import LinkValue
from tests.resolvers.mutation.house import ADA, caller, count_transactions, kinds, made, report, success
from tests.resolvers.mutation.house import house as open_house


async def all_of(house, commands, who=ADA):
    """Submitted at once, in order; what each came to."""
    return await asyncio.gather(*(house.do(command, who) for command in commands), return_exceptions=True)


def refuses_title(title):
    """A command of this title breaks a constraint only when the database sees it (no such severity)."""
    decide = CreateIssue.decide

    def breaking(self, found, caller):
        outcome = decide(self, found, caller)
        if self.title == title:
            (id,) = outcome.issue_ids
            found.issues[id] = found.issues[id]._replace(state="BROKEN")
        return outcome

    return patch.object(CreateIssue, "decide", breaking)


async def test_what_comes_while_a_commit_runs_is_committed_together(house):
    with count_transactions(house) as transactions:
        outcomes = await all_of(house, [report(run_id=str(number)) for number in range(200)])
    assert len(transactions) == 1
    assert Counter(outcome.action for outcome in outcomes) == {"CREATED": 1, "UPDATED": 199}
    assert [outcome.position for outcome in outcomes] == list(range(1, 201))
    assert (await house.row(Issue))["occurrence_count"] == 200


async def test_a_batch_is_few_messages_to_a_server_however_much_it_writes(postgresql_url):
    async with open_house(postgresql_url) as house:
        messages = []
        # The first time asyncpg asks for the types as well.
        for time in range(2):
            known = [f"{time}-{number}" for number in range(9)]
            await all_of(house, [report(resource_name=name) for name in known])
            commands = [
                *(report(resource_name=name, run_id="1", idempotency_key=name) for name in known[:3]),
                *(success(resource_name=name) for name in known[3:6]),
                *(report(resource_name=f"new-{name}", links=(LinkValue("log", "https://1"),)) for name in known),
            ]
            if time == 1:
                house.database.driver._writing.add_query_logger(messages.append)
            outcomes = await all_of(house, commands)
    assert [outcome.action or outcome.count for outcome in outcomes] == ["UPDATED"] * 3 + [1] * 3 + ["CREATED"] * 9
    texts = [message.query.replace("\n", "")[:60] for message in messages]
    # Begin and lock; log and runs, answers, scopes, issues, links and labels; what makes room, what takes it; commit.
    assert len(texts) == 9, texts


async def test_a_batch_is_bounded_and_order_holds_across_batches(house):
    with count_transactions(house) as transactions, patch.object(writer, "MAX_BATCH_COMMANDS", 7):
        outcomes = await all_of(house, [report(run_id=str(number)) for number in range(50)])
    assert len(transactions) == 8
    assert [outcome.position for outcome in outcomes] == list(range(1, 51))
    assert [row["run_id"] for row in await house.rows(Occurrence)] == [str(number) for number in range(50)]


async def test_commands_that_change_nothing_write_nothing(house):
    await made(house, run_id="1")
    batches = await house.rows(Batch)
    outcomes = await all_of(house, [report(run_id="1")] * 20)
    assert {(outcome.action, outcome.position) for outcome in outcomes} == {("UNCHANGED", 1)}
    assert await house.rows(Batch) == batches
    assert len(await house.rows(IssueEvent)) == 1


async def test_a_failure_and_a_success_alternate_within_one_batch(house):
    commands = [command for number in range(20) for command in (report(run_id=str(number)), success())]
    outcomes = await all_of(house, commands)
    assert [outcome.action or outcome.count for outcome in outcomes] == ["CREATED", 1] * 20
    assert kinds(await house.log()) == ["CREATED", "RESOLVED"] + ["CREATED", "RELATED", "RELATED", "RESOLVED"] * 19
    issues = [outcome.issue_ids[0] for outcome in outcomes[::2]]
    assert len(set(issues)) == 20
    assert outcomes[-1].position == len(await house.rows(IssueEvent))


@pytest.mark.parametrize("place", [0, 1, 7, 18, 19])
async def test_a_refused_command_costs_nobody_else_anything_and_order_stays(house, place):
    titles = [f"number {number}" for number in range(20)]
    with refuses_title(titles[place]), count_transactions(house) as transactions:
        outcomes = await all_of(house, [report(title=title, run_id=title) for title in titles])
    assert isinstance(outcomes[place], Refused)
    others = outcomes[:place] + outcomes[place + 1 :]
    assert [outcome.action for outcome in others] == ["CREATED"] + ["UPDATED"] * 18
    assert [outcome.position for outcome in others] == list(range(1, 20))
    assert [row["title"] for row in await house.rows(Occurrence)] == titles[:place] + titles[place + 1 :]
    # The last one that counts has the last word.
    assert (await house.row(Issue))["title"] == [title for title in titles if title != titles[place]][-1]
    # Halves, not one by one.
    assert len(transactions) <= 11
    # Nothing of it is known: it may come again.
    assert (await house.do(report(title="again", run_id=titles[place]))).action == "UPDATED"


async def test_an_error_of_ours_is_told_to_its_own_caller_alone(house):
    decide = CreateIssue.decide

    def failing(self, found, caller):
        if self.title == "bug":
            raise ZeroDivisionError
        return decide(self, found, caller)

    with patch.object(CreateIssue, "decide", failing):
        outcomes = await all_of(house, [report(title=title) for title in ("a", "bug", "b")])
    assert isinstance(outcomes[1], ZeroDivisionError)
    assert [outcomes[0].action, outcomes[2].action] == ["CREATED", "UPDATED"]
    assert (await house.row(Issue))["occurrence_count"] == 2


async def test_who_is_forbidden_is_told_alone(house):
    id = await made(house)
    reader = caller(team=["READ"])
    with count_transactions(house) as transactions:
        forbidden = asyncio.create_task(house.do(ResolveIssue(id=id), reader))
        early = asyncio.create_task(house.do(report(), reader))
        assert (await house.do(report())).action == "UPDATED"
        for task in (forbidden, early):
            with pytest.raises(Forbidden):
                await task
    assert len(transactions) == 1


class Flaky:
    """Stands in for Database.transact: does or does not do it, and fails as often as told."""

    def __init__(self, house, *failures):
        self._transact = house.database.transact
        self._failures = list(failures)
        self.calls = 0

    async def __call__(self, work):
        self.calls += 1
        failure = self._failures.pop(0) if self._failures else None
        if failure is None:
            return await self._transact(work)
        if failure == "after the commit":
            await self._transact(work)
        raise DatabaseUnavailable("lost", in_doubt=failure != "before anything")


@pytest.fixture
def hasty():
    """No pause between two tries."""
    with patch.object(writer, "RETRY_PAUSE_SECONDS", 0):
        yield


async def settled(house):
    """The first look for old rows is over: it is a transaction too."""
    await house.do(success(resource_name="nobody"))
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "failures",
    [
        ("after the commit",),
        ("instead of the commit",),
        ("before anything",),
        ("after the commit", "instead of the commit", "before anything"),
        ("instead of the commit", "before anything", "after the commit", "before anything"),
    ],
)
async def test_a_commit_in_doubt_is_done_exactly_once(house, hasty, failures):
    await settled(house)
    flaky = Flaky(house, *failures)
    with patch.object(house.database, "transact", flaky):
        outcomes = await all_of(house, [report(), report(), success(), report(idempotency_key="a")])
    assert flaky.calls == len(failures) + 1
    assert [outcome.action or outcome.count for outcome in outcomes] == ["CREATED", "UPDATED", 1, "CREATED"]
    assert [outcome.position for outcome in outcomes] == [1, 2, 3, 6]
    assert kinds(await house.log()) == ["CREATED", "OCCURRED", "RESOLVED", "CREATED", "RELATED", "RELATED"]
    assert sorted(row["occurrence_count"] for row in await house.rows(Issue)) == [1, 2]
    # And what comes after goes on from there.
    assert (await house.do(report())).position == 7


async def test_an_error_of_ours_after_the_commit_does_nothing_twice(house):
    await settled(house)
    transact = house.database.transact

    async def failing(work):
        await transact(work)
        raise ZeroDivisionError

    with patch.object(house.database, "transact", failing):
        outcomes = await all_of(house, [report(run_id="1"), report(), success()])
    assert [outcome.action or outcome.count for outcome in outcomes] == ["CREATED", "UPDATED", 1]
    assert kinds(await house.log()) == ["CREATED", "OCCURRED", "RESOLVED"]


async def test_what_another_writer_did_in_between_stays(house, hasty, database_url):
    await settled(house)
    async with open_house(database_url) as neighbour:
        transact = house.database.transact
        calls = 0

        async def lost(work):
            nonlocal calls
            calls += 1
            if calls == 1:
                await transact(work)
                await neighbour.do(success())
                raise DatabaseUnavailable("lost", in_doubt=True)
            return await transact(work)

        with patch.object(house.database, "transact", lost):
            outcome = await house.do(report(run_id="1"))
            assert calls == 2
    assert (outcome.action, outcome.position) == ("CREATED", 1)
    assert kinds(await house.log()) == ["CREATED", "RESOLVED"]


async def test_what_is_known_not_to_have_happened_is_not_waited_for(house, hasty):
    await settled(house)
    transact = house.database.transact
    calls = 0

    async def becoming_read_only(work):
        nonlocal calls
        calls += 1
        if calls == 1:
            raise DatabaseUnavailable("the connection was lost in the commit", in_doubt=True)

        def until_the_first_write():
            steps = work()
            rows = None
            while isinstance(step := steps.send(rows), Fetch):
                rows = yield step
            raise DatabaseUnavailable("read only")

        return await transact(until_the_first_write)

    with patch.object(house.database, "transact", becoming_read_only):
        with pytest.raises(Unavailable):
            await house.do(report())
        assert calls == 2
    assert (await house.do(report())).action == "CREATED"


async def test_a_database_that_stays_away_is_told_to_all_and_not_for_ever(house, hasty):
    await settled(house)
    flaky = Flaky(house, "before anything", "before anything")
    with patch.object(house.database, "transact", flaky):
        outcomes = await all_of(house, [report(), report()])
        assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
        assert flaky.calls == 2
        assert (await house.do(report())).action == "CREATED"
    assert kinds(await house.log()) == ["CREATED"]


async def test_doubt_that_is_never_cleared_ends(house, hasty):
    await settled(house)
    flaky = Flaky(house, *["instead of the commit"] * 2)
    with (
        patch.object(house.database, "transact", flaky),
        patch.object(writer, "IN_DOUBT_SECONDS", -1),
        pytest.raises(Unavailable),
    ):
        await house.do(report())
    assert flaky.calls == 1


async def test_old_rows_that_cannot_be_deleted_stop_nobody(house):
    await settled(house)
    with patch.object(Retention, "work", side_effect=OSError) as work:
        house.writer._retention._due = 0
        for _ in range(3):
            await asyncio.wait_for(house.do(report()), 30)
    assert (await house.row(Issue))["occurrence_count"] == 3
    # Not tried again all the time.
    assert work.call_count == 1


async def test_listeners_hear_the_end_of_the_log_after_each_commit_that_made_it_longer(database_url):
    heard = []

    def listen(end):
        heard.append(end)
        raise RuntimeError("a listener's own trouble")

    async with open_house(database_url, on_commit=listen) as house:
        await all_of(house, [report(run_id="1"), report(run_id="2")])
        await house.do(report(run_id="1"))
        await house.do(success())
    assert heard == [2, 3]


async def test_closing_answers_all_that_wait_and_takes_no_more(database_url):
    async with open_house(database_url) as house:
        waiting = [asyncio.create_task(house.do(report(run_id=str(number)))) for number in range(600)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(house.writer.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="closing"):
            await house.do(report())
        await closing
        assert all(task.done() for task in waiting)
        assert sorted(task.result().position for task in waiting) == list(range(1, 601))


async def test_a_writer_that_was_not_started_takes_nothing(house):
    with pytest.raises(Unavailable):
        await writer.Writer(house.database).submit(report(), ADA)


async def test_a_caller_that_went_away_is_not_waited_for(house):
    first, gone, last = [asyncio.create_task(house.do(report(run_id=str(number)))) for number in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    assert ((await first).position, (await last).position) == (1, 2)
    assert gone.cancelled()
    assert [row["run_id"] for row in await house.rows(Occurrence)] == ["0", "2"]
