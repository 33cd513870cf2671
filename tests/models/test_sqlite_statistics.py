"""What SQLite's planner knows must not make it answer wrongly."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import make_url

from models.migrations import migrate
from models.sqlite_statistics import FEW, analyze

ISSUES = """CREATE TABLE issue (
  id TEXT PRIMARY KEY, namespace TEXT NOT NULL, scope_id TEXT NOT NULL, state TEXT NOT NULL, detected_at TEXT NOT NULL);
CREATE INDEX of_scope ON issue (scope_id, detected_at, id);
CREATE INDEX of_namespace ON issue (namespace, state, detected_at, id);"""
ON_SCOPES = """SELECT count(*) FROM issue
WHERE scope_id IN (SELECT value FROM json_each('["a", "b", "c"]')) AND detected_at < '2026-01-02'"""
IN_STATES = """SELECT count(*) FROM issue
WHERE namespace = 'a' AND state IN ('ACTIVE', 'RESOLVED') AND detected_at < '2026-01-02'"""


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(ISSUES)
    yield connection
    connection.close()


def fill(connection, rows, places):
    connection.executemany(
        "INSERT INTO issue VALUES (?, ?, ?, ?, ?)",
        [
            # Of each list's values but the first, no row is within the range.
            (
                str(number),
                "abc"[number % places],
                "abc"[number % places],
                "RESOLVED" if number % 2 else "ACTIVE",
                f"2026-01-0{1 if number == 0 else 3 + number % 5}",
            )
            for number in range(rows)
        ],
    )


@pytest.mark.parametrize("question", [ON_SCOPES, IN_STATES])
@pytest.mark.parametrize("rows", [3, 6, 30, 3_000])
def test_a_range_after_a_list_leaves_out_what_is_beyond_it(connection, rows, question):
    fill(connection, rows, 3)
    before = connection.execute(question).fetchall()
    analyze(connection, 1_000)
    assert connection.execute(question).fetchall() == before


def test_what_is_known_of_many_rows_stays_and_of_each_table_how_many_there_are(connection):
    fill(connection, 30 * FEW, 3)
    analyze(connection, 100_000)
    known = dict(connection.execute("SELECT idx, stat FROM sqlite_stat1").fetchall())
    assert {"of_namespace", "of_scope", None} == known.keys()
    assert known[None] == str(30 * FEW)
    connection.execute("DELETE FROM issue WHERE CAST(id AS INTEGER) > 9")
    analyze(connection, 100_000)
    assert connection.execute("SELECT idx, stat FROM sqlite_stat1").fetchall() == [(None, "10")]


def test_nothing_is_forgotten_where_it_cannot_be_found_out(connection):
    fill(connection, 6, 3)
    analyze(connection, 1_000)
    known = connection.execute("SELECT * FROM sqlite_stat1").fetchall()
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError):
        analyze(connection, 1_000)
    connection.execute("PRAGMA query_only = OFF")
    assert connection.execute("SELECT * FROM sqlite_stat1").fetchall() == known
    analyze(connection, 1_000)


async def test_an_upgrade_forgets_what_was_found_out_before(sqlite_url):
    path = str(make_url(sqlite_url).database)
    await asyncio.to_thread(migrate, sqlite_url)
    with sqlite3.connect(path) as connection:
        connection.execute("ANALYZE")
        connection.execute("INSERT INTO sqlite_stat1 VALUES ('issue', 'ix_issue_scope_detected', '6 2 1 1')")
        connection.execute("UPDATE alembic_version SET version_num = '0014'")
    await asyncio.to_thread(migrate, sqlite_url)
    with sqlite3.connect(path) as connection:
        told = connection.execute("SELECT idx, stat FROM sqlite_stat1 WHERE tbl = 'issue'").fetchall()
    assert told == [(None, "6")]
