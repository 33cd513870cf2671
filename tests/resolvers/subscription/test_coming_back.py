"""The npm client graphql-ws comes back by itself after each way in which the server ends a connection that was well."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn

from tests.resolvers.mutation.house import ADA, report
from tests.resolvers.subscription.test_clients import NODE, SCRIPTS
from tests.servers import free_port
from tests.serving import Server
from web.house import open_house
from web.settings import Settings
from web.sockets import Sockets

SECONDS = 20


class Script:
    """`coming-back.mjs`, line by line."""

    def __init__(self, process):
        self.process = process

    async def next(self):
        line = await asyncio.wait_for(self.process.stdout.readline(), SECONDS)
        assert line, "the client gave up"
        return json.loads(line)

    async def until(self, wanted):
        """Reads up to what was wanted."""
        seen = []
        while (line := await self.next()) != wanted:
            assert "closed" not in line, line
            assert "error" not in line, line
            seen.append(line)
        return seen

    async def subscribed(self):
        """Reads up to the empty batch that a subscription begins with, over as many attempts as it takes."""
        while await self.next() != {"events": []}:
            pass

    def say(self, word):
        self.process.stdin.write(f"{word}\n".encode())


@asynccontextmanager
async def client(port):
    process = await asyncio.create_subprocess_exec(
        NODE,
        SCRIPTS / "coming-back.mjs",
        f"http://127.0.0.1:{port}/graphql",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        yield Script(process)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), SECONDS)


def made(server, name, description="d"):
    """The id of a new issue."""
    body = {"pipelineName": name, "namespace": "team", "failureReason": description}
    status, answer = server.post("/api/v1/webhooks/pipeline-failure", body, namespace="team")
    assert status == 201
    return answer["issue"]["id"]


async def hears(server, script, name):
    """Whether the client is there."""
    id = await asyncio.to_thread(made, server, name)
    await script.until({"events": [id]})


@pytest.mark.timeout(180)
async def test_after_1012_and_after_1013(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path, SOCKET_STALL_SECONDS="0.5") as server:
        async with client(server.port) as script:
            await script.subscribed()
            await hears(server, script, "before")

            await asyncio.to_thread(server.stop)
            await script.until({"closed": 1012})
            await asyncio.to_thread(server.start)
            await script.subscribed()
            await hears(server, script, "after-1012")

            script.say("pause")
            await asyncio.to_thread(stall, server)
            script.say("resume")
            while (line := await script.next()) != {"closed": 1013}:
                assert "closed" not in line, line
            await script.subscribed()
            await hears(server, script, "after-1013")


def stall(server):
    """Reports until the server has closed a socket because nobody reads."""
    for number in range(2_000):
        made(server, f"large-{number}", "x" * 60_000)
        if "issuegraph_sockets_stalled_total 1.0" in server.get("/metrics")[1]:
            return
    raise AssertionError("the socket has taken everything")


@pytest.mark.timeout(120)
async def test_after_4403(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        sockets = Sockets(house.operations, house.executor, house.streams)

        async def as_ada(scope, receive, send):
            await sockets({**scope, "caller": ADA}, receive, send)

        port = free_port()
        config = uvicorn.Config(as_ada, port=port, ws="websockets-sansio", lifespan="off", log_level="warning")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        try:
            async with client(port) as script:
                await script.subscribed()
                sockets.turn_away(lambda caller: caller == ADA)
                await script.until({"closed": 4403})
                await script.subscribed()
                (id,) = (await house.writer.submit(report(), ADA)).issue_ids
                await script.until({"events": [id]})
        finally:
            server.should_exit = True
            await serving
