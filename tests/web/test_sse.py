"""Server-Sent Events in distinct connections mode: `next`, `complete`, `id:` lines, and coming back by them."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest

from resolvers.mutation.limits import MAX_DESCRIPTION_LENGTH
from tests.conftest import migrate
from tests.resolvers.mutation.house import ADA, report
from tests.serving import Server
from tests.web.client import without_cost
from web import result_stream
from web.ending import Ending
from web.house import open_house
from web.result_stream import ResultStream
from web.settings import Settings
from web.sse import SERVER_SENT_EVENTS
from web.unread import ROOM

SECONDS = 20
EVENTS = """subscription ($after: LogPosition) { issueEvents(after: $after) {
  position caughtUp events { match event { issueId } } } }"""
STATS = "subscription { issueStats { total } }"
TYPENAME = "{ __typename }"
REPORT = """mutation { createIssue(input: { namespace: "team", title: "T", description: "d", severity: MAJOR
  issueType: TEST, scope: { resourceType: "component", resourceName: "by-sse" } }) { action } }"""

names = (f"component-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("sse")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory) as server:
        yield server


class Reading:
    """What comes over one connection, event by event."""

    def __init__(self, reader):
        self.reader = reader
        self._text = ""

    async def head(self):
        """Status and headers."""
        text = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        first, *lines = text.decode().split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert headers["transfer-encoding"] == "chunked"
        return int(first.split()[1]), headers

    async def event(self):
        """(event, id, data) of the next event, comments left out; None at the end."""
        while (block := await self._block()) is not None:
            if not block.startswith(":"):
                lines = [line.partition(":")[::2] for line in block.split("\n")]
                fields = {name: value.removeprefix(" ") for name, value in lines}
                data = json.loads(fields["data"]) if fields["data"] else None
                return fields["event"], fields.get("id"), data
        return None

    async def _block(self):
        while "\n\n" not in self._text:
            size = int(await asyncio.wait_for(self.reader.readline(), SECONDS), 16)
            if not size:
                assert self._text == ""
                return None
            self._text += (await self.reader.readexactly(size + 2))[:-2].decode()
        block, _, self._text = self._text.partition("\n\n")
        return block

    async def batch(self):
        """The next batch of issueEvents, whose `id:` is its position."""
        kind, id, answer = await self.event()
        batch = answer["data"]["issueEvents"]
        assert (kind, id) == ("next", batch["position"])
        return batch

    async def answer(self):
        """The only result of an operation that ends."""
        kind, id, answer = await self.event()
        assert (kind, id) == ("next", None)
        assert await self.event() == ("complete", None, None)
        assert await self.event() is None
        return answer


@asynccontextmanager
async def stream(server, query, *, method="POST", headers=(), accept="text/event-stream", **members):
    """A connection that asks, after its head was read."""
    request = {"query": query, **members}
    lines = [f"Host: 127.0.0.1:{server.port}", f"Accept: {accept}", *headers]
    body = b""
    path = "/graphql"
    if method == "GET":
        path += "?" + urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in request.items()})
    else:
        body = json.dumps(request).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)
        await writer.drain()
        yield Reading(reader)
    finally:
        writer.close()


async def made(server):
    """The id of a new issue."""
    body = {"pipelineName": next(names), "namespace": "team", "failureReason": "x"}
    status, answer = await asyncio.to_thread(server.post, "/api/v1/webhooks/pipeline-failure", body, namespace="team")
    assert status == 201
    return answer["issue"]["id"]


def ids(batch):
    """The issues of a batch."""
    return [item["event"]["issueId"] for item in batch["events"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_next_events_with_the_position_as_id(server, method):
    async with stream(server, EVENTS, method=method, variables={}) as events:
        status, headers = await events.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert headers["cache-control"] == "no-cache"
        start = await events.batch()
        assert (start["events"], start["caughtUp"]) == ([], True)
        id = await made(server)
        assert ids(await events.batch()) == [id]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_last_event_id_resumes_and_wins_over_after(server, method):
    async with stream(server, EVENTS) as events:
        await events.head()
        start = (await events.batch())["position"]
        first = await made(server)
        position = (await events.batch())["position"]
    second = await made(server)
    async with stream(server, EVENTS, method=method, variables={"after": start}) as events:
        await events.head()
        assert ids(await events.batch()) == [first, second]
    resume = [f"Last-Event-ID: {position}"]
    async with stream(server, EVENTS, method=method, variables={"after": start}, headers=resume) as events:
        await events.head()
        assert ids(await events.batch()) == [second]
    async with stream(server, EVENTS, variables={"after": start}, headers=["Last-Event-ID: "]) as events:
        await events.head()
        assert ids(await events.batch()) == [first, second]


async def test_a_query_and_a_mutation_are_one_result_and_the_end(server):
    for method in ("GET", "POST"):
        async with stream(server, TYPENAME, method=method) as events:
            await events.head()
            assert without_cost(await events.answer()) == {"data": {"__typename": "Query"}}
    async with stream(server, REPORT) as events:
        await events.head()
        assert without_cost(await events.answer()) == {"data": {"createIssue": {"action": "CREATED"}}}


async def test_a_mutation_by_get_is_refused(server):
    async with stream(server, REPORT, method="GET") as events:
        text = await asyncio.wait_for(events.reader.readline(), SECONDS)
        assert b" 405 " in text


OTHER_LOG = "0" * 28


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("{ nothing }", [], "BAD_REQUEST"),
        ("{ __typename", [], "BAD_REQUEST"),
        ("query A { __typename } query B { __typename }", [], "BAD_REQUEST"),
        ("subscription { issueEvents(maxBatch: 0) { position } }", [], "BAD_USER_INPUT"),
        (f'subscription {{ issueEvents(after: "{OTHER_LOG}") {{ position }} }}', [], "POSITION_EXPIRED"),
        (EVENTS, [f"Last-Event-ID: {OTHER_LOG}"], "POSITION_EXPIRED"),
        (EVENTS, ["Last-Event-ID: nonsense"], "BAD_USER_INPUT"),
    ],
)
async def test_errors_are_a_result_and_the_end(server, query, headers, code):
    async with stream(server, query, headers=headers) as events:
        assert (await events.head())[0] == 200
        (error,) = (await events.answer())["errors"]
        assert error["extensions"]["code"] == code


async def test_counters_have_no_id(server):
    async with stream(server, STATS, headers=["Last-Event-ID: of another stream"]) as events:
        await events.head()
        kind, id, answer = await events.event()
        assert (kind, id) == ("next", None)
        total = answer["data"]["issueStats"]["total"]
        await made(server)
        assert (await events.event())[2] == {"data": {"issueStats": {"total": total + 1}}}


async def test_a_client_that_takes_streams_among_others_gets_one_for_a_subscription_only(server):
    accept = "application/json, text/event-stream"
    async with stream(server, EVENTS, accept=accept) as events:
        await events.head()
        await events.batch()
    assert server.ask(TYPENAME) == {"__typename": "Query"}


@pytest.fixture
async def house(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        yield house


class Request:
    """One request without a network."""

    def __init__(self, house, query):
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.refuses = False
        self.takes = asyncio.Event()
        self.takes.set()
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.ending = Ending(seconds=0.05)
        operation = house.planner.documents.operation(query)
        extensions = {ROOM: lambda _: self.has_room.wait()}
        scope = {"type": "http", "headers": [], "caller": ADA, "extensions": extensions}
        self.stream = ResultStream(
            house.operations,
            house.executor,
            house.streams,
            house.log,
            self.ending,
            SERVER_SENT_EVENTS,
            admits=lambda _: True,
        )
        self.serving = asyncio.create_task(self.stream(operation, scope, self._receive, self._send))

    async def _receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if self.refuses:
            raise OSError
        self.sent.put_nowait(message.get("body", b""))
        await self.takes.wait()

    async def until(self, part):
        """Reads up to what holds a part."""
        while part not in await asyncio.wait_for(self.sent.get(), SECONDS):
            pass

    def rest(self):
        """What was sent and is not read yet."""
        return b"".join(self.sent.get_nowait() for _ in range(self.sent.qsize()))


@pytest.mark.parametrize("query", [EVENTS, STATS])
@pytest.mark.parametrize("refuses", [True, False])
async def test_a_client_that_is_gone_ends_its_group(house, query, refuses):
    request = Request(house, query)
    await request.until(b"event: next")
    assert house.streams.groups == 1
    request.refuses = refuses
    if refuses:
        await house.writer.submit(report(), ADA)
    else:
        request.left.set()
    await asyncio.wait_for(request.serving, SECONDS)
    assert house.streams.groups == 0


async def test_a_server_that_closes_ends_its_streams_and_calls_none_of_them_complete(house):
    request = Request(house, EVENTS)
    await request.until(b"event: next")
    request.ending.begun.set()
    await asyncio.wait_for(request.serving, SECONDS)
    assert house.streams.groups == 0
    assert [request.sent.get_nowait() for _ in range(request.sent.qsize())] == [b""]


async def test_who_is_turned_away_in_the_middle_of_an_event_has_it_whole_before_the_end(house):
    # Four bytes each: of one issue, more than is sent at once.
    told = report(description="🔥" * MAX_DESCRIPTION_LENGTH)
    request = Request(house, "subscription { issueEvents { position events { event { issue { description } } } } }")
    await request.until(b"event: next")
    request.takes.clear()
    await house.writer.submit(told, ADA)
    begun = await asyncio.wait_for(request.sent.get(), SECONDS)
    assert b"\n\n" not in begun
    request.stream.turn_away(lambda caller: caller == ADA)
    await asyncio.wait((request.serving,), timeout=0.05)
    request.takes.set()
    await asyncio.wait_for(request.serving, SECONDS)
    *events, rest = (begun + request.rest()).decode().split("\n\n")
    results = [line.removeprefix("data: ") for event in events for line in event.split("\n") if "data: " in line]
    whole, forbidden = map(json.loads, results)
    assert told.description in json.dumps(whole, ensure_ascii=False)
    assert [error["extensions"]["code"] for error in forbidden["errors"]] == ["FORBIDDEN"]
    assert (events[-1], rest) == ("event: complete\ndata:", "")
    assert house.streams.groups == 0


async def test_a_large_event_waits_until_others_have_read(house):
    request = Request(house, "subscription { issueEvents { position events { event { issue { description } } } } }")
    await request.until(b"event: next")
    request.has_room.clear()
    await house.writer.submit(report(description="small", resource_name="one"), ADA)
    await request.until(b"small")
    await house.writer.submit(report(description="x" * MAX_DESCRIPTION_LENGTH), ADA)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(request.sent.get(), 0.3)
    request.has_room.set()
    await request.until(b"xxxx")
    request.left.set()
    await asyncio.wait_for(request.serving, SECONDS)


async def test_comments_come_while_a_large_event_waits(house, monkeypatch):
    request = Request(house, "subscription { issueEvents { position events { event { issue { description } } } } }")
    await request.until(b"event: next")
    request.has_room.clear()
    monkeypatch.setattr(result_stream, "SECONDS_BETWEEN_SIGNS", 0.01)
    await house.writer.submit(report(description="x" * MAX_DESCRIPTION_LENGTH), ADA)
    # More than come before it is read.
    for _ in range(50):
        await request.until(b":\n\n")
    request.has_room.set()
    await request.until(b"xxxx")
    request.left.set()
    await asyncio.wait_for(request.serving, SECONDS)


async def test_comments_break_a_silence_and_lose_nothing(house, monkeypatch):
    monkeypatch.setattr(result_stream, "SECONDS_BETWEEN_SIGNS", 0.01)
    request = Request(house, EVENTS)
    await request.until(b"event: next")
    for _ in range(3):
        await request.until(b":\n\n")
    (id,) = (await house.writer.submit(report(), ADA)).issue_ids
    await request.until(id.encode())
    request.left.set()
    await asyncio.wait_for(request.serving, SECONDS)


async def test_a_request_that_is_cancelled_leaves_nothing_behind(house):
    before = asyncio.all_tasks()
    request = Request(house, EVENTS)
    await request.until(b"event: next")
    request.serving.cancel()
    await asyncio.wait((request.serving,))
    async with asyncio.timeout(SECONDS):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)
    assert house.streams.groups == 0
