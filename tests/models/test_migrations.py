"""The migrations make exactly the tables that the models describe, from empty and more than once."""

import ast
import asyncio
import multiprocessing
import re

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models import Base
from models.migrations import HERE, NewerDatabase, is_current, migrate, revisions

SQLITE_CATALOGUE = "SELECT type, name, sql FROM sqlite_master WHERE name <> 'alembic_version' AND sql IS NOT NULL"
POSTGRESQL_CATALOGUE = """
    SELECT table_name, column_name, ordinal_position::text, data_type, is_nullable, column_default, collation_name,
           generation_expression
      FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL
    SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), '', '', '', ''
      FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
    UNION ALL
    SELECT tablename, indexname, indexdef, '', '', '', '', ''
      FROM pg_indexes
     WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""

ADD_OCCURRENCE = """
    INSERT INTO occurrence (id, issue_id, at, received_at, title, description, severity, links, actor_kind)
    VALUES ('1', '2', '', '', '', '', 'minor', '[]', 'PERSON')
"""
ADD_RELATION = """
    INSERT INTO relation (id, kind, source_id, target_id, created_at) VALUES ('1', 'RELATED', '1', '2', '')
"""


def run(url, call):
    async def connected():
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            result = await connection.run_sync(call)
        await engine.dispose()
        return result

    return asyncio.run(connected())


def catalogue(connection: Connection):
    statement = SQLITE_CATALOGUE if connection.dialect.name == "sqlite" else POSTGRESQL_CATALOGUE
    return sorted(tuple(str(part) for part in row) for row in connection.execute(text(statement)))


def normalised(rows):
    """The same whatever the layout: Alembic and the models list a table's constraints in another order.

    SQLite writes columns that are added into the line of the last one.
    """
    lines = (
        re.sub(r", (?=(?:\w+ (?:TEXT|BIGINT|VARCHAR\(\d+\)), )+$)", "\n", part, flags=re.MULTILINE).splitlines()
        for row in rows
        for part in row
    )
    return sorted(tuple(sorted(line.strip(" \t,") for line in each)) for each in lines)


def made_by_models(connection: Connection):
    Base.metadata.drop_all(connection)
    Base.metadata.create_all(connection)
    return catalogue(connection)


def test_migrations_make_what_the_models_describe(empty_database_url):
    migrate(empty_database_url)
    migrated = run(empty_database_url, catalogue)
    described = run(empty_database_url, made_by_models)
    assert len(migrated) > 20
    assert normalised(migrated) == normalised(described), set(migrated) ^ set(described)


def test_what_a_column_may_hold_is_checked_without_a_table_of_it(sqlite_url):
    def look(connection):
        statements = [text(f"EXPLAIN {sql}") for sql in (ADD_OCCURRENCE, ADD_RELATION)]
        opened = [row[1] for each in statements for row in connection.execute(each)]
        assert "Insert" in opened
        assert "OpenEphemeral" not in opened
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"

    run(sqlite_url, look)
    for refused in (ADD_OCCURRENCE.replace("'minor'", "'none'"), ADD_RELATION.replace("'RELATED'", "'none'")):
        with pytest.raises(IntegrityError, match="CHECK"):
            run(sqlite_url, lambda connection, refused=refused: connection.execute(text(refused)))


def test_migrating_twice_changes_nothing(empty_database_url):
    assert not is_current(empty_database_url)
    migrate(empty_database_url)
    identity = run(empty_database_url, lambda c: c.execute(text("SELECT identity FROM event_log")).all())
    migrate(empty_database_url)
    assert is_current(empty_database_url)
    assert run(empty_database_url, lambda c: c.execute(text("SELECT identity FROM event_log")).all()) == identity


def test_alembic_knows_the_same_revisions():
    config = Config()
    config.set_main_option("script_location", str(HERE))
    walked = ScriptDirectory.from_config(config).walk_revisions()
    assert revisions() == [script.revision for script in walked][::-1]


def test_a_database_of_a_newer_version_is_left_alone(empty_database_url):
    migrate(empty_database_url)
    run(empty_database_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    for look in (is_current, migrate):
        with pytest.raises(NewerDatabase, match="9999"):
            look(empty_database_url)


def test_several_processes_may_migrate_at_once(empty_database_url):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=migrate, args=(empty_database_url,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert is_current(empty_database_url)


def test_two_databases_are_two_logs(empty_database_url, sqlite_url):
    migrate(empty_database_url)
    identity = "SELECT identity FROM event_log"
    one = run(empty_database_url, lambda c: c.execute(text(identity)).scalar_one())
    other = run(sqlite_url, lambda c: c.execute(text(identity)).scalar_one())
    assert len(one) == len(other) == 12
    assert one != other


def test_a_migration_takes_nothing_from_the_version_before_it():
    """That one runs beside it, on the same tables (docs/operating.md)."""
    for path in sorted((HERE / "versions").glob("[0-9]*.py")):
        functions = [part for part in ast.parse(path.read_text()).body if isinstance(part, ast.FunctionDef)]
        (upgrade,) = (function for function in functions if function.name == "upgrade")
        calls = [node.func for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
        called = {call.attr for call in calls if isinstance(call, ast.Attribute)}
        assert called
        assert not called & {"drop_table", "drop_column", "alter_column", "rename_table", "drop_constraint"}, path
