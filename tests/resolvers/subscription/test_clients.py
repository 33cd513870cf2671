"""The clients that frontends use, from npm, against a real server: nothing of the protocols is ours on their side."""

import asyncio
import json
import sys
from pathlib import Path

from tests.serving import Server

NODE = Path(sys.executable).parent / "node"
SCRIPTS = Path(__file__).parent.parent.parent / "node"
SECONDS = 60

COMMON = {
    "one": [0, True, "ENTERED", True],
    "again": True,
    "left": True,
    "many": True,
    "total": 21,
    "expired": "POSITION_EXPIRED",
}


async def play(server, script, *words):
    """What a script saw."""
    url = f"http://127.0.0.1:{server.port}/graphql"
    process = await asyncio.create_subprocess_exec(
        NODE, SCRIPTS / script, url, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


async def test_graphql_ws_lives_with_twenty_subscriptions_on_one_socket(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        assert await play(server, "graphql-ws.mjs") == {**COMMON, "sockets": 1}


async def test_graphql_sse_lives_with_twenty_connections(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        assert await play(server, "graphql-sse.mjs") == {**COMMON, "ended": True}


async def test_apollo_client_lives_with_twenty_multipart_connections(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        assert await play(server, "apollo.mjs") == {**COMMON, "ended": True, "streamed": True}
