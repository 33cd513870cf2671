"""Multipart subscriptions, part by part, as Apollo documents them: `multipart/mixed; subscriptionSpec=1.0`."""

import asyncio
import json
from email.message import Message

import pytest

from tests.resolvers.mutation.house import ADA, report
from tests.web.client import living, without_cost
from web import result_stream
from web.app import create_app
from web.ending import Ending
from web.graphql_request import Accept
from web.house import open_house
from web.multipart import MULTIPART_SUBSCRIPTION
from web.result_stream import ResultStream
from web.settings import Settings

SECONDS = 20
MULTIPART = "multipart/mixed;subscriptionSpec=1.0"
APOLLO = (
    'multipart/mixed;boundary=graphql;subscriptionSpec="1.0",application/graphql-response+json,application/json;q=0.9'
)
EVENTS = "subscription { issueEvents { position events { match event { issueId } } } }"
TYPENAME = "{ __typename }"
HEARTBEAT = {}


def boundary_of(content_type):
    message = Message()
    message["content-type"] = content_type
    assert message.get_content_type() == "multipart/mixed"
    assert message.get_param("subscriptionspec") == "1.0"
    return f"\r\n--{message.get_param('boundary')}"


def parts(text, boundary):
    """The JSON of every whole part, and whether the last boundary has come."""
    before, *pieces = text.split(boundary)
    assert before == ""
    *whole, rest = pieces
    assert rest in ("", "--\r\n")
    values = []
    for part in whole:
        head, _, body = part.partition("\r\n\r\n")
        assert head.strip().lower() == "content-type: application/json"
        values.append(json.loads(body))
    return values, rest != ""


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


async def ask(client, query, accept):
    return await client.post("/graphql", {"query": query}, headers={"accept": accept})


async def test_a_query_is_one_payload_for_a_client_that_takes_nothing_else(client):
    answer = await ask(client, TYPENAME, MULTIPART)
    assert answer.status == 200
    expected = [{"payload": {"data": {"__typename": "Query"}}}]
    values, ended = parts(answer.text, boundary_of(answer.headers["content-type"]))
    assert ([{"payload": without_cost(value["payload"])} for value in values], ended) == (expected, True)


@pytest.mark.parametrize("query", ["{ nothing }", "{ __typename"])
async def test_a_mistake_is_a_payload_for_a_client_that_takes_nothing_else_and_json_for_apollo(client, query):
    answer = await ask(client, query, MULTIPART)
    ((part,), ended) = parts(answer.text, boundary_of(answer.headers["content-type"]))
    assert ended
    assert [error["extensions"]["code"] for error in part["payload"]["errors"]] == ["BAD_REQUEST"]
    answer = await ask(client, query, APOLLO)
    assert (answer.status, answer.kind) == (400, "application/graphql-response+json")


async def test_a_query_of_apollo_is_json(client):
    answer = await ask(client, TYPENAME, APOLLO)
    assert answer.kind == "application/graphql-response+json"
    assert without_cost(answer.json) == {"data": {"__typename": "Query"}}


async def test_an_error_of_a_stream_is_a_payload_and_the_end(client):
    answer = await ask(client, 'subscription { issueEvents(after: "%s") { position } }' % ("0" * 28), APOLLO)
    values, ended = parts(answer.text, boundary_of(answer.headers["content-type"]))
    assert values[0] == HEARTBEAT
    assert values[1]["payload"]["errors"][0]["extensions"]["code"] == "POSITION_EXPIRED"
    assert (len(values), ended) == (2, True)


@pytest.mark.parametrize(
    "accept", ["multipart/mixed", "multipart/mixed;deferSpec=20220824", "multipart/mixed;subscriptionSpec=2.0"]
)
async def test_multipart_of_another_kind_is_not_ours(client, accept):
    assert (await ask(client, EVENTS, accept)).status == 406


def test_of_two_streams_the_one_that_is_taken_more_gladly_is_sent():
    def chosen(accept):
        return Accept.of({"headers": [(b"accept", accept.encode())]}).stream

    assert chosen(f"{MULTIPART}, text/event-stream;q=0.5").startswith("multipart/mixed")
    assert chosen(f"{MULTIPART};q=0.5, text/event-stream") == "text/event-stream"
    assert chosen("application/json, */*") is None


@pytest.fixture
async def house(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        yield house


class Request:
    """One request without a network."""

    def __init__(self, house, query):
        self.text = ""
        self.came = asyncio.Event()
        self.ending = Ending(seconds=0.05)
        operation = house.planner.documents.operation(query)
        scope = {"type": "http", "headers": [], "caller": ADA}
        stream = ResultStream(
            house.operations,
            house.executor,
            house.streams,
            house.log,
            self.ending,
            MULTIPART_SUBSCRIPTION,
            admits=lambda _: True,
        )
        self.serving = asyncio.create_task(stream(operation, scope, self._receive, self._send))

    async def _receive(self):
        await asyncio.Event().wait()

    async def _send(self, message):
        if "headers" in message:
            self.boundary = boundary_of(dict(message["headers"])[b"content-type"].decode())
        self.text += message.get("body", b"").decode()
        self.came.set()

    async def until(self, enough):
        """The parts, as soon as they are enough; each is whole when it comes, without the one after it."""
        async with asyncio.timeout(SECONDS):
            while True:
                self.came.clear()
                if self.text and enough(values := parts(self.text, self.boundary)[0]):
                    return values
                await self.came.wait()


async def test_events_are_payloads_and_come_whole(house):
    request = Request(house, EVENTS)
    heartbeat, start = await request.until(lambda values: len(values) == 2)
    assert heartbeat == HEARTBEAT
    assert start["payload"]["data"]["issueEvents"]["events"] == []
    (id,) = (await house.writer.submit(report(), ADA)).issue_ids
    *_, last = await request.until(lambda values: len(values) == 3)
    assert last["payload"]["data"]["issueEvents"]["events"] == [{"match": "ENTERED", "event": {"issueId": id}}]
    request.ending.begun.set()
    await asyncio.wait_for(request.serving, SECONDS)
    # It was cut short: the last boundary would say that nothing is missing.
    assert parts(request.text, request.boundary)[1] is False
    assert house.streams.groups == 0


async def test_a_heartbeat_breaks_a_silence(house, monkeypatch):
    monkeypatch.setattr(result_stream, "SECONDS_BETWEEN_SIGNS", 0.01)
    request = Request(house, EVENTS)
    await request.until(lambda values: values.count(HEARTBEAT) > 3)
    request.ending.begun.set()
    await asyncio.wait_for(request.serving, SECONDS)
