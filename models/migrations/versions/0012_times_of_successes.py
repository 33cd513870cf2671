"""Only the successes after a failure are read with it.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_success_place_at", "success", ["namespace", "place", "at"], unique=False)
    op.drop_index("ix_success_place", "success")
