"""A webhook of somebody's own that is reached through another product's path: all that its definition says holds."""

import base64
import json

import pytest
from sqlalchemy import update

from models import Delivery, Issue, Webhook
from tests.web.clients import clients

DEFINITION = """\
title: Mine
verify:
  - {type: token, header: x-tok}
deliveryId: ${body.id}
event: ${body.kind}
mask: [body.pw]
keepBodies: true
rules:
  - when: body.ok == true
    resolve:
      scope: {resourceType: component, resourceName: shop}
  - when: has(body.ok)
    report:
      title: It broke
      description: "${text(headers)} ${settings.logsUrl}"
      severity: major
      issueType: build
      scope: {resourceType: component, resourceName: shop}
"""
SECRET = "a-secret-of-the-sender"
BROKEN = {"ok": False, "pw": "PWPW", "id": "d-1", "kind": "build.done"}
PATHS = {
    "sqibs": ("/v1/process", {"from": "Mine"}),
    "pulse": ("/v1/ingestion/mine", {}),
    "keep": ("/alerts/event/mine", {}),
}
CREATE = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { userErrors { message } } }"
CHANGE = {"$type": "change", "change_id": "a", "time_created": "2026-01-31T12:00:00Z"}
READ = "{ deliveries { nodes { webhook event deliveryKey request { headers query body } } } }"


@pytest.fixture(params=PATHS)
async def mine(request, database_url):
    """`create` makes the webhook; `send` reports to it at the path of a client."""
    path, query = PATHS[request.param]
    async with clients(database_url) as found:
        found.client = request.param
        key = await found.key(request.param)

        async def create(definition=DEFINITION, secrets=(SECRET,)):
            given = {"name": "mine", "definition": definition, "namespaces": ["team"], "secrets": [*secrets]}
            assert (await found.ask(CREATE, input=given))["createWebhook"] == {"userErrors": []}

        async def send(payload, tok=SECRET, **more):
            headers = {"x-api-key": key, "content-type": "application/json", "x-tok": tok}
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            return await found.http.request("POST", path, body, headers=headers, query={**query, **more})

        found.create, found.send = create, send
        yield found


async def test_a_token_does_not_stand_for_the_secret_of_the_webhook(mine):
    await mine.create()
    answer = await mine.send(BROKEN, tok="anything-wrong")
    assert (answer.status, answer.json["error"]) == (401, "Not verified")
    assert await mine.rows(Issue) == []
    (refused,) = await mine.rows(Delivery)
    assert (refused["webhook"], refused["outcome"], refused["body"]) == ("mine", "REFUSED", None)
    answer = await mine.send(BROKEN)
    assert answer.status == (202 if mine.client == "keep" else 201), answer.text
    assert (await mine.send(BROKEN, namespace="rival")).status == 403


@pytest.mark.parametrize("way", ["bearer", "basic"])
@pytest.mark.parametrize("place", ["x-api-key", "token", "api_key"])
async def test_a_key_counts_beside_an_authorization_that_the_webhook_asks_for(mine, way, place):
    await mine.create(DEFINITION.replace("{type: token, header: x-tok}", f"{{type: {way}}}"))
    path, query = PATHS[mine.client]
    good = await mine.key(mine.client)

    async def send(key, secret):
        shown = f"Bearer {secret}"
        if way == "basic":
            shown = "Basic " + base64.b64encode(f"robot:{secret}".encode()).decode()
        headers = {"authorization": shown, "content-type": "application/json"}
        in_header = {place: key} if key and place == "x-api-key" else {}
        in_url = {place: key} if key and place != "x-api-key" else {}
        body = json.dumps(BROKEN).encode()
        return await mine.http.request("POST", path, body, headers={**headers, **in_header}, query={**query, **in_url})

    for key in (None, f"igt_{'a' * 49}", await mine.key("devlake" if mine.client == "pulse" else "pulse")):
        for secret in (SECRET, "anything-wrong"):
            answer = await send(key, secret)
            assert answer.status == (401 if key is None or "aaaa" in key else 403), answer.text
    assert await mine.rows(Delivery) == []
    answer = await send(good, "anything-wrong")
    assert (answer.status, answer.json["error"]) == (401, "Not verified")
    (refused,) = await mine.rows(Delivery)
    assert (refused["webhook"], refused["outcome"], refused["body"]) == ("mine", "REFUSED", None)
    assert await mine.rows(Issue) == []
    answer = await send(good, SECRET)
    assert answer.status == (202 if mine.client == "keep" else 201), answer.text
    assert (await mine.row(Issue))["namespace"] == "team"
    assert all(each not in str(row) for row in await mine.rows(Delivery) for each in (good, SECRET))


async def test_what_is_secret_of_it_is_neither_shown_nor_kept_and_what_it_masks_is_masked(mine):
    await mine.create()
    answer = await mine.send(BROKEN)
    description = (await mine.row(Issue))["description"]
    assert "x-tok" not in description
    assert description.endswith("https://konflux.dev/logs/pipelineruns/")
    assert answer.json["items"][0]["fingerprint"]["resourceName"] == "shop"
    assert all(SECRET not in str(row) for row in await mine.rows(Delivery))
    (node,) = (await mine.ask(READ))["deliveries"]["nodes"]
    assert (node["webhook"], node["event"], node["deliveryKey"]) == ("mine", "build.done", "d-1")
    assert "x-tok" not in str(node["request"]["headers"])
    assert json.loads(node["request"]["body"])["pw"] == "***"
    await mine.send(BROKEN)
    assert (await mine.row(Issue))["occurrence_count"] == 1


async def test_a_webhook_that_keeps_no_bodies_keeps_none(mine):
    await mine.create(DEFINITION.replace("keepBodies: true", "keepBodies: false"))
    assert (await mine.send(BROKEN)).status in (201, 202)
    assert (await mine.row(Delivery))["body"] is None


async def test_what_it_has_no_rule_for_is_nobody_elses(mine):
    await mine.create(secrets=())
    answer = await mine.send({"status": "failed", "$type": "deployment", "pw": "PWPW"})
    assert (answer.status, answer.json["outcome"]) == (202, "unmatched")
    assert await mine.rows(Issue) == []
    (node,) = (await mine.ask(READ))["deliveries"]["nodes"]
    assert node["webhook"] == "mine"
    assert "PWPW" not in node["request"]["body"]


async def test_a_definition_that_can_no_longer_be_read_says_so(mine):
    await mine.create(secrets=())
    await mine.write(update(Webhook).values(definition="title: x", version=2))
    # Whoever changes a token has the webhooks read again.
    await mine.key("sqibs")
    answer = await mine.send(BROKEN)
    assert answer.status == (202 if mine.client == "keep" else 422), answer.text
    (item,) = answer.json["items"]
    assert item["message"].startswith("the definition is broken: ")
    assert await mine.rows(Issue) == []


async def test_a_disabled_one_is_not_asked_and_still_says_what_may_be_kept(database_url):
    update = "mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { userErrors { message } } }"
    async with clients(database_url) as found:
        given = {"name": "mine", "namespaces": ["team"], "secrets": [SECRET]}
        await found.ask(CREATE, input={**given, "definition": DEFINITION})
        await found.ask(update, input={"name": "mine", "expectedVersion": 1, "enabled": False})
        headers = {"x-api-key": await found.key("sqibs"), "content-type": "application/json", "x-tok": SECRET}
        body = json.dumps({"status": "failed", "id": 7, "pw": "PWPW"}).encode()
        answer = await found.http.request("POST", "/v1/process", body, headers=headers, query={"from": "Mine"})
        assert (answer.status, answer.json["items"][0]["rule"]) == (201, "trigger 2")
        (node,) = (await found.ask(READ))["deliveries"]["nodes"]
        assert (node["webhook"], json.loads(node["request"]["body"])["pw"]) == ("sqibs", "***")
        assert SECRET not in str(node)
        # Nor when it is gone, and nobody knows any longer what to mask.
        delete = 'mutation { deleteWebhook(input: {name: "mine"}) { userErrors { message } } }'
        assert (await found.ask(delete))["deleteWebhook"] == {"userErrors": []}
        (node,) = (await found.ask(READ))["deliveries"]["nodes"]
        assert node["request"]["body"] is None
        assert "PWPW" not in str(node)


async def test_a_shipped_definition_keeps_its_secrets_to_itself_too(database_url):
    async with clients(database_url) as found:
        key = await found.key("sqibs")
        pipeline = {"object_kind": "pipeline", "object_attributes": {"status": "running"}}
        for payload, outcome in ((pipeline, 202), ({"status": "failed", "id": 1}, 201), (b"no json", 202)):
            headers = {"x-api-key": key, "content-type": "application/json", "x-gitlab-token": "SECRETGL"}
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            answer = await found.http.request("POST", "/v1/process", body, headers=headers, query={"from": "GitLab"})
            assert answer.status == outcome, answer.text
        rows = await found.rows(Delivery)
        assert [row["webhook"] for row in rows] == ["gitlab", "sqibs", "sqibs"]
        assert "SECRETGL" not in str(rows)
        assert "x-gitlab-token" not in str(rows)


@pytest.mark.parametrize(
    ("client", "path", "query", "body"),
    [
        ("sqibs", "/v1/process", {"from": "Mine"}, {"status": "failed", "id": 7}),
        (
            "pulse",
            "/v1/ingestion/mine",
            {},
            {"$type": "change", "change_id": "a", "time_created": "2026-01-31T12:00:00Z"},
        ),
    ],
)
async def test_whoever_takes_a_name_elsewhere_takes_no_call_away(database_url, client, path, query, body):
    async with clients(database_url) as found:
        given = {"name": "mine", "namespaces": ["other"], "secrets": [SECRET], "definition": DEFINITION}
        assert (await found.ask(CREATE, input=given))["createWebhook"] == {"userErrors": []}
        headers = {"x-api-key": await found.key(client), "content-type": "application/json"}
        answer = await found.http.request("POST", path, json.dumps(body).encode(), headers=headers, query=query)
        assert answer.status in (200, 201), answer.text
        (row,) = await found.rows(Delivery)
        assert (row["webhook"], row["namespace"], row["outcome"]) == (client, "team", "HANDLED")


async def test_whoever_takes_a_name_elsewhere_has_no_say_in_what_is_shown(database_url):
    async with clients(database_url) as found:
        definition = DEFINITION.replace("[body.pw]", "[body.event, query.namespace]")
        given = {"name": "mine", "namespaces": ["other"], "definition": definition}
        assert (await found.ask(CREATE, input=given))["createWebhook"] == {"userErrors": []}
        headers = {"x-api-key": await found.key("sqibs"), "content-type": "application/json"}
        body = {"event": {"id": "1", "status": "FAILED"}}
        query = {"from": "Mine", "namespace": "team"}
        await found.http.request("POST", "/v1/process", json.dumps(body).encode(), headers=headers, query=query)
        (node,) = (await found.ask(READ))["deliveries"]["nodes"]
        assert json.loads(node["request"]["body"]) == body
        assert node["request"]["query"] == query
