"""Who is signed in with a browser.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from models.base import Id, JsonText, Time, Word

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


ACTORS = ("PERSON", "TOKEN", "WEBHOOK", "RULE", "SYSTEM")


def upgrade() -> None:
    actors = f"actor_kind IN {ACTORS}"
    if op.get_bind().dialect.name == "sqlite":
        actors = " OR ".join(f"actor_kind = '{word}'" for word in ACTORS)
    op.create_table(
        "session",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", Word, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("actor_kind", Word, nullable=False),
        sa.Column("actor_id", Word, nullable=False),
        sa.Column("actor_name", Word, nullable=False),
        sa.Column("grants", JsonText, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        sa.Column("revoked_at", Time, nullable=True),
        sa.CheckConstraint(actors, name=op.f("ck_session_actor_kind")),
        sa.CheckConstraint("(token_id IS NULL) <> (grants IS NULL)", name=op.f("ck_session_token_or_grants")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_session_token_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index("uq_session_digest", "session", ["digest"], unique=True)
    op.create_index("ix_session_expires_at", "session", ["expires_at"], unique=False)
