"""AcknowledgeScope: what a tool is told about a scope is noted at its active issues, once."""

import pytest

from models import Issue
from models.values import now
from resolvers.errors import Forbidden, Invalid
from resolvers.mutation import AcknowledgeIssue, AcknowledgeScope, PartValue
from tests.resolvers.mutation.house import BOB, TEKTON, caller, kinds, later, made


def seen(**values):
    return AcknowledgeScope(**{"namespace": "team", "resource_type": "component", "resource_name": "api", **values})


async def by(house):
    """Who acknowledged what, by issue."""
    return {row["id"]: row["acknowledged_by_id"] for row in await house.rows(Issue)}


async def test_the_active_issues_of_the_scope_are_acknowledged_by_the_tool(house):
    ids = [await made(house, issue_type=word) for word in ("test", "build")]
    other = await made(house, resource_name="web")
    outcome = await house.do(seen(), TEKTON)
    assert (outcome.issue_ids, outcome.count, outcome.position) == (tuple(ids), 2, 5)
    assert await by(house) == {ids[0]: "tekton", ids[1]: "tekton", other: None}
    assert kinds(await house.log(after=3)) == ["ACKNOWLEDGED", "ACKNOWLEDGED"]


async def test_who_was_first_stays_and_again_logs_nothing(house):
    id = await made(house)
    await house.do(AcknowledgeIssue(id=id), BOB)
    outcome = await house.do(seen(), TEKTON)
    assert (outcome.issue_ids, outcome.position) == ((id,), 2)
    assert await by(house) == {id: "bob"}


async def test_only_the_issues_of_that_type_with_those_parts_are_meant(house):
    scan = PartValue("kind", "scan")
    plain, part = await made(house), await made(house, fingerprint=(scan,))
    assert (await house.do(seen(fingerprint=(scan,)), TEKTON)).issue_ids == (part,)
    assert (await house.do(seen(issue_type="test"), TEKTON)).issue_ids == ()
    assert (await house.do(seen(fingerprint=()), TEKTON)).issue_ids == (plain,)


async def test_a_time_before_the_issue_is_about_another_one(house):
    at = now()
    id = await made(house, detected_at=at)
    assert (await house.do(seen(at=later(at, minutes=-1)), TEKTON)).issue_ids == ()
    moment = later(at, minutes=1)
    assert (await house.do(seen(at=moment), TEKTON)).issue_ids == (id,)
    assert (await house.row(Issue))["acknowledged_at"] == moment


async def test_who_may_not_report_there_may_not_acknowledge(house):
    id = await made(house)
    with pytest.raises(Forbidden):
        await house.do(seen(), caller(team=["READ", "RESPOND"], other=["REPORT"]))
    assert await by(house) == {id: None}


def test_what_cannot_be_is_refused_with_its_field():
    with pytest.raises(Invalid) as refused:
        seen(resource_name="", issue_type="odd", idempotency_key="")
    assert [error.field for error in refused.value.errors] == [
        ("scope", "resourceName"),
        ("issueType",),
        ("idempotencyKey",),
    ]
