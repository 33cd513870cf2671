"""Acknowledging: who has seen it first stays, until somebody takes it back."""

import pytest

from models import Issue
from models.values import new_id
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation import AcknowledgeIssue, AcknowledgeIssues, UnacknowledgeIssue
from resolvers.mutation.limits import MAX_IDS
from tests.resolvers.mutation.house import ADA, BOB, caller, changes, kinds, made, report, success

BOB_IN_LOG = {"kind": "PERSON", "id": "bob", "name": "Bob"}
NOT_FOUND = (UserError(code="NOT_FOUND", field=("id",), message="there is no such issue"),)


async def test_who_has_seen_it_and_when(house):
    id = await made(house)
    before = await house.row(Issue)
    outcome = await house.do(AcknowledgeIssue(id=id), BOB)
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (id,), ())
    issue = await house.row(Issue)
    at = issue["acknowledged_at"]
    assert at > before["updated_at"]
    assert issue == before | {
        "acknowledged_at": at,
        "acknowledged_by_kind": "PERSON",
        "acknowledged_by_id": "bob",
        "acknowledged_by_name": "Bob",
        "updated_at": at,
    }
    (line,) = await house.log(after=1)
    assert (line["kind"], line["at"], line["actor_id"]) == ("ACKNOWLEDGED", at, "bob")
    assert changes(line) == {"acknowledgedAt": (None, at), "acknowledgedBy": (None, BOB_IN_LOG)}
    assert line["before"] == {"acknowledged_at": None, "updated_at": before["updated_at"]}
    assert line["after"]["acknowledged_at"] == at


async def test_the_first_one_stays(house):
    id = await made(house)
    await house.do(AcknowledgeIssue(id=id), BOB)
    before = await house.row(Issue)
    for command in (AcknowledgeIssue(id=id), AcknowledgeIssues(ids=(id, id))):
        outcome = await house.do(command, ADA)
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (id,), ())
    assert await house.row(Issue) == before


async def test_reports_and_a_resolve_leave_it(house):
    id = await made(house)
    await house.do(AcknowledgeIssue(id=id), BOB)
    await house.do(report())
    await house.do(success())
    assert (await house.row(Issue))["acknowledged_by_id"] == "bob"


async def test_it_can_be_taken_back_by_anybody_who_may_respond(house):
    id = await made(house)
    before = await house.row(Issue)
    await house.do(AcknowledgeIssue(id=id), BOB)
    at = (await house.row(Issue))["acknowledged_at"]
    outcome = await house.do(UnacknowledgeIssue(id=id), ADA)
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (3, (id,), ())
    issue = await house.row(Issue)
    assert issue == before | {"updated_at": issue["updated_at"]}
    line = (await house.log(after=2))[0]
    assert (line["kind"], line["actor_id"]) == ("UNACKNOWLEDGED", "ada")
    assert changes(line) == {"acknowledgedAt": (at, None), "acknowledgedBy": (BOB_IN_LOG, None)}
    # Nothing is left to take back.
    assert (await house.do(UnacknowledgeIssue(id=id))).position == 3


async def test_what_cannot_be_done_is_told_by_its_index_and_the_rest_is_done(house):
    first, second = await made(house), await made(house, issue_type="test")
    hidden = await made(house, namespace="hidden")
    who = caller(team=["RESPOND"])
    outcome = await house.do(AcknowledgeIssues(ids=(hidden, second, "x", first, new_id())), who)
    assert outcome.issue_ids == (second, first)
    assert [(error.code, error.field) for error in outcome.errors] == [
        ("NOT_FOUND", ("ids", "0")),
        ("NOT_FOUND", ("ids", "2")),
        ("NOT_FOUND", ("ids", "4")),
    ]
    lines = await house.log(after=3)
    assert [(line["kind"], line["issue_id"]) for line in lines] == [("ACKNOWLEDGED", second), ("ACKNOWLEDGED", first)]
    seen = {row["id"]: row["acknowledged_by_id"] for row in await house.rows(Issue)}
    assert seen == {first: "token", second: "token", hidden: None}


@pytest.mark.parametrize("command", [AcknowledgeIssue, UnacknowledgeIssue])
async def test_an_unknown_or_invisible_issue_is_not_found(house, command):
    id = await made(house)
    for name in ("x", new_id()):
        outcome = await house.do(command(id=name))
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (1, (), NOT_FOUND)
    assert (await house.do(command(id=id), caller(team=["REPORT"]))).errors == NOT_FOUND
    assert kinds(await house.log()) == ["CREATED"]


async def test_who_may_only_read_is_forbidden_and_none_of_the_list_is_done(house):
    id, other = await made(house), await made(house, namespace="other")
    reader = caller(team=["READ", "REPORT", "MANAGE"], other=["RESPOND"])
    for command in (AcknowledgeIssue(id=id), UnacknowledgeIssue(id=id), AcknowledgeIssues(ids=(other, id))):
        with pytest.raises(Forbidden, match="respond in namespace team"):
            await house.do(command, reader)
    assert kinds(await house.log()) == ["CREATED", "CREATED"]


async def test_a_list_has_a_limit():
    assert len(AcknowledgeIssues(ids=("x",) * MAX_IDS).ids) == 200
    with pytest.raises(Invalid) as raised:
        AcknowledgeIssues(ids=("x",) * (MAX_IDS + 1))
    assert [(error.code, error.field) for error in raised.value.errors] == [("TOO_MANY", ("ids",))]
