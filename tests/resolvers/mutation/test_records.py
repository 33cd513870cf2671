"""Deployments and changes as tools tell them: by their own ids, as often as they like, in one row each."""

import json

import pytest

from models import Change, Deployment, DeploymentChange, IssueEvent
from models.database import Database
from resolvers.caller import Permission
from resolvers.errors import Forbidden, Invalid
from resolvers.mutation import CreateIssue, DeployedChange, LabelValue, RecordChange, RecordDeployment, ResolveScope
from tests.resolvers.mutation.house import caller, count_transactions, report, success
from tests.resolvers.mutation.house import house as open_house

AT = "2026-01-31T08:15:00.000000Z"
LATER = "2026-01-31T09:15:00.000000Z"


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house


def deployment(**values):
    """Of two commits to production."""
    return RecordDeployment(
        **{
            "namespace": "team",
            "source": "devlake",
            "system": "1",
            "external_id": "deploy-7",
            "name": "shop",
            "environment": "PRODUCTION",
            "result": "SUCCESS",
            "started_at": AT,
            "finished_at": LATER,
            "labels": (LabelValue("team", "mercury"),),
            "changes": (DeployedChange(sha="aaa", repository="https://git/shop"), DeployedChange(sha="bbb")),
            **values,
        }
    )


def change(**values):
    return RecordChange(
        **{
            "namespace": "team",
            "source": "pulse",
            "kind": "commit",
            "external_id": "aaa",
            "sha": "aaa",
            "authored_at": AT,
            **values,
        }
    )


async def test_a_deployment_is_kept_with_its_changes_in_their_order(house):
    outcome = await house.do(deployment())
    assert (outcome.action, outcome.issue_ids, outcome.errors) == ("CREATED", (), ())
    row = await house.row(Deployment)
    assert row["created_at"] == row["updated_at"]
    assert {name: row[name] for name in ("namespace", "source", "system", "external_id", "name", "result")} == {
        "namespace": "team",
        "source": "devlake",
        "system": "1",
        "external_id": "deploy-7",
        "name": "shop",
        "result": "SUCCESS",
    }
    assert (row["requested_at"], row["started_at"], row["finished_at"]) == (None, AT, LATER)
    assert json.loads(row["labels"]) == [{"name": "team", "value": "mercury"}]
    changes = await house.rows(DeploymentChange)
    assert [(each["deployment_id"], each["ordinal"], each["sha"]) for each in changes] == [
        (row["id"], 0, "aaa"),
        (row["id"], 1, "bbb"),
    ]
    assert changes[0]["repository"] == "https://git/shop"
    # It is no issue, and nobody who watches issues hears of it.
    assert await house.rows(IssueEvent) == []


async def test_the_same_again_writes_nothing_and_another_telling_replaces_the_first(house):
    await house.do(deployment())
    before = await house.row(Deployment)
    assert (await house.do(deployment())).action == "UNCHANGED"
    assert await house.row(Deployment) == before
    outcome = await house.do(deployment(result="FAILURE", changes=(DeployedChange(sha="ccc"),)))
    assert outcome.action == "UPDATED"
    after = await house.row(Deployment)
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert (after["result"], after["updated_at"] > before["updated_at"]) == ("FAILURE", True)
    assert [each["sha"] for each in await house.rows(DeploymentChange)] == ["ccc"]


async def test_ids_belong_to_their_namespace_source_and_system(house):
    for other in ({}, {"namespace": "rival"}, {"source": "other"}, {"system": "2"}, {"external_id": "8"}):
        assert (await house.do(deployment(**other))).action == "CREATED"
        assert (await house.do(change(**other))).action == "CREATED"
    # A pull request may have the number of a commit.
    assert (await house.do(change(kind="pull_request"))).action == "CREATED"
    assert len(await house.rows(Deployment)) == 5
    assert len(await house.rows(Change)) == 6


async def test_what_comes_twice_in_one_batch_is_one_row(house):
    told = [deployment(), deployment(), deployment(result="FAILURE"), change(), change(title="a title")]
    with count_transactions(house) as tried:
        outcomes = await _together(house, told)
    assert [outcome.action for outcome in outcomes] == ["CREATED", "UNCHANGED", "UPDATED", "CREATED", "UPDATED"]
    assert len(tried) < len(told)
    assert (await house.row(Deployment))["result"] == "FAILURE"
    assert len(await house.rows(DeploymentChange)) == 2
    assert (await house.row(Change))["title"] == "a title"


async def test_with_reports_of_issues_they_are_one_transaction(house, database_url):
    first = await house.do(report())
    with count_transactions(house) as tried:
        outcomes = await _together(house, [deployment(result="FAILURE"), report(), success(), change()])
    assert len(tried) <= 2
    assert [outcome.action for outcome in outcomes[:2]] == ["CREATED", "UPDATED"]
    assert outcomes[1].issue_ids == first.issue_ids == outcomes[2].issue_ids
    # What the writer knows by heart still is so.
    assert (await house.do(report())).action == "CREATED"


async def test_a_change_of_a_kind_is_kept_once(house):
    assert (await house.do(change())).action == "CREATED"
    assert (await house.do(change())).action == "UNCHANGED"
    assert (await house.do(change(merged_at=LATER))).action == "UPDATED"
    row = await house.row(Change)
    assert (row["kind"], row["sha"], row["authored_at"], row["merged_at"]) == ("commit", "aaa", AT, LATER)


async def test_a_key_has_it_done_once(house):
    first = await house.do(deployment(idempotency_key="1"))
    assert await house.do(deployment(idempotency_key="1")) == first
    refused = await house.do(deployment(result="FAILURE", idempotency_key="1"))
    assert [error.code for error in refused.errors] == ["IDEMPOTENCY_MISMATCH"]


@pytest.mark.parametrize("command", [deployment(), change()])
async def test_who_may_not_report_records_nothing(house, command):
    for grants in ({"team": [Permission.READ, Permission.MANAGE]}, {"rival": [Permission.REPORT]}):
        with pytest.raises(Forbidden):
            await house.do(command, caller(**grants))
    assert await house.rows(Deployment) == await house.rows(Change) == []


@pytest.mark.parametrize(
    ("make", "values", "field"),
    [
        (deployment, {"external_id": ""}, ("externalId",)),
        (deployment, {"external_id": "x" * 254}, ("externalId",)),
        (deployment, {"namespace": ""}, ("namespace",)),
        (deployment, {"finished_at": "9999-01-01T00:00:00.000000Z"}, ("finishedAt",)),
        (deployment, {"changes": (DeployedChange(sha=""),)}, ("changes", "0", "sha")),
        (deployment, {"changes": (DeployedChange(sha="a"),) * 5_001}, ("changes",)),
        (deployment, {"result": "a\0"}, ("result",)),
        (change, {"kind": ""}, ("kind",)),
        (change, {"system": "x" * 254}, ("system",)),
        (change, {"merged_at": "9999-01-01T00:00:00.000000Z"}, ("mergedAt",)),
    ],
)
def test_what_cannot_be_kept_is_refused(make, values, field):
    with pytest.raises(Invalid) as invalid:
        make(**values)
    assert [error.field for error in invalid.value.errors] == [field]


async def test_the_largest_keys_fit_into_both_databases(house):
    most = {"namespace": "\U0001f600" * 253, "system": "\U0001f600" * 253, "external_id": "\U0001f600" * 253}
    sha = "\U0001f600" * 253
    assert (await house.do(deployment(**most, changes=(DeployedChange(sha=sha),)))).action == "CREATED"
    assert (await house.do(change(**most, sha=sha))).action == "CREATED"


async def test_a_process_that_comes_later_knows_them(house, database_url):
    await house.do(deployment())
    assert isinstance(house.database, Database)
    await house.writer.close()
    async with open_house(database_url) as other:
        assert (await other.do(deployment())).action == "UNCHANGED"


async def _together(house, commands: list[RecordDeployment | RecordChange | CreateIssue | ResolveScope]):
    import asyncio

    return await asyncio.gather(*(house.do(command) for command in commands))
