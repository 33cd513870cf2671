"""A webhook of a user's own, end to end: made by mutation, delivered to with a signature, broken, mended, replayed."""

import hashlib
import hmac
import json

import pytest
from pydantic import SecretStr

from tests.web.client import living
from web.app import create_app
from web.settings import Settings

FIRST = "the-first-token-of-these-tests-0123456789"
SECRET = "a-secret-that-the-sender-signs-with"
PATH = "/api/v1/webhooks/builder"
DEFINITION = """\
title: Builder
verify:
  - {type: hmac, header: x-signature}
deliveryId: ${get(headers, "x-delivery")}
rules:
  - name: broke
    when: body.ok == false
    report:
      title: Build of ${body.PART} broke
      description: ${body.why}
      severity: major
      issueType: build
      scope: {resourceType: component, resourceName: "${body.PART}"}
      detectedAt: ${body.at}
  - name: works
    when: body.ok == true
    resolve:
      scope: {resourceType: component, resourceName: "${body.PART}"}
      at: ${body.at}
"""
GOOD, BROKEN = DEFINITION.replace("PART", "part"), DEFINITION.replace("PART", "component")


@pytest.fixture
async def client(database_url):
    keys = SecretStr("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    settings = Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST), secret_key=keys)
    async with living(create_app(settings)) as client:
        yield client


async def graphql(client, query, **variables):
    headers = {"authorization": f"Bearer {FIRST}", "content-type": "application/json"}
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = await client.request("POST", "/graphql", body, headers=headers)
    assert "errors" not in answer.json, answer.json
    return answer.json["data"]


async def create(client, **more):
    query = """mutation ($input: CreateWebhookInput!) {
      createWebhook(input: $input) { webhook { name version url } userErrors { field message } } }"""
    given = {"name": "builder", "definition": GOOD, "namespaces": ["team"], "secrets": [SECRET], **more}
    return (await graphql(client, query, input=given))["createWebhook"]


async def update(client, version, **more):
    query = """mutation ($input: UpdateWebhookInput!) {
      updateWebhook(input: $input) {
        webhook { version } problems { line path expression message } userErrors { field message } } }"""
    given = {"name": "builder", "expectedVersion": version, **more}
    return (await graphql(client, query, input=given))["updateWebhook"]


async def deliver(client, part, ok, minute, **headers):
    body = json.dumps({"part": part, "ok": ok, "why": "exit 1", "at": f"2026-11-20T10:{minute:02}:00Z"}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    given = {"content-type": "application/json", "x-signature": signature, **headers}
    return await client.request("POST", PATH, body, headers=given)


async def issues(client):
    query = "{ issues(orderBy: [{field: TITLE, direction: ASC}]) { nodes { title state occurrenceCount } } }"
    nodes = (await graphql(client, query))["issues"]["nodes"]
    return [(node["title"], node["state"], node["occurrenceCount"]) for node in nodes]


async def test_who_signs_reports_without_a_token_and_only_where_the_owner_may(client):
    made = await create(client)
    assert made["userErrors"] == []
    assert made["webhook"]["url"].endswith(PATH)

    answer = await deliver(client, "api", False, 1)
    assert (answer.status, answer.json["items"][0]["action"]) == (201, "created")
    assert answer.json["items"][0]["namespace"] == "team"
    assert (await deliver(client, "api", False, 1, **{"x-signature": "0" * 64})).status == 401
    assert (await client.request("POST", PATH, b"{}", headers={})).status == 401
    elsewhere = await client.request("POST", PATH, b"{}", headers={"authorization": "Bearer igt_none"})
    assert elsewhere.status == 401

    nodes = (await graphql(client, "{ deliveries { nodes { outcome request { headers body } } } }"))["deliveries"][
        "nodes"
    ]
    assert {node["outcome"] for node in nodes} == {"REFUSED", "HANDLED"}
    assert all(node["request"]["body"] is None for node in nodes if node["outcome"] == "REFUSED")
    assert SECRET not in json.dumps(nodes)
    assert "x-signature" not in json.dumps(
        [node["request"]["headers"] for node in nodes if node["outcome"] == "HANDLED"]
    )


async def test_a_good_secret_and_a_token_that_may_only_read_may_not_report(client):
    await create(client)
    query = "mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }"
    for permission, status in (("READ", 403), ("REPORT", 201)):
        token = {"name": permission, "grants": [{"permission": permission, "namespace": "team"}]}
        secret = (await graphql(client, query, input=token))["createToken"]["secret"]
        answer = await deliver(client, "api", False, 1, authorization=f"Bearer {secret}")
        assert answer.status == status, answer.text
    assert len(await issues(client)) == 1


async def test_what_a_broken_definition_missed_comes_in_when_it_is_mended_in_the_senders_order_and_once(client):
    await create(client)
    assert (await deliver(client, "api", False, 1)).status == 201
    changed = await update(client, 1, definition=BROKEN)
    assert changed == {"webhook": {"version": 2}, "problems": [], "userErrors": []}

    # The success of api comes before the failure of web in the sender's time, and after it here.
    failed = [
        await deliver(client, "web", False, 3),
        await deliver(client, "web", False, 3, **{"x-delivery": "once"}),
        await deliver(client, "web", False, 3, **{"x-delivery": "once"}),
        await deliver(client, "db", True, 9),
        await deliver(client, "db", False, 4),
        await deliver(client, "api", True, 2),
    ]
    assert [answer.status for answer in failed] == [422] * 6
    assert "component" in failed[0].json["items"][0]["message"]
    assert await issues(client) == [("Build of api broke", "ACTIVE", 1)]
    health = '{ webhook(name: "builder") { health { lastError failureRate } } }'
    health = (await graphql(client, health))["webhook"]["health"]
    assert health["failureRate"] > 0.5
    assert "component" in health["lastError"]

    assert (await update(client, 2, definition=GOOD))["webhook"] == {"version": 3}
    replay = """mutation {
      replayDeliveries(input: {where: {webhook: "builder"}}) { replayed handled userErrors { message } } }"""
    assert (await graphql(client, replay))["replayDeliveries"] == {"replayed": 6, "handled": 6, "userErrors": []}
    assert (await graphql(client, replay))["replayDeliveries"] == {"replayed": 0, "handled": 0, "userErrors": []}
    found = await issues(client)
    # The failure of db came after its success, and had been before it; what came twice with one id was done once.
    assert found == [
        ("Build of api broke", "RESOLVED", 1),
        ("Build of db broke", "RESOLVED", 1),
        ("Build of web broke", "ACTIVE", 2),
    ]
    again = await deliver(client, "web", False, 3, **{"x-delivery": "once"})
    assert again.status == 200
    assert (await issues(client))[-1] == ("Build of web broke", "ACTIVE", 2)


async def test_bodies_of_a_deleted_webhook_stay_hidden_when_its_name_is_taken_again(client):
    await create(client, definition=GOOD + "mask: [body.part]\n")
    await deliver(client, "api", True, 1)
    await deliver(client, "api", None, 2)
    await graphql(client, 'mutation { deleteWebhook(input: {name: "builder"}) { deletedName } }')
    assert (await create(client))["userErrors"] == []
    await deliver(client, "web", True, 3)
    listed = "{ deliveries { nodes { id outcome request { headers body } } } }"
    new, *old = (await graphql(client, listed))["deliveries"]["nodes"]
    assert json.loads(new["request"]["body"])["part"] == "web"
    assert [node["request"]["body"] for node in old] == [None, None]
    assert {value for node in old for value in node["request"]["headers"].values()} == {"***"}
    replay = "mutation ($id: ID!) { replayDelivery(input: {id: $id}) { userErrors { message } } }"
    done = (await graphql(client, replay, id=old[0]["id"]))["replayDelivery"]
    assert done == {"userErrors": [{"message": "there is no webhook builder, or no longer"}]}


async def test_what_nobody_can_read_stays_refused_when_it_is_tried_again(client):
    await create(client)
    body = b"{not JSON"
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert (await client.request("POST", PATH, body, headers={"x-signature": signature})).status == 400
    listed = "{ deliveries { nodes { id outcome error replayedAt request { body } } } }"
    (before,) = (await graphql(client, listed))["deliveries"]["nodes"]
    assert (before["outcome"], before["request"]["body"]) == ("REFUSED", "{not JSON")
    replay = """mutation ($id: ID!) {
      replayDelivery(input: {id: $id}) { delivery { id } userErrors { code message } } }"""
    done = (await graphql(client, replay, id=before["id"]))["replayDelivery"]
    assert done == {"delivery": None, "userErrors": [{"code": "INVALID", "message": before["error"]}]}
    several = """mutation ($where: DeliveryWhere) {
      replayDeliveries(input: {where: $where}) { replayed skipped hasMore } }"""
    for where, skipped in (({}, 0), ({"outcome": ["REFUSED"]}, 1)):
        done = (await graphql(client, several, where=where))["replayDeliveries"]
        assert done == {"replayed": 0, "skipped": skipped, "hasMore": False}
    assert (await graphql(client, listed))["deliveries"]["nodes"] == [before]


async def test_a_definition_that_cannot_be_read_is_refused_and_the_webhook_stays_as_it_was(client):
    await create(client)
    for bad in ("body.ok === false", "google.protobuf.Timestamp{} == body.ok", "1 + 1"):
        refused = await update(client, 1, definition=GOOD.replace("body.ok == false", bad))
        assert refused["webhook"] is None
        (problem,) = refused["problems"]
        assert (problem["line"], problem["expression"]) == (7, bad)
        assert problem["message"]
    assert (await deliver(client, "api", False, 1)).status == 201
    old = await update(client, 7, definition=BROKEN)
    assert old["userErrors"][0]["message"]
    assert (await deliver(client, "api", True, 2)).status == 200


async def test_a_disabled_webhook_is_not_there_and_a_secret_can_be_changed_without_a_gap(client):
    await create(client)
    newer = await update(client, 1, newSecret="another-secret-of-the-sender")
    assert newer["userErrors"] == []
    assert (await deliver(client, "api", False, 1)).status == 201
    await update(client, 2, enabled=False)
    assert (await deliver(client, "api", False, 2)).status in (401, 404)
    await update(client, 3, enabled=True)
    assert (await deliver(client, "api", False, 2)).status == 200


async def test_a_secret_that_would_be_sent_as_it_stands_and_could_not_be_hidden_is_refused_with_its_field(client):
    in_clear = GOOD.replace("{type: hmac, header: x-signature}", "{type: bearer}")
    refused = await create(client, definition=in_clear, secrets=["123456789012"])
    ((error),) = refused["userErrors"]
    assert (refused["webhook"], error["field"]) == (None, ["secrets", "0"])
    assert "at least 12 characters that are not all digits" in error["message"]
    assert (await create(client, secrets=["123456789012"]))["userErrors"] == []


async def test_filters_of_sqibs_are_tried_as_the_definition_that_they_make_and_that_can_be_kept(client):
    query = """mutation ($input: TestWebhookInput!) { testWebhook(input: $input) {
      definition problems { message } userErrors { field message }
      items { rule command message fields fingerprint { name value } } } }"""
    filters = [
        {
            "trigger": {
                "conditions": [
                    {"key": "status", "contains": ["FAILED", "ERROR"]},
                    {"key": "branch", "contains": ["main"]},
                ],
                "titleFrom": "title",
                "descriptionFrom": "why",
                "mapWith": "event.id",
                "urgency": "LOW",
            },
            "resolve": {"conditions": [{"key": "status", "contains": ["PASSED"]}], "mapWith": "event.id"},
        }
    ]
    failed = {"event": {"id": "b-7", "status": "FAILED", "title": "shop", "why": "exit 1", "branch": "main"}}

    async def tried(payload, filters=filters):
        given = {"payload": payload, "filters": filters, "query": {"from": "Forge", "namespace": "team"}}
        return (await graphql(client, query, input=given))["testWebhook"]

    done = await tried(failed)
    (item,) = done["items"]
    assert (done["problems"], done["userErrors"], item["message"]) == ([], [], None)
    assert (item["rule"], item["command"], item["fields"]["title"]) == ("trigger 1", "createIssue", "Forge - shop")
    assert (item["fields"]["severity"], item["fields"]["description"]) == ("minor", "exit 1")
    assert {"name": "incident", "value": "b-7"} in item["fingerprint"]
    (item,) = (await tried({"event": {"id": "b-7", "status": "passed"}}))["items"]
    assert (item["rule"], item["command"]) == ("resolve 1", "resolveScope")
    (item,) = (await tried({"event": failed["event"] | {"branch": "other"}}))["items"]
    assert item["command"] is None

    for wrong, field in (
        ([], ["filters"]),
        ([{"trigger": {"conditions": []}}], ["filters", "0", "trigger", "conditions"]),
        ([{"trigger": {"conditions": [{"key": " "}]}}], ["filters", "0", "trigger", "conditions", "0", "key"]),
    ):
        assert [error["field"] for error in (await tried(failed, wrong))["userErrors"]] == [field]
    assert (await tried(failed, [{"trigger": {"conditions": [{"key": "k" * 200, "contains": ["x" * 5_000]}]}}]))[
        "problems"
    ]

    await create(client, name="forge", definition=done["definition"], secrets=[])
    headers = {"authorization": f"Bearer {FIRST}", "content-type": "application/json"}
    body, where = json.dumps(failed).encode(), {"from": "Forge", "namespace": "team"}
    answer = await client.request("POST", "/v1/process", body, headers=headers, query=where)
    assert (answer.status, answer.json.get("triggered")) == (201, {"created": True, "duplicate": False}), answer.json
    assert await issues(client) == [("Forge - shop", "ACTIVE", 1)]


SHOWN = (
    ({}, {}),
    ({"x-signature": "0" * 64}, {}),
    ({"authorization": "Bearer igt_none"}, {}),
    ({"x-api-key": "none", "x-signature": "0" * 64}, {}),
    ({}, {"token": "none"}),
    ({"idempotency-key": "k" * 5_000}, {"namespace": "other"}),
)


def told(answer):
    """All that a stranger learns."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status, headers, answer.text


async def test_a_stranger_does_not_learn_which_webhooks_there_are(client):
    await create(client)
    await create(client, name="bare", secrets=[])
    await create(client, name="off")
    disable = "mutation ($in: UpdateWebhookInput!) { updateWebhook(input: $in) { webhook { version } } }"
    await graphql(client, disable, **{"in": {"name": "off", "expectedVersion": 1, "enabled": False}})
    for method in ("POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        for headers, query in SHOWN:
            answers = []
            for name in ("none", "none/", "builder", "builder/", "bare", "off"):
                given = {"content-type": "application/json", **headers}
                path = PATH.replace("builder", name)
                answers.append(told(await client.request(method, path, b"{", headers=given, query=query)))
            assert [answer for answer in answers if answer != answers[0]] == [], (method, headers, query)
            assert answers[0][0] == 401
    # What was wrong is told to who may know.
    refused = (await graphql(client, "{ deliveries { nodes { webhook outcome error } } }"))["deliveries"]["nodes"]
    assert {(each["webhook"], each["outcome"]) for each in refused} == {("builder", "REFUSED")}
    assert {each["error"] for each in refused} == {
        "the delivery is not signed, and has no secret",
        "the signature in x-signature is not ours",
    }


async def test_what_is_no_item_of_a_mended_definition_is_no_failure_of_the_delivery(client):
    await create(client, definition=GOOD.replace("rules:", "each: ${body.nolist}\nrules:"))
    assert (await deliver(client, "api", False, 1)).status == 422
    await update(client, 1, definition=GOOD.replace("rules:", "each: '${[]}'\nrules:"))
    replay = """mutation { replayDeliveries(input: {where: {webhook: "builder"}}) { replayed handled } }"""
    assert (await graphql(client, replay))["replayDeliveries"] == {"replayed": 1, "handled": 1}
    (node,) = (await graphql(client, "{ deliveries { nodes { outcome error items { action } } } }"))["deliveries"][
        "nodes"
    ]
    assert node == {"outcome": "HANDLED", "error": None, "items": []}


async def test_a_success_that_does_not_tell_of_what_resolves_nothing_that_was_told_apart(client):
    told = GOOD.replace('resourceName: "${body.part}"}', 'resourceName: x}\n      fingerprint: {part: "${body.part}"}')
    assert (await create(client, definition=told))["userErrors"] == []
    for part in ("api", ""):
        assert (await deliver(client, part, False, 1)).status == 201
    assert (await deliver(client, "", True, 2)).json["items"][0]["action"] == "resolved"
    assert await issues(client) == [("Build of  broke", "RESOLVED", 1), ("Build of api broke", "ACTIVE", 1)]
