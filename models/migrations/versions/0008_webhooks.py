"""Webhooks that users make, and deliveries.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

from models.base import Id, JsonText, Position, Time, Word

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTORS = ("PERSON", "TOKEN", "WEBHOOK", "RULE", "SYSTEM")
OUTCOMES = ("HANDLED", "UNMATCHED", "PARTLY_FAILED", "FAILED", "REFUSED")


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Word, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("definition", Word, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("keep_bodies", sa.Boolean(), nullable=False),
        sa.Column("secrets", Word, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.Column("updated_by_kind", Word, nullable=False),
        sa.Column("updated_by_id", Word, nullable=False),
        sa.Column("updated_by_name", Word, nullable=False),
        sa.CheckConstraint(_one_of("updated_by_kind", ACTORS), name=op.f("ck_webhook_updated_by_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index("uq_webhook_name", "webhook", ["name"], unique=True)
    op.create_table(
        "webhook_namespace",
        sa.Column("webhook_id", Id, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_namespace_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "namespace", name=op.f("pk_webhook_namespace")),
    )
    op.create_table(
        "webhook_version",
        sa.Column("webhook_id", Id, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("definition", Word, nullable=False),
        sa.Column("namespaces", JsonText, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("keep_bodies", sa.Boolean(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("by_kind", Word, nullable=False),
        sa.Column("by_id", Word, nullable=False),
        sa.Column("by_name", Word, nullable=False),
        sa.CheckConstraint(_one_of("by_kind", ACTORS), name=op.f("ck_webhook_version_by_kind")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_version_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "version", name=op.f("pk_webhook_version")),
    )
    _create_deliveries()


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("position", Position, nullable=False),
        sa.Column("webhook", Word, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("received_at", Time, nullable=False),
        sa.Column("replayed_at", Time, nullable=True),
        sa.Column("delivery_key", Word, nullable=True),
        sa.Column("event", Word, nullable=True),
        sa.Column("error", Word, nullable=True),
        sa.Column("namespace", Word, nullable=True),
        sa.Column("sender", Word, nullable=False),
        sa.Column("items", Word, nullable=False),
        sa.Column("request", Word, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_one_of("outcome", OUTCOMES), name=op.f("ck_delivery_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index("uq_delivery_position", "delivery", ["position"], unique=True)
    op.create_index("ix_delivery_webhook", "delivery", ["webhook", "id"], unique=False)
    op.create_index("ix_delivery_namespace", "delivery", ["namespace", "id"], unique=False)
    _create_partial_index("ix_delivery_troubled", ["webhook", "id"], "outcome <> 'HANDLED'")
    _create_partial_index("ix_delivery_kept", ["id"], "request IS NOT NULL")
    op.create_table(
        "delivery_namespace",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_namespace_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "namespace", name=op.f("pk_delivery_namespace")),
    )
    op.create_index("ix_delivery_namespace_namespace", "delivery_namespace", ["namespace"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        # They live for hours: the time to compress them buys nothing.
        for column in ("body", "request", "items"):
            op.execute(f"ALTER TABLE delivery ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _create_partial_index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "delivery", columns, unique=False, sqlite_where=where, postgresql_where=where)


def _one_of(column: str, words: tuple[str, ...]) -> str:
    if op.get_bind().dialect.name == "sqlite":
        return " OR ".join(f"{column} = '{word}'" for word in words)
    return f"{column} IN {words}"
