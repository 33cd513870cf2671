"""What sends alerts to Keep's ingestion sends them here: its paths, its ways to say who it is, its answers."""

import base64

import pytest

from models import Delivery, Issue
from tests.web.clients import clients
from webhooks.definition import ours
from webhooks.keep.routes import PROVIDERS

ALERT = {"name": "Disk full", "status": "firing", "severity": "high", "service": "db", "fingerprint": "f1"}


@pytest.fixture
async def keep(database_url):
    async with clients(database_url) as found:
        found.secret = await found.key("keep")

        async def send(payload, path="/alerts/event", headers=None, **query):
            given = {"x-api-key": found.secret} if headers is None else headers
            return await found.http.post(path, payload, headers=given, **query)

        found.send = send
        yield found


async def test_an_alert_is_taken_and_its_task_is_the_delivery(keep):
    for path in ("/alerts/event", "/api/alerts/event/", "/alerts/event/keep", "/api/alerts/event/keep"):
        answer = await keep.send(ALERT, path)
        assert answer.status == 202, answer.text
    (*_, delivery) = await keep.rows(Delivery)
    assert (answer.json["task_name"], answer.json["outcome"]) == (delivery["id"], "handled")
    assert delivery["webhook"] == "keep"
    row = await keep.row(Issue)
    assert (row["title"], row["severity"], row["occurrence_count"]) == ("Disk full", "major", 4)
    await keep.send({**ALERT, "status": "acknowledged"})
    assert (await keep.row(Issue))["acknowledged_at"] is not None
    await keep.send({**ALERT, "status": "resolved"})
    assert (await keep.row(Issue))["state"] == "RESOLVED"


async def test_one_bad_alert_of_a_list_costs_no_other_anything_and_the_answer_tells(keep):
    answer = await keep.send([ALERT, {"status": "firing"}, {"name": "Slow", "status": "suppressed"}])
    assert (answer.status, [item["action"] for item in answer.json["items"]]) == (
        202,
        ["created", "unmatched", "ignored"],
    )


async def test_types_of_providers_are_definitions(keep):
    assert set(PROVIDERS.values()) <= {*ours().paths.values()}
    alert = {"status": "firing", "labels": {"alertname": "Slow"}, "fingerprint": "1"}
    answer = await keep.send({"version": "4", "alerts": [alert]}, "/alerts/event/prometheus")
    assert (answer.status, answer.json["items"][0]["action"]) == (202, "created")
    answer = await keep.send(ALERT, "/alerts/event/nobody")
    assert (answer.status, answer.json) == (404, {"detail": "Provider type nobody not found"})


async def test_every_way_to_say_who_one_is(keep, caplog):
    basic = base64.b64encode(f"api_key:{keep.secret}".encode()).decode()
    for headers in ({"x-api-key": keep.secret}, {"authorization": f"Basic {basic}"}):
        assert (await keep.send(ALERT, headers=headers)).status == 202
    assert (await keep.send(ALERT, headers={}, api_key=keep.secret)).status == 202
    assert (await keep.send(ALERT, headers={})).status == 401
    assert (await keep.send(ALERT, namespace="rival")).status == 403
    assert keep.secret not in caplog.text
    assert all(keep.secret not in str(row) for row in await keep.rows(Delivery))


async def test_what_cannot_be_read_is_400_and_says_why(keep):
    for body in (b"{", b'[], "x": 1', b'[{"name": "a"}], "alerts": []', b"[]]", b"[", b"[{}],"):
        answer = await keep.http.request("POST", "/alerts/event", body, headers={"x-api-key": keep.secret})
        assert (answer.status, "detail" in answer.json) == (400, True), body
    answer = await keep.http.request("GET", "/alerts/event", headers={"x-api-key": keep.secret})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
