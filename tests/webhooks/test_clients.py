"""Deliveries of other products' clients become the same when they are done again, by what is kept of them."""

import json

import pytest

from resolvers.mutation import CloseTrackedIssue, CreateIssue, RecordChange, RecordDeployment, TrackIssue
from resolvers.webhooks.engine import UnreadableBody
from resolvers.webhooks.plan import Received
from tests.resolvers.mutation.house import ADA
from webhooks.catalog import Catalog
from webhooks.clients import CLIENTS
from webhooks.definition import ours
from webhooks.engine import Definitions

AT = "2026-01-31T08:15:00.000000Z"
CONNECTION = {"namespace": "team", "connection": "1", "connectionName": "shop"}
DEPLOYMENT = {
    "id": "1",
    "result": "FAILURE",
    "startedDate": AT,
    "finishedDate": AT,
    "deploymentCommits": [{"repoUrl": "r", "commitSha": "a"}],
}


@pytest.fixture
def engine():
    return Definitions(Catalog(ours().single))


def received(webhook, event, query, body):
    kept = None if body is None else json.dumps(body).encode()
    return Received(
        id="1", webhook=webhook, at=AT, event=event, query=query, content_type="application/json", body=kept
    )


@pytest.mark.parametrize(
    ("webhook", "event", "query", "body", "commands"),
    [
        ("devlake", "deployments", CONNECTION, DEPLOYMENT, [RecordDeployment, CreateIssue]),
        ("devlake", "close", {**CONNECTION, "issueKey": "1"}, "", [CloseTrackedIssue]),
        (
            "pulse",
            "incident",
            {"namespace": "team"},
            {"$type": "incident", "incident_id": "1", "time_created": AT},
            [TrackIssue],
        ),
        (
            "pulse",
            "change",
            {"namespace": "team"},
            {"$type": "change", "change_id": "1", "time_created": AT},
            [RecordChange],
        ),
        ("sqibs", "", {"namespace": "team", "from": "x"}, {"status": "failed", "id": 1}, [CreateIssue]),
    ],
)
async def test_a_delivery_is_planned_again(engine, webhook, event, query, body, commands):
    delivery = received(webhook, event, query, body)
    plans = await engine.plans(delivery, ADA)
    assert [type(plan.command) for plan in plans] == commands
    assert {plan.command.namespace for plan in plans} == {"team"}
    assert await engine.masked(delivery) == delivery


@pytest.mark.parametrize(
    ("webhook", "event", "query"),
    [("devlake", "issues", CONNECTION), ("pulse", "change", {"namespace": "team"})],
)
async def test_what_cannot_be_read_or_is_not_there_is_not_done_again(engine, webhook, event, query):
    for body in ({}, None):
        with pytest.raises(UnreadableBody, match=r"."):
            await engine.plans(received(webhook, event, query, body), ADA)


def test_nobody_can_take_their_names(engine):
    assert set(CLIENTS) == {"devlake", "pulse", "sqibs"}
    assert all(engine.is_reserved(name) for name in (*CLIENTS, "keep", "prometheus"))
