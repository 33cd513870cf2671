"""By which settings the rights of a session were given: it must not outlive a change of them.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from models.base import Word

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("mapping_digest", Word, nullable=True))
