"""Clients of other products at the door: with their own ways to say who they are, on their own paths alone."""

import base64
import logging

import pytest
from pydantic import SecretStr

from tests.web.client import living, narrow
from web.app import create_app
from web.doors import OpenDoor
from web.settings import Settings
from web.webhook_paths import CLIENTS, WebhookPaths

FIRST = "the-first-token-of-these-tests-0123456789"
CONNECTIONS = "/plugins/webhook/connections"
DEPLOYMENT = {
    "id": "1",
    "result": "FAILURE",
    "startedDate": "2026-01-31T12:00:00Z",
    "finishedDate": "2026-01-31T12:30:00Z",
    "deploymentCommits": [{"repoUrl": "https://git.example/shop", "commitSha": "a"}],
}


@pytest.fixture
async def client(database_url):
    async with living(create_app(Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST)))) as client:
        yield client


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


async def made(client):
    """A connection of namespace team."""
    answer = await client.post(CONNECTIONS, {"name": "shop"}, headers=bearer(FIRST), namespace="team")
    assert answer.status == 200, answer.text
    return answer.json


async def test_a_key_of_devlake_opens_its_paths_in_every_way_and_no_other(client, caplog):
    caplog.set_level(logging.DEBUG)
    connection = await made(client)
    key = connection["apiKey"]["apiKey"]
    path = f"/api/rest/plugins/webhook/connections/{connection['id']}/deployments"
    basic = base64.b64encode(f"me:{key}".encode()).decode()
    ways = (bearer(key), {"x-api-key": key}, {"authorization": f"Basic {basic}"})
    for headers in ways:
        answer = await client.post(path, DEPLOYMENT, headers=headers)
        assert (answer.status, answer.json["success"]) == (200, True)
    for name in ("token", "api_key"):
        answer = await client.post(path, DEPLOYMENT, **{name: key})
        assert answer.status == 200
    for elsewhere in ("/api/v1/issues", "/api/v1/webhooks/pipeline-failure", "/graphql"):
        assert (await client.post(elsewhere, {}, headers=bearer(key))).status == 403
        assert (await client.post(elsewhere, {}, api_key=key)).status in (401, 403)
    told = await client.get("/api/v1/issues", headers=bearer(FIRST))
    assert [issue["title"] for issue in told.json["data"]] == ["Deployment failed: shop (PRODUCTION)"]
    assert key not in caplog.text


async def test_at_the_door_devlake_speaks_its_own_words(client):
    path = f"/rest{CONNECTIONS}/1/issues"
    answer = await client.post(path, {})
    assert (answer.status, answer.json) == (401, {"success": False, "message": "token is missing"})
    answer = await client.post(path, {}, headers=bearer("nobody's"))
    assert (answer.status, answer.json) == (403, {"success": False, "message": "api key is invalid"})
    for malformed in ("Basic bWU6bm9ib2R5", "Bearer", "nobody's"):
        answer = await client.post(path, {}, headers={"authorization": malformed})
        told = {"success": False, "message": "token is not present or malformed"}
        assert (answer.status, answer.json) == (401, told)
    assert (await client.post(path, {}, headers={"x-api-key": "nobody's"})).status == 403
    token = {"name": "t", "webhook": "pipeline", "grants": [{"permission": "REPORT", "namespace": "team"}]}
    document = "mutation($input: CreateTokenInput!) { createToken(input: $input) { secret } }"
    created = await client.post("/graphql", {"query": document, "variables": {"input": token}}, headers=bearer(FIRST))
    answer = await client.post(path, {}, headers=bearer(created.json["data"]["createToken"]["secret"]))
    assert (answer.status, answer.json["message"]) == (403, "path doesn't match api key's scope")


async def test_slashes_at_the_end_and_bodies_that_are_too_large(client):
    connection = await made(client)
    path = f"{CONNECTIONS}/{connection['id']}/deployments/"
    assert (await client.post(path, DEPLOYMENT, headers=bearer(FIRST))).status == 200
    large = {**DEPLOYMENT, "name": "x" * 2_000_000}
    assert (await client.post(path, large, headers=bearer(FIRST))).status == 413


async def test_each_request_is_charged(sqlite_url):
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=50, cost_per_second=1)
    async with living(create_app(settings)) as client:
        answers = [await client.get(CONNECTIONS) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]


async def test_on_dev_a_client_is_its_product(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        connection = (await client.post(CONNECTIONS, {"name": "shop"}, namespace="team")).json
        assert (await client.post(f"{CONNECTIONS}/{connection['id']}/deployments", DEPLOYMENT)).status == 200
    door = OpenDoor(WebhookPaths({"/api/v1/webhooks/a": "a"}, CLIENTS))
    caller = await door.let_in({"path": f"{CONNECTIONS}/1/issues"})
    assert (caller.actor.name, caller.tool) == ("devlake", "devlake")
    assert (await door.let_in({"path": "/plugins/webhooks"})).actor.name == "local"
