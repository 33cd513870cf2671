"""Successes are forgotten by when they came in.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

from models.base import Time

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("success", sa.Column("told_at", Time, nullable=True))
    op.create_index("ix_success_told_at", "success", ["told_at"], unique=False)
