"""Connections: made with a key of their own, found by number and by name, known only where they may be."""

import pytest

from models import DevlakeConnection, Token
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Overloaded, Unavailable
from tests.resolvers.mutation.house import ADA, caller

ALL = "/plugins/webhook/connections"
MANAGER = caller(team=[Permission.MANAGE, Permission.ADMIN])
DEPLOYMENT = {
    "id": "1",
    "startedDate": "2026-01-31T12:00:00Z",
    "finishedDate": "2026-01-31T12:30:00Z",
    "deploymentCommits": [{"repoUrl": "r", "commitSha": "a"}],
}


async def test_one_is_made_with_a_key_that_is_shown_this_once_and_reports_there_alone(devlake):
    made = devlake.made
    secret = made["apiKey"]["apiKey"]
    below = f"/rest/plugins/webhook/connections/{devlake.id}"
    assert (made["name"], made["namespace"]) == ("shop", "team")
    assert made["postIssuesEndpoint"] == f"{below}/issues"
    assert made["closeIssuesEndpoint"] == f"{below}/issue/:issueKey/close"
    assert made["postPullRequestsEndpoint"] == f"{below}/pull_requests"
    assert made["postPipelineDeployTaskEndpoint"] == f"{below}/deployments"
    assert made["apiKey"]["name"] == f"webhook-{devlake.id}"
    assert made["apiKey"]["allowedPath"] == f"/plugins/webhook/connections/{devlake.id}/.*"
    known = await devlake.keyring.find(secret)
    assert known is not None
    assert (known.webhook, known.caller.grants) == ("devlake", (Grant(Permission.REPORT, "team"),))
    for path in (f"{ALL}/{devlake.id}", f"{ALL}/by-name/shop"):
        assert await devlake.send("GET", path) == (200, {**made, "apiKey": None})
    assert await devlake.send("GET", ALL) == (200, [{**made, "apiKey": None}])


async def test_a_key_opens_its_own_connection_and_no_other_of_the_namespace(devlake):
    _, other = await devlake.post(ALL, {"name": "cart", "namespace": "team"})
    known = await devlake.keyring.find(devlake.made["apiKey"]["apiKey"])
    devlake.who = known.caller
    status, _ = await devlake.post(f"{ALL}/by-name/shop/deployments", DEPLOYMENT)
    assert status == 200
    status, told = await devlake.post(f"{ALL}/{other['id']}/deployments", DEPLOYMENT)
    assert (status, told["message"]) == (403, "path doesn't match api key's scope (403)")
    for project in ("cart", "team"):
        status, told = await devlake.post(f"/plugins/webhook/projects/{project}/deployments", DEPLOYMENT)
        assert (status, told["message"]) == (403, "path doesn't match api key's scope (403)")
    assert (await devlake.post("/plugins/webhook/projects/shop/deployments", DEPLOYMENT))[0] == 200
    # One that was made for no connection opens all of the namespace.
    devlake.who = Caller(Actor(ActorKind.TOKEN, known.caller.actor.id.replace("0", "1"), "t"), known.caller.grants)
    status, _ = await devlake.post(f"{ALL}/{other['id']}/deployments", DEPLOYMENT)
    assert status == 200


async def test_one_is_renamed_and_removed_with_its_key(devlake):
    path = f"{ALL}/by-name/shop"
    status, told = await devlake.send("PATCH", path, {"name": "till"})
    assert (status, told["name"], told["id"]) == (200, "till", devlake.id)
    assert (await devlake.send("GET", path))[0] == 404
    status, told = await devlake.send("DELETE", f"{ALL}/{devlake.id}")
    assert (status, told["name"]) == (200, "till")
    assert await devlake.rows(DevlakeConnection) == []
    assert (await devlake.row(Token))["revoked_at"] is not None
    assert await devlake.keyring.find(devlake.made["apiKey"]["apiKey"]) is None
    assert (await devlake.post(f"{ALL}/{devlake.id}/deployments", DEPLOYMENT))[0] == 404


async def test_a_name_belongs_to_one_of_a_namespace(devlake):
    status, told = await devlake.post(ALL, {"name": "shop", "namespace": "team"})
    assert (status, told["message"]) == (400, "A webhook with name shop already exists. (400)")
    assert len(await devlake.rows(Token)) == 1
    status, other = await devlake.post(ALL, {"name": "shop", "namespace": "rival"})
    assert status == 200
    status, told = await devlake.send("PATCH", f"{ALL}/{other['id']}", {"name": "shop"})
    assert status == 200
    status, told = await devlake.post(f"{ALL}/by-name/shop/deployments", DEPLOYMENT)
    assert (status, told["message"]) == (400, "2 namespaces have a connection of this name: use its id (400)")
    devlake.who = caller(rival=[Permission.REPORT])
    assert (await devlake.post(f"{ALL}/by-name/shop/deployments", DEPLOYMENT))[0] == 200


async def test_the_namespace_is_the_only_one_of_who_makes_it_or_must_be_said(devlake):
    devlake.who = MANAGER
    status, told = await devlake.post(ALL, {"name": "cart"})
    assert (status, told["namespace"]) == (200, "team")
    for who in (ADA, caller(team=[Permission.MANAGE], qa=[Permission.MANAGE]), caller(team=[Permission.REPORT])):
        devlake.who = who
        status, told = await devlake.post(ALL, {"name": "new"})
        assert status == 400
        assert "?namespace=" in told["message"]


async def test_manage_and_admin_are_needed_and_others_are_told_of_none(devlake):
    devlake.who = caller(team=[Permission.READ, Permission.REPORT, Permission.RESPOND])
    assert await devlake.send("GET", ALL) == (200, [])
    for method, payload in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        status, told = await devlake.send(method, f"{ALL}/{devlake.id}", payload)
        assert (status, told["message"]) == (404, "record not found (404)")
    devlake.who = caller(team=[Permission.MANAGE])
    for method, path, payload in (("POST", ALL, {"name": "x"}), ("DELETE", f"{ALL}/{devlake.id}", None)):
        status, told = await devlake.send(method, path, payload, query={"namespace": "team"})
        assert (status, told["message"]) == (403, "no permission to admin in namespace team (403)")
    devlake.who = caller(team=[Permission.ADMIN])
    status, told = await devlake.post(ALL, {"name": "x", "namespace": "team"})
    assert (status, told["message"]) == (403, "no permission to manage in namespace team (403)")
    assert len(await devlake.rows(DevlakeConnection)) == len(await devlake.rows(Token)) == 1


async def test_a_path_that_leads_nowhere(devlake):
    for path, status, message in (
        (f"{ALL}/0", 400, "invalid connectionId"),
        (f"{ALL}/x", 400, "invalid connectionId"),
        (f"{ALL}/99999999999999999999999999", 404, "record not found"),
        (f"{ALL}/1", 404, "record not found"),
        (f"{ALL}/by-name/{'x' * 101}", 400, "invalid connectionName"),
        (f"{ALL}/by-name/nobody", 404, "record not found"),
        (f"{ALL}/by-name/a%00b", 404, "record not found"),
        ("/plugins/webhook/", 404, "no such path"),
        (f"{ALL}/by-name/{'/issue/' * 4_000}x", 404, "no such path"),
        ("/plugins/webhook/connections/1/2/3", 404, "no such path"),
    ):
        told = {"code": status, "success": False, "message": f"{message} ({status})", "causes": [], "data": None}
        assert await devlake.send("GET", path) == (status, told)


async def test_another_method_is_refused_with_those_that_there_are(devlake):
    for path, allowed in ((ALL, "GET, POST"), (f"{ALL}/1", "GET, PATCH, DELETE"), (f"{ALL}/1/issues", "POST")):
        answer = await devlake.http.put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_name_must_be_one(devlake):
    for name in ("", "x" * 101, "a\0b"):
        status, _ = await devlake.post(ALL, {"name": name, "namespace": "team"})
        assert status == 400
        status, _ = await devlake.send("PATCH", f"{ALL}/{devlake.id}", {"name": name})
        # Without a name nothing is changed.
        assert status == (400 if name else 200)


@pytest.mark.parametrize("problem", [Overloaded("too much"), Unavailable("no database")])
async def test_what_passes_is_503_and_can_be_sent_again(devlake, problem, monkeypatch):
    async def failing(*_):
        raise problem

    monkeypatch.setattr(devlake.deliveries, "carry_out", failing)
    answer = await devlake.http.post(f"{ALL}/{devlake.id}/deployments", json=DEPLOYMENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["message"] == f"{problem.message} (503)"


async def test_our_own_mistake_is_500_and_in_the_log(devlake, monkeypatch, caplog):
    async def failing(*_):
        raise RuntimeError("oops")

    monkeypatch.setattr(devlake.deliveries, "carry_out", failing)
    status, told = await devlake.post(f"{ALL}/{devlake.id}/deployments", DEPLOYMENT)
    assert (status, told["message"]) == (500, "internal error (500)")
    assert "oops" in caplog.text
