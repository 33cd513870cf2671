"""A body longer than the limit is refused, announced or not; what nobody expected gets an id; callers have names."""

import logging

import pytest

from resolvers.caller import ActorKind, Permission
from tests.web.client import Client
from web.asgi import body_of, respond
from web.auth import KnowTheCaller
from web.bodies import Bodies
from web.doors import OpenDoor
from web.entrance import Entrance
from web.limits import BodyLimit
from web.protection import Protection
from web.route_counts import RouteCounts


async def echo(scope, receive, send):
    await respond(send, 200, await body_of(receive), b"text/plain")


@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("length", "status"), [(0, 200), (10, 200), (11, 413), (99, 413)])
async def test_a_body_may_have_so_many_bytes(length, status, announced, chunk):
    client = Client(BodyLimit(echo, max_bytes=10))
    headers = {"content-length": str(length)} if announced else {}
    answer = await client.request("POST", "/", b"x" * length, headers=headers, chunk=chunk)
    assert answer.status == status
    if status == 200:
        assert answer.text == "x" * length
    else:
        assert "10" in answer.json["error"]


async def test_a_length_that_is_none_does_not_help():
    client = Client(BodyLimit(echo, max_bytes=10))
    for length in ("-1", "1e1", "", "²"):
        answer = await client.request("POST", "/", b"x" * 11, headers={"content-length": length})
        assert answer.status == 413


async def test_an_unexpected_error_is_an_id_that_is_in_the_log(caplog):
    async def broken(scope, receive, send):
        raise RuntimeError("the password is secret")

    with caplog.at_level(logging.ERROR):
        answer = await Client(Entrance(broken, RouteCounts(), Protection(https=False))).get("/some/path")
    assert answer.status == 500
    assert "secret" not in answer.text
    id = answer.json["error"].split()[-1]
    (record,) = caplog.records
    assert id in record.getMessage()
    assert "the password is secret" in caplog.text


async def test_an_answer_that_had_begun_is_cut_off():
    async def broken(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await Client(Entrance(broken, RouteCounts(), Protection(https=False))).get("/")


@pytest.mark.parametrize(
    ("path", "kind", "id"),
    [
        ("/graphql", ActorKind.PERSON, "local"),
        ("/api/v1/issues/", ActorKind.PERSON, "local"),
        ("/api/v1/webhooks/pipeline-failure", ActorKind.WEBHOOK, "pipeline-failure"),
        ("/api/v1/webhooks/pipeline-failure/", ActorKind.WEBHOOK, "pipeline-failure"),
        ("/hooks/tool", ActorKind.WEBHOOK, "tool"),
    ],
)
async def test_who_comes_is_known_and_may_do_everything(path, kind, id):
    callers = []

    async def inside(scope, receive, send):
        callers.append(scope["caller"])
        if scope["type"] == "http":
            await respond(send, 200, b"")
        else:
            await send({"type": "websocket.accept"})

    tools = {"/api/v1/webhooks/pipeline-failure": "pipeline", "/hooks/tool": "tool"}
    entrance = KnowTheCaller(inside, Bodies(1_000))
    entrance.door = OpenDoor(tools)
    client = Client(entrance)
    await client.get(path)
    await client.knock(path)
    for caller in callers:
        assert (caller.actor.kind, caller.actor.id, caller.actor.name) == (kind, id, id)
        assert all(caller.may(permission, "anywhere") for permission in Permission)
        assert caller.tool == tools.get(path.removesuffix("/"))
    assert len(callers) == 2
