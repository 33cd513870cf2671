"""The page for people, in a real browser: examples run, a subscription lives, nothing comes from another host."""

import asyncio
import json
import sys
from pathlib import Path

from tests.serving import Server

NODE = Path(sys.executable).parent / "node"
SCRIPT = Path(__file__).parent.parent / "node" / "graphiql.mjs"


async def test_examples_run_and_events_arrive_without_any_other_host(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/graphql"
        process = await asyncio.create_subprocess_exec(
            NODE, SCRIPT, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    seen = json.loads(output)
    assert (seen["errors"], seen["foreign"]) == ([], [])
    assert seen["tabs"] == ["ActiveIssues", "Stats", "Graph", "Report", "Watch"]
    assert '"totalCount": 0' in seen["query"].replace("\xa0", " ")
    assert "Build failed: shop" in seen["event"].replace("\xa0", " ")
