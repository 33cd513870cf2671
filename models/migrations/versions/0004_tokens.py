"""Tokens, what they are good for, and what is done to the server itself.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from models.base import Id, JsonText, Time, Word

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ACTORS = "('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')"


def upgrade() -> None:
    op.create_table(
        "token",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Word, nullable=False),
        sa.Column("digest", Word, nullable=False),
        sa.Column("previous_digest", Word, nullable=True),
        sa.Column("previous_expires_at", Time, nullable=True),
        sa.Column("webhook", Word, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("created_by_kind", Word, nullable=False),
        sa.Column("created_by_id", Word, nullable=False),
        sa.Column("created_by_name", Word, nullable=False),
        sa.Column("expires_at", Time, nullable=True),
        sa.Column("expiry_noted_at", Time, nullable=True),
        sa.Column("revoked_at", Time, nullable=True),
        sa.Column("last_used_at", Time, nullable=True),
        sa.CheckConstraint(f"created_by_kind IN {ACTORS}", name=op.f("ck_token_created_by_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index("uq_token_digest", "token", ["digest"], unique=True)
    op.create_index("uq_token_previous_digest", "token", ["previous_digest"], unique=True)
    op.create_table(
        "token_grant",
        sa.Column("token_id", Id, nullable=False),
        sa.Column("permission", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.CheckConstraint(
            "permission IN ('READ', 'REPORT', 'RESPOND', 'MANAGE', 'ADMIN')", name=op.f("ck_token_grant_permission")
        ),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_token_grant_token_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_id", "permission", "namespace", name=op.f("pk_token_grant")),
    )
    op.create_table(
        "access",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_access_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
    )
    op.execute("INSERT INTO access (id, version) VALUES (1, 0)")
    op.create_table(
        "audit_event",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("actor_kind", Word, nullable=False),
        sa.Column("actor_id", Word, nullable=False),
        sa.Column("actor_name", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("subject", Word, nullable=False),
        sa.Column("details", JsonText, nullable=False),
        sa.CheckConstraint(f"actor_kind IN {ACTORS}", name=op.f("ck_audit_event_actor_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)
