"""Successes, for failures from before them that are told later.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

from models.base import Time, Word

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "success",
        sa.Column("key", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("place", Word, nullable=False),
        sa.Column("issue_type", Word, nullable=True),
        sa.Column("parts", Word, nullable=True),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_success")),
    )
    op.create_index("ix_success_at", "success", ["at"], unique=False)
    op.create_index("ix_success_place", "success", ["namespace", "place"], unique=False)
