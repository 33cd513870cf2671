"""Whoever asks is charged, by every way in, and told to come again when nothing is left."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from resolvers.errors import RateLimited, RequestError
from tests.resolvers.mutation.house import ADA, BOB
from tests.web.client import living, narrow
from web.app import create_app, sockets_of
from web.buckets import MemoryBuckets
from web.doors import OpenDoor
from web.graphql_request import GraphQLRequest
from web.house import open_house
from web.operations import FREE_BYTES, Operations
from web.rate_limit import Charged
from web.settings import Settings

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
FIVE = "{ issues(first: 4) { nodes { id } } }"
LIMIT = "{ rateLimit { cost limit remaining used restoreRate resetAt } }"


@pytest.fixture
async def client(sqlite_url):
    """Of a server where little may be spent, and nearly nothing comes back."""
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=50, cost_per_second=1)
    async with living(create_app(settings)) as client:
        yield client


async def ask(client, query, accept=JSON, **members):
    return await client.post("/graphql", {"query": query, **members}, headers={"accept": accept})


def cost(answer):
    return answer.json["extensions"]["cost"]


async def test_every_answer_tells_what_it_cost_and_what_is_left(client):
    first = await ask(client, FIVE)
    assert list(first.json) == ["data", "extensions"]
    # The document was not known, and has 14 tokens.
    known = 1 + len(FIVE) // 10 + 14
    assert cost(first) == {"requested": 5, "limit": 50, "remaining": 50 - 5 - known, "restoreRate": 1}
    assert cost(await ask(client, FIVE))["remaining"] in (50 - 10 - known, 50 - 9 - known)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("{ nothing }", 3), ("{ a { b } }" + " " * 900, 6), ("{ position", 10), ("{ position " * 3_000, 5_000)],
)
async def test_a_text_that_is_refused_costs_what_reading_it_takes_once(sqlite_url, text, tokens):
    async with open_house(Settings(dev=True, database_url=sqlite_url)) as house:
        operations = Operations(house.planner.documents, MemoryBuckets(1, 100_000, clock=lambda: 0.0))
        spent = [await spent_by(operations)]
        for _ in range(3):
            with pytest.raises(RequestError):
                await operations.admit(GraphQLRequest(text), ADA)
            spent.append(await spent_by(operations))
    paid = [after - before - 1 for before, after in pairwise(spent)]
    assert paid == [1 + len(text) // 10 + tokens + 10, 10, 10]


async def spent_by(operations):
    """By asking for what is known, which costs 1."""
    charge = (await operations.admit(GraphQLRequest("{ position }"), ADA)).charge
    return charge.limit - charge.remaining


async def test_rate_limit_is_a_field_too(client):
    answer = await ask(client, LIMIT)
    told, shown = answer.json["data"]["rateLimit"], cost(answer)
    assert (told["cost"], told["limit"], told["restoreRate"]) == (1, 50, 1)
    assert (told["remaining"], told["used"]) == (shown["remaining"], 50 - shown["remaining"])
    assert told["resetAt"].endswith("Z")


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 429), (JSON, 200)])
async def test_who_has_nothing_left_is_told_when_to_come_again(client, accept, status):
    for _ in range(20):
        answer = await ask(client, FIVE, accept)
        if "errors" in answer.json:
            break
    assert (answer.status, answer.kind) == (status, accept)
    assert answer.json.keys() == {"errors"}
    (error,) = answer.json["errors"]
    assert error["extensions"].keys() == {"code", "retryAfter"}
    assert error["extensions"]["code"] == "RATE_LIMITED"
    seconds = error["extensions"]["retryAfter"]
    assert 1 <= seconds <= 5
    assert answer.headers["retry-after"] == str(seconds)
    assert f"{seconds} second" in error["message"]


async def test_mistakes_and_unknown_documents_are_not_free(client):
    for number in range(20):
        answer = await ask(client, f"{{ nothing{number} }}")
        (error,) = answer.json["errors"]
        if error["extensions"]["code"] == "RATE_LIMITED":
            break
    assert 2 < number < 10


async def test_what_is_in_variables_is_charged_past_what_is_usual_and_bounded(sqlite_url):
    query = "query ($where: IssueWhere) { issues(where: $where) { totalCount } }"
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=200, cost_per_second=1)
    async with living(create_app(settings)) as client:
        usual = cost(await ask(client, query, variables={"where": {"title": {"in": ["a"] * 90}}}))
        more = cost(await ask(client, query, variables={"where": {"title": {"in": ["a"] * 118}}}))
        answer = await ask(client, query, variables={"where": {"or": [{"or": [{}] * 100}] * 100}})
    assert usual["remaining"] - more["remaining"] >= usual["requested"] + 18
    (error,) = answer.json["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert error["message"] == "variables may have 10,000 values at most"


async def test_an_event_stream_says_it_too(client):
    while "errors" not in (await ask(client, FIVE)).json:
        pass
    answer = await ask(client, "subscription { issueEvents { position } }", "text/event-stream")
    assert (answer.status, "RATE_LIMITED" in answer.text) == (200, True)
    assert answer.text.endswith("event: complete\ndata:\n\n")


async def test_rest_is_429_with_the_seconds(client):
    answers = [await client.get("/api/v1/issues/") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert "try again" in answers[-1].json["error"]
    # A tool is another caller, and health is for everybody.
    assert (await client.post("/api/v1/webhooks/pipeline-failure", {})).status == 400
    for path in ("/api/v1/health", "/api/v1/version", "/metrics", "/healthz"):
        assert (await client.get(path)).status == 200


async def test_each_operation_on_a_socket_costs(sqlite_url):
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=50, cost_per_second=1)
    async with open_house(settings) as house:
        incoming, sent = asyncio.Queue(), asyncio.Queue()
        said: list[Any] = [{"type": "connection_init"}]
        said += [{"id": str(n), "type": "subscribe", "payload": {"query": FIVE}} for n in range(20)]
        incoming.put_nowait({"type": "websocket.connect"})
        for message in said:
            incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
        scope = {"type": "websocket", "subprotocols": ["graphql-transport-ws"], "caller": ADA}
        serving = asyncio.create_task(sockets_of(house, OpenDoor({}))(scope, incoming.get, sent.put))
        ended = []
        assert (await sent.get())["type"] == "websocket.accept"
        while len(ended) < 20:
            message = json.loads((await asyncio.wait_for(sent.get(), 20))["text"])
            if message["type"] in ("complete", "error"):
                ended.append(message)
        incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await serving
    refused = [message["payload"][0]["extensions"]["code"] for message in ended if message["type"] == "error"]
    assert 13 <= len(refused) <= 15
    assert set(refused) == {"RATE_LIMITED"}


async def test_a_long_message_on_a_socket_is_charged_before_it_is_read_and_closes_it_where_it_cannot_be_paid(
    sqlite_url,
):
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=1_000, cost_per_second=1)
    async with open_house(settings) as house:
        incoming, sent = asyncio.Queue(), asyncio.Queue()
        long = '{"type":"ping"}'.ljust(FREE_BYTES + 40_000)
        said = [
            '{"type":"connection_init"}',
            '{"type":"ping"}'.ljust(FREE_BYTES),
            long,
            long,
            "no JSON".ljust(len(long)),
        ]
        incoming.put_nowait({"type": "websocket.connect"})
        for text in said:
            incoming.put_nowait({"type": "websocket.receive", "text": text})
        scope = {"type": "websocket", "subprotocols": ["graphql-transport-ws"], "caller": ADA}
        async with asyncio.timeout(20):
            await sockets_of(house, OpenDoor({}))(scope, incoming.get, sent.put)
        answers = [sent.get_nowait() for _ in range(sent.qsize())]
    types = [json.loads(answer["text"])["type"] if "text" in answer else answer["type"] for answer in answers]
    assert types == ["websocket.accept", "connection_ack", "pong", "pong", "pong", "websocket.close"]
    assert answers[-1]["code"] == 1013
    assert "try again in" in answers[-1]["reason"]


async def test_callers_are_charged_each_for_itself(sqlite_url):
    async with open_house(Settings(dev=True, database_url=sqlite_url)) as house:
        operations = Operations(house.planner.documents, MemoryBuckets(1, 100))
        await operations.admit(GraphQLRequest(FIVE), ADA)
        before = (await operations.admit(GraphQLRequest(FIVE), BOB)).charge
        assert before.remaining == 95


async def test_a_tool_may_report_all_that_is_broken_at_once():
    settings = Settings()
    buckets = MemoryBuckets(settings.cost_per_second, settings.cost_burst, clock=lambda: 0.0)
    taken = []

    async def inside(scope, receive, send):
        taken.append(scope)

    async def nothing(*_):
        raise AssertionError("nothing is read, and nothing is refused")

    charged = Charged(inside, buckets)
    for _ in range(5_000):
        await charged({"type": "http", "caller": ADA}, nothing, nothing)
    assert len(taken) == 5_000


@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize("body", [b"no json", b'{"query": "{ position }", "more": "'])
async def test_a_long_body_is_charged_whatever_comes_of_it(sqlite_url, body, is_announced):
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=1_000, cost_per_second=1)
    async with living(create_app(settings)) as client:
        before = cost(await ask(client, LIMIT))["remaining"]
        assert (await post(client, body.ljust(FREE_BYTES), is_announced)).status == 400
        assert before - cost(await ask(client, LIMIT))["remaining"] in (0, 1)
        assert (await post(client, body.ljust(FREE_BYTES + 50_000), is_announced)).status == 400
        assert before - cost(await ask(client, LIMIT))["remaining"] in (501, 502)
        answer = await post(client, body.ljust(FREE_BYTES + 50_000), is_announced)
        assert answer.json["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_a_body_that_cannot_be_paid_for_is_not_waited_for(sqlite_url):
    settings = narrow(sqlite_url, max_query_cost=50, cost_burst=50, cost_per_second=1)
    async with living(create_app(settings)) as client:

        async def never():
            raise AssertionError("it was read to its end")

        headers = {"content-type": JSON, "content-length": "900000"}
        answer = await client.request("POST", "/graphql", b" " * 900_000, headers=headers, before_last=never)
    assert answer.json["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def post(client, body, is_announced):
    headers = {"content-type": JSON, **({"content-length": str(len(body))} if is_announced else {})}
    return await client.request("POST", "/graphql", body, headers=headers)


async def test_a_document_that_cannot_be_paid_for_is_not_read(sqlite_url):
    async with open_house(Settings(dev=True, database_url=sqlite_url)) as house:
        operations = Operations(house.planner.documents, MemoryBuckets(1, 2_000, clock=lambda: 0.0))
        text = "{ " + "position " * 1_500 + "}"
        with pytest.raises(RateLimited):
            await operations.admit(GraphQLRequest(text), ADA)
        assert text not in house.planner.documents
