"""The lines of docs/subscribe.md that resume by position, run as they stand against a server that is killed."""

import asyncio
import itertools
import json
import re
import threading

import pytest

from tests.resolvers.subscription.test_clients import NODE, SCRIPTS
from tests.resolvers.subscription.test_docs import LIST, TEXT, WATCH
from tests.serving import Server

SECONDS = 60
KILLS = 2
WHERE = {"state": {"eq": "ACTIVE"}}
URL = "ws://127.0.0.1:8080/graphql"


def module(directory, port):
    """The document's lines in a file, with the server's port."""
    (lines,) = (block for block in re.findall(r"```js\n(.*?)```", TEXT, re.DOTALL) if "export async function" in block)
    assert lines.count(URL) == 1
    (directory / "node_modules").symlink_to(SCRIPTS / "node_modules")
    file = directory / "follow.mjs"
    file.write_text(lines.replace(URL, f"ws://127.0.0.1:{port}/graphql"))
    return file


def keep_reporting(server, enough, answered):
    """Failures, and a success for each third, as fast as they are answered; what is not answered is not repeated."""
    for number in itertools.count():
        if enough.is_set():
            return
        body = {"pipelineName": f"p-{number}", "namespace": "team", "failureReason": "x"}
        well = {"pipelineName": f"p-{number}", "namespace": "team"}
        try:
            server.post("/api/v1/webhooks/pipeline-failure", body, namespace="team")
            if number % 3 == 0:
                server.post("/api/v1/webhooks/pipeline-success", well, namespace="team")
            answered.append(number)
        except OSError:
            enough.wait(0.02)


@pytest.mark.timeout(240)
async def test_the_lines_that_resume_miss_nothing_and_see_nothing_twice(database_url, tmp_path):
    enough, answered = threading.Event(), []
    with Server(database_url, tmp_path) as server:
        start = server.ask("{ issues { position } }")["issues"]["position"]
        script = await asyncio.create_subprocess_exec(
            NODE,
            SCRIPTS / "following.mjs",
            module(tmp_path, server.port),
            LIST,
            WATCH,
            json.dumps(WHERE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert json.loads(await asyncio.wait_for(script.stdout.readline(), SECONDS)) == {"list": []}
            reporting = asyncio.create_task(asyncio.to_thread(keep_reporting, server, enough, answered))
            try:
                await kill_again_and_again(server, answered)
            finally:
                enough.set()
                await reporting
            expected = await everything(server, start)
            seen = []
            while len(seen) < len(expected):
                seen.append(json.loads(await asyncio.wait_for(script.stdout.readline(), SECONDS)))
            assert seen == expected
            assert await a_line_more(script) is None
        finally:
            script.stdin.close()
            await asyncio.wait_for(script.wait(), SECONDS)
    assert len(seen) > 10 * KILLS
    kinds = {(match, kind) for match, kind, _ in seen}
    assert kinds == {("ENTERED", "CREATED"), ("LEFT", "RESOLVED")}


async def a_line_more(script):
    """What the client says within a second, if anything."""
    try:
        return await asyncio.wait_for(script.stdout.readline(), 1)
    except TimeoutError:
        return None


async def kill_again_and_again(server, answered):
    """Some reports before each kill, and some after the last."""
    for round in range(KILLS + 1):
        so_far = len(answered)
        async with asyncio.timeout(SECONDS):
            while len(answered) < so_far + 20:
                await asyncio.sleep(0.02)
        if round < KILLS:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)


async def everything(server, start):
    """What the log holds after a position, as the client is told of it."""
    told = []
    # Not the client's own document: a group of its own begins where the log ends now, and so does its `caughtUp`.
    stream = server.subscribe(f"{WATCH}\n", where=WHERE, after=start)
    async for data in stream:
        batch = data["issueEvents"]
        told += [[each["match"], each["event"]["kind"], each["event"]["issueId"]] for each in batch["events"]]
        if batch["caughtUp"]:
            break
    await stream.aclose()
    return told
