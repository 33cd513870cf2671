"""A change of webhooks is told from one of tokens.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access", sa.Column("webhook_changes", sa.BigInteger(), nullable=True))
