"""The same idempotency key again: the first answer, nothing done twice, and another command is told so."""

import asyncio
from datetime import timedelta
from unittest.mock import patch

import pytest

from models import IdempotencyKey, Issue, Occurrence
from resolvers.errors import Forbidden, UserError
from resolvers.mutation import DeleteIssue, LabelValue, ResolveScope, reading
from tests.resolvers.mutation.house import ADA, BOB, caller, count_transactions, kinds, made, report, success


async def test_the_same_command_gets_the_same_answer_and_is_not_done_again(house):
    command = report(idempotency_key="a", labels=(LabelValue("a", "1"),), reopen_within=timedelta(minutes=5))
    first = await house.do(command)
    await house.do(success())
    again = await house.do(command)
    assert again == first
    assert (again.action, again.position) == ("CREATED", 1)
    assert (await house.row(Issue))["state"] == "RESOLVED"
    resolve = success(idempotency_key="b")
    nothing = await house.do(resolve)
    assert (nothing.count, nothing.position) == (0, 2)
    await house.do(report())
    assert await house.do(resolve) == nothing
    assert "ACTIVE" in [row["state"] for row in await house.rows(Issue)]


async def test_the_same_key_twice_in_one_batch_is_one_command(house):
    command = report(idempotency_key="a")
    with count_transactions(house) as transactions:
        outcomes = await asyncio.gather(*(house.do(command) for _ in range(10)))
    assert len(transactions) == 1
    assert len(set(outcomes)) == 1
    assert (await house.row(Issue))["occurrence_count"] == 1
    assert len(await house.rows(Occurrence)) == 1


@pytest.mark.parametrize(
    "other",
    [
        report(idempotency_key="a", title="other"),
        report(idempotency_key="a", run_id="1"),
        success(idempotency_key="a"),
    ],
    ids=["title", "run", "command"],
)
async def test_another_command_with_the_key_is_a_mismatch_and_not_done(house, other):
    await house.do(report(idempotency_key="a"))
    outcome = await house.do(other)
    message = "this key came with another command"
    assert outcome.errors == (UserError(code="IDEMPOTENCY_MISMATCH", field=("idempotencyKey",), message=message),)
    assert (outcome.position, outcome.issue_ids, outcome.action, outcome.count) == (1, (), None, 0)
    assert kinds(await house.log()) == ["CREATED"]
    # The key goes on standing for the first one.
    assert (await house.do(report(idempotency_key="a"))).action == "CREATED"


async def test_a_key_is_each_callers_own(house):
    actions = [(await house.do(report(idempotency_key="a"), who)).action for who in (ADA, BOB, ADA, BOB)]
    assert actions == ["CREATED", "UPDATED", "CREATED", "UPDATED"]
    assert (await house.row(Issue))["occurrence_count"] == 2


async def test_who_lost_the_permission_gets_no_old_answer(house):
    command = report(idempotency_key="a")
    assert (await house.do(command, caller(team=["REPORT"]))).action == "CREATED"
    with pytest.raises(Forbidden):
        await house.do(command, caller(team=["READ"]))


async def test_what_was_not_committed_is_not_known(house):
    await made(house)
    decide = ResolveScope.decide

    def failing(self, found, caller):
        decide(self, found, caller)
        raise ZeroDivisionError

    command = success(idempotency_key="a")
    with patch.object(ResolveScope, "decide", failing), pytest.raises(ZeroDivisionError):
        await house.do(command)
    assert await house.rows(IdempotencyKey) == []
    assert (await house.do(command)).count == 1


async def test_an_answer_outlives_its_issue(house):
    command = report(idempotency_key="a")
    first = await house.do(command)
    await house.do(DeleteIssue(id=first.issue_ids[0]))
    assert await house.do(command) == first
    assert await house.rows(Issue) == []


async def test_after_a_day_the_key_is_free(house):
    command = report(idempotency_key="a")
    await house.do(command)
    with patch.object(reading, "IDEMPOTENCY_WINDOW", timedelta(days=-1)):
        assert (await house.do(command)).action == "UPDATED"
        assert (await house.do(success(idempotency_key="a"))).count == 1
    assert len(await house.rows(IdempotencyKey)) == 1
    assert (await house.do(success(idempotency_key="a"))).count == 1
