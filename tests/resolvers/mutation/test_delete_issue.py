"""DeleteIssue: gone with everything that hung on it; the log stays and tells it all."""

import asyncio

import pytest

from models import Issue, IssueEvent, Label, Link, Occurrence, Relation, Scope
from models.values import new_id
from resolvers.errors import Forbidden, UserError
from resolvers.mutation import DeleteIssue, LabelValue, LinkValue, RelateIssues
from tests.resolvers.mutation.house import BOB, caller, count_transactions, kinds, made, report

LISTS = {"links": (LinkValue("Logs", "https://ci.example/1"),), "labels": (LabelValue("a", "1"),)}


async def test_the_issue_goes_with_all_that_is_its_own(house):
    kept = await made(house, issue_type="test", **LISTS)
    id = await made(house, **LISTS)
    created = (await house.log())[1]
    outcome = await house.do(DeleteIssue(id=id), BOB)
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (3, (id,), ())
    assert (await house.row(Issue))["id"] == kept
    for model in (Link, Label, Occurrence):
        assert (await house.row(model))["issue_id"] == kept
    assert len(await house.rows(Scope)) == 1
    line = (await house.log(after=2))[0]
    assert (line["kind"], line["issue_id"], line["namespace"]) == ("DELETED", id, "team")
    assert (line["title"], line["actor_id"], line["changes"]) == ("Build failed: api", "bob", [])
    assert (line["before"], line["after"]) == (created["after"], None)


async def test_its_relations_go_first_and_their_neighbours_are_told(house):
    id = await made(house)
    source, target = await made(house, issue_type="test"), await made(house, namespace="other")
    caused = await house.do(RelateIssues(source_id=source, target_id=id, kind="CAUSED_BY"))
    related = await house.do(RelateIssues(source_id=id, target_id=target))
    aside = await house.do(RelateIssues(source_id=source, target_id=target))
    end = aside.position
    outcome = await house.do(DeleteIssue(id=id))
    assert (await house.row(Relation))["id"] == aside.relation_id
    lines = await house.log(after=end)
    assert [(line["kind"], line["issue_id"], line["relation_id"], line["other_namespace"]) for line in lines] == [
        ("UNRELATED", source, caused.relation_id, "team"),
        ("UNRELATED", id, caused.relation_id, "team"),
        ("UNRELATED", id, related.relation_id, "other"),
        ("UNRELATED", target, related.relation_id, "team"),
        ("DELETED", id, None, None),
    ]
    assert [line["after"] is None for line in lines] == [False] * 4 + [True]
    assert outcome.position == end + 5


async def test_the_next_report_makes_a_new_issue_without_a_past(house):
    id = await made(house, run_id="1")
    await house.do(DeleteIssue(id=id))
    again = await house.do(report(run_id="1"))
    assert (again.action, again.issue_ids == (id,)) == ("CREATED", False)
    assert await house.rows(Relation) == []


async def test_a_deleted_issue_is_not_found(house):
    id = await made(house)
    await house.do(DeleteIssue(id=id))
    for name in (id, "x", new_id()):
        outcome = await house.do(DeleteIssue(id=name))
        assert (outcome.position, outcome.issue_ids) == (2, ())
        assert outcome.errors == (UserError(code="NOT_FOUND", field=("id",), message="there is no such issue"),)


async def test_only_who_may_manage_deletes(house):
    id = await made(house)
    with pytest.raises(Forbidden, match="manage in namespace team"):
        await house.do(DeleteIssue(id=id), caller(team=["READ", "REPORT", "RESPOND"], other=["MANAGE"]))
    (error,) = (await house.do(DeleteIssue(id=id), caller(team=["RESPOND"], other=["MANAGE"]))).errors
    assert error.code == "NOT_FOUND"
    assert kinds(await house.log()) == ["CREATED"]
    assert (await house.do(DeleteIssue(id=id), caller(team=["MANAGE"]))).issue_ids == (id,)
    assert len(await house.rows(IssueEvent)) == 2


async def test_a_report_in_the_same_batch_costs_no_second_try(house):
    id = await made(house)
    with count_transactions(house) as transactions:
        reported, deleted, again = await asyncio.gather(
            house.do(report(run_id="1", **LISTS)), house.do(DeleteIssue(id=id)), house.do(report(run_id="2"))
        )
    assert len(transactions) == 1
    assert (reported.action, deleted.issue_ids, again.action) == ("UPDATED", (id,), "CREATED")
    assert (await house.row(Occurrence))["issue_id"] == again.issue_ids[0]
    assert kinds(await house.log()) == ["CREATED", "OCCURRED", "DELETED", "CREATED"]
