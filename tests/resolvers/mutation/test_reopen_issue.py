"""ReopenIssue: the same issue again, unless another active one has its fingerprint."""

import asyncio

import pytest

from models import Issue
from models.values import new_id
from resolvers.errors import Forbidden, UserError
from resolvers.mutation import AcknowledgeIssue, ReopenIssue, ResolveIssue, UpdateIssue
from tests.resolvers.mutation.house import BOB, caller, changes, count_transactions, kinds, made, report, success


async def test_a_resolved_issue_is_active_again_and_keeps_everything_else(house):
    id = await made(house)
    await house.do(UpdateIssue(id=id, title="mine"))
    await house.do(AcknowledgeIssue(id=id))
    active = await house.row(Issue)
    await house.do(success())
    resolved = await house.row(Issue)
    outcome = await house.do(ReopenIssue(id=id), BOB)
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (5, (id,), ())
    issue = await house.row(Issue)
    assert issue["updated_at"] > resolved["updated_at"]
    assert issue == active | {"updated_at": issue["updated_at"]}
    (line,) = await house.log(after=4)
    assert (line["kind"], line["actor_id"]) == ("REOPENED", "bob")
    assert changes(line) == {
        "state": ("RESOLVED", "ACTIVE"),
        "resolvedAt": (resolved["resolved_at"], None),
        "resolvedBy": ({"kind": "PERSON", "id": "ada", "name": "Ada"}, None),
    }
    assert (line["before"]["state"], line["after"]["state"]) == ("RESOLVED", "ACTIVE")


async def test_an_active_issue_stays_as_it_is(house):
    id = await made(house)
    outcome = await house.do(ReopenIssue(id=id))
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (1, (id,), ())
    assert kinds(await house.log()) == ["CREATED"]


async def test_another_active_issue_of_the_fingerprint_is_a_conflict_that_names_it(house):
    old = await made(house)
    await house.do(success())
    new = await made(house)
    outcome = await house.do(ReopenIssue(id=old))
    message = "another active issue has this scope and type"
    assert outcome.errors == (UserError(code="CONFLICT", field=("id",), message=message, issue_id=new),)
    assert (outcome.position, outcome.issue_ids) == (5, ())
    await house.do(success())
    assert (await house.do(ReopenIssue(id=old))).errors == ()
    (error,) = (await house.do(ReopenIssue(id=new))).errors
    assert (error.code, error.issue_id) == ("CONFLICT", old)


async def test_a_report_after_it_is_another_occurrence(house):
    id = await made(house)
    await house.do(success())
    await house.do(ReopenIssue(id=id))
    outcome = await house.do(report())
    assert (outcome.action, outcome.issue_ids) == ("UPDATED", (id,))


async def test_an_unknown_or_invisible_issue_is_not_found(house):
    id = await made(house)
    await house.do(success())
    not_found = (UserError(code="NOT_FOUND", field=("id",), message="there is no such issue"),)
    for name in ("x", new_id()):
        outcome = await house.do(ReopenIssue(id=name))
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (), not_found)
    assert (await house.do(ReopenIssue(id=id), caller(other=["READ", "RESPOND"]))).errors == not_found


async def test_who_may_only_read_is_forbidden(house):
    id = await made(house)
    await house.do(success())
    with pytest.raises(Forbidden, match="respond in namespace team"):
        await house.do(ReopenIssue(id=id), caller(team=["READ", "REPORT", "MANAGE"]))
    assert (await house.do(ReopenIssue(id=id), caller(team=["RESPOND"]))).issue_ids == (id,)


async def test_one_gives_way_to_another_in_one_transaction(house):
    old = await made(house)
    await house.do(success())
    new = await made(house)
    for resolved, reopened in ((new, old), (old, new)):
        with count_transactions(house) as transactions:
            await asyncio.gather(house.do(ResolveIssue(id=resolved)), house.do(ReopenIssue(id=reopened)))
        assert len(transactions) == 1
        states = {row["id"]: row["state"] for row in await house.rows(Issue)}
        assert states == {resolved: "RESOLVED", reopened: "ACTIVE"}
