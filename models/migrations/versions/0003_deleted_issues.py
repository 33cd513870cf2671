"""When issues were deleted, for the lines of the log that nobody needs any more.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_deletion = sa.text("kind = 'DELETED'")
    op.create_index(
        "ix_issue_event_deleted", "issue_event", ["at"], sqlite_where=is_deletion, postgresql_where=is_deletion
    )
