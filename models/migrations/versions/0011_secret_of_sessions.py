"""Which secret of a token a session was opened with: it ends with that.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

from models.base import Word

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("token_digest", Word, nullable=True))
