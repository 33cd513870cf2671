"""UnrelateIssues: removes the edges that are meant, and tells both ends."""

import asyncio

import pytest

from models import Relation
from models.values import new_id
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation import RelateIssues, UnrelateIssues
from tests.resolvers.mutation.house import BOB, caller, changes, made, success


@pytest.fixture
async def pair(house):
    return await made(house), await made(house, namespace="other")


async def relate(house, source, target, kind="RELATED", reason=None):
    return await house.do(RelateIssues(source_id=source, target_id=target, kind=kind, reason=reason))


async def kinds_left(house):
    return [(row["source_id"], row["kind"]) for row in await house.rows(Relation)]


async def test_the_edge_goes_and_a_line_at_each_end_tells_what_it_was(house, pair):
    relation = await relate(house, pair[0], pair[1], "CAUSED_BY", "same node")
    related = await house.log(after=2)
    outcome = await house.do(UnrelateIssues(source_id=pair[0], target_id=pair[1], kind="CAUSED_BY"), BOB)
    assert (outcome.count, outcome.position, outcome.issue_ids, outcome.errors) == (1, 6, pair, ())
    assert await house.rows(Relation) == []
    lines = await house.log(after=4)
    assert [(line["issue_id"], line["other_namespace"]) for line in lines] == [(pair[0], "other"), (pair[1], "team")]
    for line, drawn in zip(lines, related, strict=True):
        assert (line["kind"], line["actor_id"], line["relation_id"]) == ("UNRELATED", "bob", relation.relation_id)
        assert (line["relation_kind"], line["source_id"], line["target_id"]) == ("CAUSED_BY", *pair)
        assert (line["before"], line["after"]) == ({}, drawn["after"])
        assert changes(line) == {name: (new, old) for name, (old, new) in changes(drawn).items()}


async def test_the_way_counts_except_for_related(house, pair):
    first, second = pair
    await relate(house, first, second, "CAUSED_BY")
    await relate(house, first, second, "RELATED")
    assert (await house.do(UnrelateIssues(source_id=second, target_id=first, kind="CAUSED_BY"))).count == 0
    assert (await house.do(UnrelateIssues(source_id=second, target_id=first, kind="RELATED"))).count == 1
    assert await kinds_left(house) == [(first, "CAUSED_BY")]


async def test_without_a_kind_all_that_lead_from_source_to_target_go(house, pair):
    first, second = pair
    for kind in ("CAUSED_BY", "DUPLICATE_OF"):
        await relate(house, first, second, kind)
    await relate(house, second, first, "CAUSED_BY")
    await relate(house, second, first, "RELATED")
    third = await made(house, issue_type="test")
    await relate(house, first, third)
    outcome = await house.do(UnrelateIssues(source_id=first, target_id=second))
    assert (outcome.count, outcome.errors) == (3, ())
    assert await kinds_left(house) == [(second, "CAUSED_BY"), (first, "RELATED")]


async def test_what_is_not_there_changes_nothing(house, pair):
    outcome = await house.do(UnrelateIssues(source_id=pair[0], target_id=pair[1]))
    assert (outcome.count, outcome.position, outcome.issue_ids, outcome.errors) == (0, 2, pair, ())
    await relate(house, *pair)
    for _ in range(2):
        outcome = await house.do(UnrelateIssues(source_id=pair[0], target_id=pair[1], kind="RELATED"))
    assert (outcome.count, outcome.position) == (0, 6)


async def test_a_recurrence_can_be_taken_back_and_drawn_again(house):
    old = await made(house)
    await house.do(success())
    new = await made(house)
    recurrence = {"source_id": new, "target_id": old, "kind": "RECURRENCE_OF"}
    assert (await house.do(UnrelateIssues(**recurrence))).count == 1
    assert (await house.do(RelateIssues(**recurrence))).created
    assert await kinds_left(house) == [(new, "RECURRENCE_OF")]


async def test_drawn_and_removed_in_one_batch_leaves_nothing(house, pair):
    edge = {"source_id": pair[0], "target_id": pair[1]}
    outcomes = await asyncio.gather(
        house.do(RelateIssues(**edge)), house.do(UnrelateIssues(**edge)), house.do(RelateIssues(**edge))
    )
    assert [outcome.position for outcome in outcomes] == [4, 6, 8]
    assert (await house.row(Relation))["id"] == outcomes[2].relation_id != outcomes[0].relation_id


async def test_what_is_not_there_or_not_seen_is_not_found_at_either_end(house, pair):
    message = "there is no such issue"
    source = UserError(code="NOT_FOUND", field=("sourceId",), message=message)
    target = UserError(code="NOT_FOUND", field=("targetId",), message=message)
    mine, hidden = pair
    await relate(house, *pair)
    for command, errors in (
        (UnrelateIssues(source_id="x", target_id=new_id()), (source, target)),
        (UnrelateIssues(source_id=mine, target_id=hidden), (target,)),
        (UnrelateIssues(source_id=hidden, target_id=mine), (source,)),
    ):
        outcome = await house.do(command, caller(team=["READ", "RESPOND"]))
        assert (outcome.errors, outcome.position, outcome.count) == (errors, 4, 0)
    assert len(await house.rows(Relation)) == 1


async def test_respond_is_needed_at_both_ends(house, pair):
    await relate(house, *pair)
    who = caller(team=["READ", "RESPOND"], other=["READ", "REPORT", "MANAGE"])
    for source, target in (pair, reversed(pair)):
        with pytest.raises(Forbidden, match="respond in namespace other"):
            await house.do(UnrelateIssues(source_id=source, target_id=target), who)
    assert len(await house.rows(Relation)) == 1


async def test_a_kind_is_one_of_the_kinds():
    with pytest.raises(Invalid) as raised:
        UnrelateIssues(source_id="x", target_id="y", kind="related")
    assert [(error.code, error.field) for error in raised.value.errors] == [("INVALID", ("kind",))]
