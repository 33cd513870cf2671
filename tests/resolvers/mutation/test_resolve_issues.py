"""ResolveIssue and ResolveIssues: resolved once, at the time that was said, and the log tells why."""

import pytest

from models import Issue
from models.values import new_id, now
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation import ResolveIssue, ResolveIssues, UpdateIssue
from resolvers.mutation.limits import MAX_IDS, MAX_REASON_LENGTH
from tests.resolvers.mutation.house import BOB, caller, changes, kinds, later, made


def soon():
    """As far ahead as clocks differ."""
    return later(now(), minutes=3)


async def test_an_issue_is_resolved_by_who_says_so_and_keeps_everything_else(house):
    id = await made(house, run_id="1")
    before = await house.row(Issue)
    outcome = await house.do(ResolveIssue(id=id, reason="rolled back"), BOB)
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (id,), ())
    issue = await house.row(Issue)
    at = issue["resolved_at"]
    assert before["created_at"] < at <= now()
    assert issue == before | {
        "state": "RESOLVED",
        "resolved_at": at,
        "resolved_by_kind": "PERSON",
        "resolved_by_id": "bob",
        "resolved_by_name": "Bob",
        "updated_at": at,
    }
    (line,) = await house.log(after=1)
    assert (line["kind"], line["at"], line["issue_id"], line["actor_id"]) == ("RESOLVED", at, id, "bob")
    assert changes(line) == {
        "state": ("ACTIVE", "RESOLVED"),
        "resolvedAt": (None, at),
        "resolvedBy": (None, {"kind": "PERSON", "id": "bob", "name": "Bob"}),
        "reason": (None, "rolled back"),
    }
    assert line["before"] == {"state": "ACTIVE", "resolved_at": None, "updated_at": before["updated_at"]}
    assert (line["after"]["state"], line["after"]["resolved_at"], line["after"]["updated_at"]) == ("RESOLVED", at, at)


async def test_the_time_that_is_said_counts(house):
    id = await made(house)
    at = soon()
    await house.do(ResolveIssue(id=id, at=at))
    issue = await house.row(Issue)
    assert issue["resolved_at"] == at != issue["updated_at"]


async def test_a_time_further_ahead_than_clocks_differ_counts_as_now(house):
    id = await made(house)
    await house.do(ResolveIssue(id=id, at=later(now(), hours=1)))
    issue = await house.row(Issue)
    assert issue["resolved_at"] == issue["updated_at"]


async def test_nothing_is_resolved_before_it_was_detected(house):
    id, old = await made(house), await made(house, issue_type="test", detected_at=later(now(), days=-1))
    before = later(now(), hours=-1)
    outcome = await house.do(ResolveIssue(id=id, at=before))
    message = "the issue was detected after the time it was resolved at"
    assert outcome.errors == (UserError(code="INVALID", field=("at",), message=message),)
    assert (outcome.issue_ids, outcome.position) == ((), 2)
    outcome = await house.do(ResolveIssues(ids=(old, id), at=before))
    assert outcome.errors == (UserError(code="INVALID", field=("ids", "1"), message=message),)
    assert outcome.issue_ids == (old,)


async def test_what_was_detected_ahead_of_our_clock_is_resolved_at_that_time(house):
    ahead = later(now(), minutes=4)
    id = await made(house, detected_at=ahead)
    await house.do(ResolveIssue(id=id))
    assert (await house.row(Issue))["resolved_at"] == ahead


@pytest.mark.parametrize(
    "resolve",
    [
        lambda at: ResolveIssue(id="x", at=at),
        lambda at: ResolveIssues(ids=("x",), at=at),
        lambda at: UpdateIssue(id="x", resolved_at=at),
    ],
)
def test_a_time_far_in_the_future_is_refused(resolve):
    with pytest.raises(Invalid):
        resolve(later(now(), days=1, minutes=1))
    resolve(later(now(), hours=23))


async def test_resolving_again_changes_nothing_and_logs_nothing(house):
    id = await made(house)
    at = soon()
    await house.do(ResolveIssue(id=id, at=at))
    before = await house.row(Issue)
    for command in (ResolveIssue(id=id, at=later(at, hours=1), reason="again"), ResolveIssues(ids=(id,))):
        outcome = await house.do(command, BOB)
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (id,), ())
    assert await house.row(Issue) == before
    assert kinds(await house.log()) == ["CREATED", "RESOLVED"]


async def test_ids_in_capitals_are_known(house):
    id = await made(house)
    assert (await house.do(ResolveIssue(id=id.upper()))).issue_ids == (id,)


async def test_what_cannot_be_done_is_told_by_its_index_and_the_rest_is_done(house):
    first, second = await made(house), await made(house, issue_type="test")
    at = soon()
    outcome = await house.do(ResolveIssues(ids=("x", second, new_id(), first, second), at=at, reason="fixed"))
    message = "there is no such issue"
    assert outcome.issue_ids == (second, first)
    assert outcome.errors == (
        UserError(code="NOT_FOUND", field=("ids", "0"), message=message),
        UserError(code="NOT_FOUND", field=("ids", "2"), message=message),
    )
    assert [row["resolved_at"] for row in await house.rows(Issue)] == [at, at]
    lines = await house.log(after=2)
    assert [(line["kind"], line["issue_id"]) for line in lines] == [("RESOLVED", second), ("RESOLVED", first)]
    assert [changes(line)["reason"] for line in lines] == [(None, "fixed"), (None, "fixed")]
    assert outcome.position == 4


@pytest.mark.parametrize("id", ["", "x", "0" * 36, "{0190b4b2-7d7b-7c0e-8a56-0a3c5a5f0e4b}", "\0" * 36])
async def test_an_unknown_id_is_not_found(house, id):
    outcome = await house.do(ResolveIssue(id=id))
    assert (outcome.position, outcome.issue_ids) == (0, ())
    assert outcome.errors == (UserError(code="NOT_FOUND", field=("id",), message="there is no such issue"),)


async def test_who_may_not_read_an_issue_is_told_that_there_is_none(house):
    id = await made(house)
    for who in (caller(), caller(team=["REPORT"]), caller(other=["READ", "RESPOND"]), caller(team=["MANAGE"])):
        outcome = await house.do(ResolveIssue(id=id), who)
        assert (outcome.position, [error.code for error in outcome.errors]) == (1, ["NOT_FOUND"])
    assert (await house.row(Issue))["state"] == "ACTIVE"


async def test_who_may_only_read_is_forbidden_and_none_of_the_list_is_done(house):
    mine, other = await made(house), await made(house, namespace="other")
    who = caller(team=["READ", "RESPOND"], other=["READ", "REPORT", "MANAGE"])
    with pytest.raises(Forbidden, match="respond in namespace other"):
        await house.do(ResolveIssue(id=other), who)
    with pytest.raises(Forbidden):
        await house.do(ResolveIssues(ids=(mine, other)), who)
    assert kinds(await house.log()) == ["CREATED", "CREATED"]
    assert (await house.do(ResolveIssue(id=mine), who)).errors == ()


async def test_a_list_and_a_reason_have_limits():
    with pytest.raises(Invalid) as raised:
        ResolveIssues(ids=("x",) * (MAX_IDS + 1), reason="x" * (MAX_REASON_LENGTH + 1))
    assert [(error.code, error.field) for error in raised.value.errors] == [
        ("TOO_MANY", ("ids",)),
        ("TOO_LONG", ("reason",)),
    ]
    with pytest.raises(Invalid) as raised:
        ResolveIssue(id="x", reason="a\0b")
    assert [(error.code, error.field) for error in raised.value.errors] == [("INVALID", ("reason",))]
