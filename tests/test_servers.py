"""The servers of the tests themselves: that each test has a database of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from broadcaster import Broadcast
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.servers import Servers, is_alive


async def tables(url: str) -> int:
    engine = create_async_engine(url)
    query = {
        "sqlite": "SELECT count(*) FROM sqlite_master",
        "postgresql": "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    }[engine.dialect.name]
    async with engine.begin() as connection:
        found = int((await connection.execute(text(query))).scalar_one())
        await connection.execute(text("CREATE TABLE left_over (id int)"))
    await engine.dispose()
    return found


@pytest.mark.parametrize("attempt", [1, 2])
async def test_an_empty_database_holds_nothing_of_the_test_before(empty_database_url: str, attempt: int) -> None:
    assert await tables(empty_database_url) == 0


async def test_redis_delivers_what_broadcaster_publishes(redis_url: str) -> None:
    async with Broadcast(redis_url) as broadcast, broadcast.subscribe("servers-test") as subscriber:
        await broadcast.publish("servers-test", "hello")
        event = await subscriber.get()
    assert event is not None
    assert event.message == "hello"


async def test_the_postgresql_of_the_tests_is_the_version_asked_for(
    servers: Servers, pytestconfig: pytest.Config
) -> None:
    connection = await asyncpg.connect(servers.postgres().replace("+asyncpg", ""))
    try:
        version = connection.get_server_version().major
    finally:
        await connection.close()
    assert version == (pytestconfig.getoption("--postgres") or version)


def test_the_guard_stops_the_servers_of_a_run_that_was_killed(tmp_path: Path) -> None:
    # Given a run with a Redis
    directory = tmp_path / "run"
    directory.mkdir()
    program = (
        "import os, sys, time; from pathlib import Path; from tests.servers import Servers\n"
        "os.environ.pop('ISSUEGRAPH_TEST_REDIS_URL', None)\n"
        "Servers(Path(sys.argv[1]), os.getpid()).redis(); print('ready', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, str(directory)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    assert run.stdout
    assert run.stdout.readline() == b"ready\n"
    redis = json.loads((directory / "redis.json").read_text())
    assert is_alive(redis)

    # When it dies without a word
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()

    # Then nothing of it stays
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (is_alive(redis) or directory.exists()):
        time.sleep(0.05)
    assert not is_alive(redis)
    assert not directory.exists()
