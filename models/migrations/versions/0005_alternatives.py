"""On SQLite what a column may hold is told as alternatives: for a list it builds a table each time a row is written.

Revision ID: 0005
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIST = re.compile(r"(\w+) IN \(('\w+'(?:, '\w+')*)\)")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    # No row changes, and a table cannot be copied under its name while others refer to it. This is the way that
    # SQLite's documentation of ALTER TABLE gives for a change of nothing but constraints.
    tables = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
    (version,) = connection.execute(sa.text("PRAGMA schema_version")).one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    for name, sql in tables:
        values = {"name": name, "sql": LIST.sub(_alternatives, sql)}
        connection.execute(sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"), values)
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))


def _alternatives(found: re.Match[str]) -> str:
    column, words = found.groups()
    return " OR ".join(f"{column} = {word}" for word in words.split(", "))
