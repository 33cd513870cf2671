"""SQLite: what is short is read on the event loop, what is long in a thread, and nobody notices which."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import BigInteger, bindparam, column, literal_column, select

from models import EventLog, Scope
from models.database import Database, Fetch
from models.sqlite_reading import NotShort, fetch
from models.values import new_id

# Counting to this takes a quarter of a second or more.
FAR = 1_000_000
HERE = threading.get_ident


@pytest.fixture
async def database(sqlite_url, monkeypatch):
    # So that what is short stays short on a machine that does much else.
    monkeypatch.setattr("models.sqlite_reading.SHORT_SECONDS", 0.05)
    database = Database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
def count(database):
    """Reads how many numbers there are up to a limit: the result, and the thread that it was found in."""
    most = bindparam("most", type_=BigInteger())
    numbers = select(literal_column("1").label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < most))
    statement = database.compile(
        select(column("number")).select_from(numbers).order_by(column("number").desc()).limit(1)
    )

    async def counted(most):
        def work():
            ((found,),) = yield Fetch(statement, {"most": most})
            return found, HERE()

        return await database.read(work, statements=1)

    return counted


async def longest_pause(task):
    """Of the event loop, in seconds, until the task has ended."""
    longest, last = 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


async def test_a_short_read_is_done_where_it_is_asked_for(count):
    assert await count(10) == (10, HERE())


async def test_a_long_read_leaves_the_event_loop_alone(count):
    began = time.monotonic()
    task = asyncio.create_task(count(FAR))
    pause = await longest_pause(task)
    found, thread = await task
    assert found == FAR
    assert thread != HERE()
    assert pause < (time.monotonic() - began) / 2


@pytest.mark.parametrize(("times", "runs"), [(1, 1), (3, 2), (6, 4)])
async def test_what_was_long_is_tried_here_again_more_and_more_seldom(count, times, runs):
    for _ in range(times):
        assert await count(FAR) != (FAR, HERE())
    for _ in range(runs):
        assert (await count(10))[1] != HERE()
    for _ in range(3):
        assert (await count(10))[1] == HERE()


async def test_many_short_statements_are_a_long_read(database):
    statement = database.compile(select(EventLog.end))
    begun = []

    def work():
        begun.append(HERE())
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            yield Fetch(statement)
        return HERE()

    assert await database.read(work) != HERE()
    assert len(begun) == 2


async def test_who_reads_and_reads_lets_others_in(count):
    async def greedy():
        for _ in range(3_000):
            await count(100)

    began = time.monotonic()
    assert await longest_pause(asyncio.create_task(greedy())) < (time.monotonic() - began) / 4


async def test_work_that_fails_here_is_not_begun_again(database):
    begun = []

    def work():
        begun.append(1)
        yield Fetch(database.compile(select(EventLog.end)))
        raise LookupError("this")

    for statements in (1, 2):
        with pytest.raises(LookupError, match="this"):
            await database.read(work, statements=statements)
    assert len(begun) == 2


async def test_a_read_that_is_too_long_does_not_hold_the_moment_when_it_began(sqlite_url):
    database = Database(sqlite_url)
    statement = database.compile(select(Scope.id, Scope.resource_name))
    await database.close()
    path = sqlite_url.partition(":///")[2]
    with closing(sqlite3.connect(path, isolation_level=None)) as reader, closing(sqlite3.connect(path)) as writer:

        def add(count):
            columns = [row[1] for row in writer.execute("PRAGMA table_info(scope)")]
            for _ in range(count):
                values = {**dict.fromkeys(columns, "x"), "id": new_id(), "resource_name": new_id()}
                writer.execute(
                    f"INSERT INTO scope ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                    [values[name] for name in columns],
                )
            writer.commit()

        add(1_200)
        with pytest.raises(NotShort) as caught:
            fetch(reader, Fetch(statement), 100)
        add(1)
        # Whoever handles the error still has its frames.
        assert caught.tb is not None
        assert reader.execute("SELECT count(*) FROM scope").fetchone() == (1_201,)
