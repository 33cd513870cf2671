"""Both databases keep the promises of `Database`: one moment to read, one locked transaction to write."""

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Integer, bindparam, insert, literal_column, make_url, null, select, update

from models import Batch, EventLog, Issue, IssueEvent, Link, Scope, sqlite
from models.base import Id, Word
from models.database import Database, Fetch, Refused, Together, Unavailable, Write
from models.dialect import ListOf, any_of, contains, has_prefix_of, json_has, json_integer, json_member, starts_with
from models.values import new_id, now


@pytest.fixture
async def database(database_url):
    database = Database(database_url)
    yield database
    await database.close()


def scope(name):
    columns = ("resource_type", "resource_name", "resource_namespace")
    values = {"resource_type": "component", "resource_name": name, "resource_namespace": "team"}
    return {"id": new_id(), **values, **{f"{column}_folded": values[column].casefold() for column in columns}}


def insert_into(database, model):
    return database.compile(insert(model).values({c.name: bindparam(c.name) for c in model.__table__.columns}))


def adding(database, *rows):
    statement = insert_into(database, Scope)

    def work():
        yield Write(statement, rows)

    return work


async def names(database, *conditions, **values):
    statement = database.compile(select(Scope.resource_name).where(*conditions).order_by(Scope.resource_name))
    return [row[0] for row in await database.fetch(statement, values)]


@pytest.fixture
def in_threads(monkeypatch):
    """No read is short enough for SQLite to do it on the event loop."""
    monkeypatch.setattr("models.sqlite_reading.SHORT_SECONDS", -1)


async def test_ids_and_times_come_back_as_they_went_in(database):
    row = {"id": new_id(), "at": now()}
    statement = insert_into(database, Batch)

    def work():
        yield Write(statement, [row])
        return (yield Fetch(database.compile(select(Batch.id, Batch.at))))

    assert [tuple(found) for found in await database.transact(work)] == [(row["id"], row["at"])]


async def test_lists_are_one_parameter(database):
    rows = [scope(name) for name in ("api", "web", "Web-Öl", "db")]
    await database.transact(adding(database, *rows))
    by_id = any_of(Scope.id, bindparam("ids", type_=ListOf(Id())))
    by_prefix = has_prefix_of(Scope.resource_name, bindparam("prefixes", type_=ListOf(Word())))
    assert await names(database, by_id, ids=[rows[0]["id"], rows[3]["id"]]) == ["api", "db"]
    assert await names(database, by_id, ids=[]) == []
    assert await names(database, ~by_id, ids=[rows[0]["id"]]) == ["Web-Öl", "db", "web"]
    assert await names(database, by_prefix, prefixes=["w", "Web-Ö"]) == ["Web-Öl", "web"]
    assert await names(database, by_prefix, prefixes=[]) == []


async def test_text_is_found_plainly(database):
    await database.transact(adding(database, *map(scope, ("100%", "1000", "a_b", "aXb"))))
    part = bindparam("part", type_=Word())
    assert await names(database, contains(Scope.resource_name, part), part="%") == ["100%"]
    assert await names(database, contains(Scope.resource_name, part), part="_") == ["a_b"]
    assert await names(database, starts_with(Scope.resource_name, part), part="100") == ["100%", "1000"]
    assert await names(database, ~starts_with(Scope.resource_name, part), part="100") == ["aXb", "a_b"]


async def test_members_of_images_can_be_asked_for(database):
    line: dict[str, object] = dict.fromkeys(column.name for column in IssueEvent.__table__.columns)
    line |= {"position": 1, "kind": "UPDATED", "at": now(), "issue_id": new_id(), "namespace": "n", "title": "t"}
    line |= {"changes": "[]", "after": '{"title": "Ö", "count": 7, "source": null}'}
    statement = insert_into(database, IssueEvent)
    asked = select(
        json_member(IssueEvent.after, literal_column("'title'")),
        json_integer(IssueEvent.after, literal_column("'count'")) + literal_column("1", Integer()),
        json_member(IssueEvent.after, literal_column("'source'")),
        json_has(IssueEvent.after, literal_column("'source'")),
        json_has(IssueEvent.after, literal_column("'absent'")),
        IssueEvent.before.is_(null()),
    )

    def work():
        yield Write(statement, [line])
        return (yield Fetch(database.compile(asked)))

    assert [tuple(row) for row in await database.transact(work)] == [("Ö", 8, None, True, False, True)]


async def test_a_refused_transaction_leaves_nothing(database):
    first = scope("api")
    await database.transact(adding(database, first))
    with pytest.raises(Refused):
        await database.transact(adding(database, scope("web"), first))
    assert await names(database) == ["api"]
    await database.transact(adding(database, scope("web")))
    assert await names(database) == ["api", "web"]


def written(database, model):
    """The statement that inserts rows into a table, as the writer's are."""
    types = {c.name: c.type for c in model.__table__.columns if c.computed is None}

    def build(given):
        values = [given[name] for name in types]
        if given.rows is None:
            return insert(model).values(dict(zip(types, values, strict=True)))
        return insert(model).from_select([*types], select(*values))

    return database.compile_write(build, types)


async def test_writes_that_go_together_are_all_done_and_lead_to_each_other(database):
    issue = {c.name: None for c in Issue.__table__.columns if c.computed is None} | {
        "namespace": "team",
        "title": "t",
        "title_folded": "t",
        "description": "d",
        "description_folded": "d",
        "namespace_folded": "team",
        "severity": "major",
        "issue_type": "build",
        "state": "ACTIVE",
        "occurrence_count": 1,
        "fingerprint_parts": "{}",
        "edited_fields": "[]",
        **dict.fromkeys(("detected_at", "last_detected_at", "created_at", "updated_at"), now()),
    }
    rows = [scope(name) for name in ("api", "web")]
    issues = [{**issue, "id": new_id(), "fingerprint": row["id"], "scope_id": row["id"]} for row in rows]
    links = [
        {"id": new_id(), "issue_id": issues[1]["id"], "ordinal": place, "title": f"{place}", "url": "https://1"}
        for place in range(3)
    ]
    together = Together(
        [
            Write(written(database, model), each)
            for model, each in ((Scope, rows), (Issue, issues), (Link, [tuple(link.values()) for link in links]))
        ]
    )

    def work():
        yield together

    await database.transact(work)
    statement = select(Link.title, Scope.resource_name).join_from(Link, Issue).join(Scope).order_by(Link.ordinal)
    found = await database.fetch(database.compile(statement))
    assert [tuple(row) for row in found] == [("0", "web"), ("1", "web"), ("2", "web")]
    assert await names(database) == ["api", "web"]
    # Once more is refused, all of it.
    rows[0]["id"], rows[0]["resource_name"] = new_id(), "other"
    with pytest.raises(Refused):
        await database.transact(work)
    assert await names(database) == ["api", "web"]


async def test_an_exception_inside_rolls_back(database):
    statement = insert_into(database, Scope)

    def work():
        yield Write(statement, [scope("api")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transact(work)
    assert await names(database) == []


def add_elsewhere(url):
    async def add():
        other = Database(url)
        await other.transact(adding(other, scope("api")))
        await other.close()

    asyncio.run(add())


@pytest.mark.usefixtures("in_threads")
async def test_a_read_does_not_see_what_came_after_its_first_statement(database, database_url):
    statement = database.compile(select(Scope.resource_name))
    elsewhere = threading.Thread(target=add_elsewhere, args=(database_url,))

    def work():
        first = yield Fetch(statement)
        elsewhere.start()
        elsewhere.join()
        return first, (yield Fetch(statement))

    assert await database.read(work) == ([], [])
    assert await names(database) == ["api"]


async def test_a_read_cannot_write(database):
    with pytest.raises(Unavailable):
        await database.fetch(insert_into(database, Scope), scope("api"))
    assert await names(database) == []


async def test_an_error_in_a_read_is_the_callers(database):
    def work():
        yield Fetch(database.compile(select(EventLog.end)))
        raise LookupError("this")

    with pytest.raises(LookupError, match="this"):
        await database.read(work)
    await database.ping()


def reading(database, times):
    """Work that takes its time."""
    statement = database.compile(select(EventLog.end))

    def work():
        for _ in range(times):
            yield Fetch(statement)

    return work


@pytest.mark.usefixtures("in_threads")
async def test_a_cancelled_reader_gives_its_place_back(database_url):
    database = Database(database_url, readers=1)
    await database.read(reading(database, 1))

    for _ in range(5):
        task = asyncio.create_task(database.read(reading(database, 20_000)))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(database.read(reading(database, 1)), 5)
    await database.close()


@pytest.mark.usefixtures("in_threads")
async def test_a_reader_that_is_cancelled_at_once_leaves_no_transaction_to_the_next(database_url):
    database = Database(database_url, readers=1)
    await database.read(reading(database, 1))

    for pauses in range(40):
        task = asyncio.create_task(database.read(reading(database, 20)))
        for _ in range(pauses % 8):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(database.read(reading(database, 1)), 5)
    await database.close()


@pytest.mark.parametrize("seconds", [0.005, -1])
async def test_a_connection_that_was_idle_for_long_is_not_late(sqlite_url, monkeypatch, seconds):
    monkeypatch.setattr("models.sqlite.STEPS_BETWEEN_LOOKS", 1)
    monkeypatch.setattr("models.sqlite_reading.STEPS_OF_SHORT_READS", 1)
    monkeypatch.setattr("models.sqlite_reading.SHORT_SECONDS", seconds)
    database = Database(sqlite_url, readers=1, timeout_seconds=0.2)
    for _ in range(3):
        await database.read(reading(database, 2))
        await asyncio.sleep(0.3)
    await database.close()


@pytest.mark.usefixtures("in_threads")
async def test_busy_readers_do_not_make_the_database_look_away(sqlite_url):
    database = Database(sqlite_url, readers=1)
    free = threading.Event()

    def work():
        yield Fetch(database.compile(select(EventLog.end)))
        return free.wait(10)

    busy = asyncio.create_task(database.read(work))
    await asyncio.sleep(0)
    await asyncio.wait_for(database.ping(), 5)
    free.set()
    assert await busy
    await database.close()


async def test_who_reads_for_long_does_not_hold_up_who_writes(sqlite_url, monkeypatch):
    monkeypatch.setattr(sqlite, "MAX_WAL_BYTES", 10_000)
    file = make_url(sqlite_url).database
    assert file
    wal = Path(f"{file}-wal")
    database = Database(sqlite_url)
    await database.transact(adding(database, scope("first")))
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM scope").fetchall()
        # As long as SQLite would wait for the reader.
        async with asyncio.timeout(sqlite.BUSY_TIMEOUT_SECONDS - 10):
            for number in range(5):
                await database.transact(adding(database, scope(f"{number}" + "x" * 9_000)))
        assert wal.stat().st_size > 10_000
    await database.transact(adding(database, scope("last")))
    assert wal.stat().st_size == 0
    await database.close()


@pytest.mark.usefixtures("in_threads")
@pytest.mark.parametrize("pauses", range(8))
async def test_closing_waits_for_what_cancelled_readers_began(sqlite_url, pauses):
    before = threading.active_count()
    database = Database(sqlite_url, readers=4)

    tasks = [asyncio.create_task(database.read(reading(database, 20))) for _ in range(4)]
    for _ in range(pauses):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await database.close()
    # A thread that is told to end may need a moment for it.
    for _ in range(100):
        if threading.active_count() <= before:
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() <= before


def count_up(url, times):
    async def counting():
        database = Database(url)
        read = database.compile(select(EventLog.end))
        write = database.compile(update(EventLog).values({EventLog.end: bindparam("next", type_=EventLog.end.type)}))

        def work():
            rows = yield Fetch(read)
            yield Write(write, [{"next": rows[0][0] + 1}])

        for _ in range(times):
            await database.transact(work)
        await database.close()

    asyncio.run(counting())


async def test_transactions_of_several_processes_run_one_after_the_other(database, database_url):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=count_up, args=(database_url, 50)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 60)
    rows = await database.fetch(database.compile(select(EventLog.end)))
    assert rows[0][0] == 150


async def test_who_cannot_have_the_write_lock_is_told(database_url, monkeypatch):
    monkeypatch.setattr("models.postgresql.WRITE_LOCK_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("models.sqlite.BUSY_TIMEOUT_SECONDS", 0.1)
    one, other = Database(database_url), Database(database_url)
    has_it, done = threading.Event(), threading.Event()

    def hold(url):
        async def holding():
            database = Database(url)

            def work():
                yield Fetch(database.compile(select(EventLog.end)))
                has_it.set()
                done.wait()

            await database.transact(work)
            await database.close()

        asyncio.run(holding())

    holder = threading.Thread(target=hold, args=(database_url,))
    holder.start()
    try:
        await asyncio.to_thread(has_it.wait)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(one.transact(adding(one, scope("api"))), 10)
    finally:
        done.set()
        holder.join()
    await one.transact(adding(one, scope("api")))
    assert await names(other) == ["api"]
    for database in (one, other):
        await database.close()


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:////nowhere/at/all.db", "postgresql+asyncpg://x@127.0.0.1:1/nothing"]
)
async def test_a_database_that_is_not_there_is_unavailable(url):
    database = Database(url)
    with pytest.raises(Unavailable):
        await database.ping()
    with pytest.raises(Unavailable):
        await database.transact(adding(database, scope("api")))
    await database.close()


# An ErrorResponse of PostgreSQL that closes a connection; its end comes a moment later.
LAST_WORD = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"


def say_last_word(connection):
    connection._protocol.data_received(b"E" + (len(LAST_WORD) + 4).to_bytes(4, "big") + LAST_WORD)


@pytest.mark.parametrize("statements", [1, 2])
async def test_a_reader_that_is_just_being_closed_is_unavailable_and_nobody_gets_it_again(postgresql_url, statements):
    database = Database(postgresql_url)
    statement = database.compile(select(Scope.id))

    def work():
        return (yield Fetch(statement))

    await database.read(work, statements=statements)
    (connection,) = database.driver._idle  # type: ignore[attr-defined]
    say_last_word(connection)
    with pytest.raises(Unavailable):
        await database.read(work, statements=statements)
    assert await database.read(work, statements=statements) == []
    assert connection not in database.driver._idle  # type: ignore[attr-defined]
    await database.close()


async def test_what_is_being_read_comes_to_its_end_before_it_is_closed(postgresql_url, monkeypatch):
    monkeypatch.setattr("models.postgresql.WAIT_SECONDS", 0.1)
    database = Database(postgresql_url, readers=2)
    slow = database.compile(select(literal_column("1", Integer()), literal_column("pg_sleep(1)::text", Word())))
    reading = asyncio.create_task(database.fetch(slow))
    await asyncio.sleep(0.2)
    await asyncio.wait_for(database.close(), 10)
    assert reading.done()
    assert (await reading)[0][0] == 1


@pytest.mark.parametrize("statements", [1, 2])
async def test_a_server_that_says_nothing_any_more_holds_a_reader_up_for_so_long_and_no_longer(
    postgresql_url, monkeypatch, statements
):
    monkeypatch.setattr("models.postgresql.SILENCE_SECONDS", 0.5)
    database = Database(postgresql_url, readers=1, timeout_seconds=0.5)
    ask = database.compile(select(literal_column("pg_backend_pid()", Integer())))

    def work():
        return (yield Fetch(ask))

    ((pid,),) = await database.read(work, statements=statements)
    os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(database.read(work, statements=statements), 20)
        assert time.monotonic() - begun > 0.9
        # The next one is given another connection.
        ((other,),) = await database.read(work, statements=statements)
        assert other != pid
    finally:
        os.kill(pid, signal.SIGCONT)
    await database.close()


async def test_a_process_that_stands_still_in_a_transaction_holds_nobody_up_for_long(postgresql_url, monkeypatch):
    monkeypatch.setattr("models.postgresql.WRITE_SILENCE_SECONDS", 0.3)
    lets_go, stands = threading.Event(), threading.Event()

    async def stand_still():
        database = Database(postgresql_url)

        def work():
            yield from adding(database, scope("still"))()
            stands.set()
            assert lets_go.wait(30)
            yield from adding(database, scope("still too"))()

        with pytest.raises(Unavailable) as raised:
            await database.transact(work)
        assert not raised.value.in_doubt
        # It comes back by itself.
        await database.transact(adding(database, scope("again")))
        await database.close()

    still = asyncio.create_task(asyncio.to_thread(asyncio.run, stand_still()))
    assert await asyncio.to_thread(stands.wait, 30)
    database = Database(postgresql_url)
    await database.transact(adding(database, scope("other")))
    lets_go.set()
    await still
    assert await names(database) == ["again", "other"]
    await database.close()


@pytest.mark.parametrize("moment", ["before", "within"])
async def test_a_writer_that_is_just_being_closed_is_unavailable_and_the_next_one_writes(postgresql_url, moment):
    database = Database(postgresql_url)
    await database.transact(adding(database, scope("one")))

    def work():
        say_last_word(database.driver._writing)  # type: ignore[attr-defined]
        yield from adding(database, scope("two"))()

    if moment == "before":
        say_last_word(database.driver._writing)  # type: ignore[attr-defined]
        work = adding(database, scope("two"))
    with pytest.raises(Unavailable) as raised:
        await database.transact(work)
    assert not raised.value.in_doubt
    await database.transact(adding(database, scope("three")))
    assert await names(database) == ["one", "three"]
    await database.close()


def test_another_kind_of_database_is_refused():
    with pytest.raises(ValueError, match="mysql is not a database"):
        Database("mysql+asyncmy://x@y/z")
