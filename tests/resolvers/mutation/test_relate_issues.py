"""RelateIssues: one edge of a kind from one issue to another, drawn once."""

import pytest

from models import Issue, Relation
from models.values import new_id
from models.words import RELATION_KINDS
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation import RelateIssues, ResolveIssue, UpdateIssue
from tests.resolvers.mutation.house import BOB, caller, changes, made, success

DIRECTED = ("CAUSED_BY", "DUPLICATE_OF")


@pytest.fixture
async def pair(house):
    return await made(house), await made(house, namespace="other")


async def test_an_edge_is_a_row_and_a_line_at_each_end(house, pair):
    source, target = pair
    issues = await house.rows(Issue)
    command = RelateIssues(source_id=source, target_id=target.upper(), kind="CAUSED_BY", reason="same node")
    outcome = await house.do(command, BOB)
    assert (outcome.position, outcome.issue_ids, outcome.created, outcome.errors) == (4, pair, True, ())
    relation = await house.row(Relation)
    assert relation == {
        "id": outcome.relation_id,
        "kind": "CAUSED_BY",
        "source_id": source,
        "target_id": target,
        "reason": "same node",
        "created_by_kind": "PERSON",
        "created_by_id": "bob",
        "created_by_name": "Bob",
        "created_at": relation["created_at"],
    }
    # The issues themselves do not change.
    assert await house.rows(Issue) == issues
    lines = await house.log(after=2)
    assert [(line["issue_id"], line["namespace"], line["other_namespace"]) for line in lines] == [
        (source, "team", "other"),
        (target, "other", "team"),
    ]
    created = {line["issue_id"]: line for line in await house.log() if line["kind"] == "CREATED"}
    for line in lines:
        assert (line["kind"], line["at"], line["actor_id"]) == ("RELATED", relation["created_at"], "bob")
        assert (line["relation_id"], line["relation_kind"]) == (relation["id"], "CAUSED_BY")
        assert (line["source_id"], line["target_id"]) == pair
        assert (line["before"], line["after"]) == ({}, created[line["issue_id"]]["after"])
        assert changes(line) == {
            "reason": (None, "same node"),
            "createdBy": (None, {"kind": "PERSON", "id": "bob", "name": "Bob"}),
        }


@pytest.mark.parametrize("kind", DIRECTED)
async def test_the_same_edge_again_is_the_one_that_is_there(house, pair, kind):
    first = await house.do(RelateIssues(source_id=pair[0], target_id=pair[1], kind=kind))
    before = await house.row(Relation)
    again = await house.do(RelateIssues(source_id=pair[0], target_id=pair[1], kind=kind, reason="other"), BOB)
    assert (again.relation_id, again.created, again.position) == (first.relation_id, False, first.position)
    assert await house.row(Relation) == before
    # The other way is another edge, and so is another kind.
    back = await house.do(RelateIssues(source_id=pair[1], target_id=pair[0], kind=kind))
    other = await house.do(RelateIssues(source_id=pair[0], target_id=pair[1]))
    assert (back.created, other.created) == (True, True)
    assert len(await house.rows(Relation)) == 3


async def test_related_has_no_direction(house, pair):
    first = await house.do(RelateIssues(source_id=pair[0], target_id=pair[1]))
    back = await house.do(RelateIssues(source_id=pair[1], target_id=pair[0]))
    assert (back.relation_id, back.created, back.errors) == (first.relation_id, False, ())
    assert (await house.row(Relation))["kind"] == "RELATED"


@pytest.mark.parametrize("kind", RELATION_KINDS)
async def test_an_issue_is_not_related_to_itself(house, kind):
    id = await made(house)
    outcome = await house.do(RelateIssues(source_id=id, target_id=id.upper(), kind=kind))
    message = "an issue cannot be related to itself"
    assert outcome.errors == (UserError(code="SELF_RELATION", field=("targetId",), message=message),)
    assert (outcome.position, outcome.relation_id, outcome.issue_ids) == (1, None, ())


async def test_a_recurrence_may_be_drawn_to_an_earlier_resolved_issue_of_the_fingerprint(house):
    # Two issues became one problem when somebody corrected the type of the second.
    old, new = await made(house), await made(house, issue_type="test")
    recurrence = RelateIssues(source_id=new, target_id=old, kind="RECURRENCE_OF")

    async def refused(command=recurrence):
        outcome = await house.do(command)
        assert [(error.code, error.field) for error in outcome.errors] == [("INVALID", ("kind",))]
        assert await house.rows(Relation) == []

    await refused()
    await house.do(ResolveIssue(id=old))
    await refused()
    await house.do(UpdateIssue(id=new, issue_type="build"))
    await house.do(ResolveIssue(id=new))
    await refused(RelateIssues(source_id=old, target_id=new, kind="RECURRENCE_OF"))
    outcome = await house.do(recurrence)
    assert (outcome.errors, outcome.created) == ((), True)
    again = await house.do(recurrence)
    assert (again.relation_id, again.created) == (outcome.relation_id, False)


async def test_an_issue_recurs_only_one(house):
    first = await made(house)
    await house.do(success())
    await made(house)
    await house.do(success())
    third = await made(house)
    outcome = await house.do(RelateIssues(source_id=third, target_id=first, kind="RECURRENCE_OF"))
    assert [error.code for error in outcome.errors] == ["INVALID"]
    assert len(await house.rows(Relation)) == 2


async def test_what_is_not_there_or_not_seen_is_not_found_at_either_end(house, pair):
    message = "there is no such issue"
    source = UserError(code="NOT_FOUND", field=("sourceId",), message=message)
    target = UserError(code="NOT_FOUND", field=("targetId",), message=message)
    mine, hidden = pair
    who = caller(team=["READ", "RESPOND"])
    for command, errors in (
        (RelateIssues(source_id="x", target_id=new_id()), (source, target)),
        (RelateIssues(source_id="x", target_id=mine), (source,)),
        (RelateIssues(source_id=mine, target_id=hidden), (target,)),
        (RelateIssues(source_id=hidden, target_id=mine), (source,)),
        # Nor does the rule about oneself tell of it.
        (RelateIssues(source_id=hidden, target_id=hidden), (source, target)),
    ):
        outcome = await house.do(command, who)
        assert (outcome.errors, outcome.position, outcome.issue_ids) == (errors, 2, ())
    assert await house.rows(Relation) == []


async def test_respond_is_needed_at_both_ends(house, pair):
    who = caller(team=["READ", "RESPOND"], other=["READ", "REPORT", "MANAGE"])
    for source, target in (pair, reversed(pair)):
        with pytest.raises(Forbidden, match="respond in namespace other"):
            await house.do(RelateIssues(source_id=source, target_id=target), who)
    assert await house.rows(Relation) == []


async def test_what_breaks_a_rule_is_told_all_at_once():
    with pytest.raises(Invalid) as raised:
        RelateIssues(source_id="x", target_id="y", kind="BLOCKS", reason="x" * 4_001)
    assert [(error.code, error.field) for error in raised.value.errors] == [
        ("INVALID", ("kind",)),
        ("TOO_LONG", ("reason",)),
    ]
