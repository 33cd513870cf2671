"""Relations of an issue in the order in which they are shown, from both ends.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_relation_source_shown", "relation", ["source_id", "id"], unique=False)
    op.create_index("ix_relation_target_shown", "relation", ["target_id", "id"], unique=False)
    # Pairs are looked for by their source.
    op.drop_index("ix_relation_target", table_name="relation")
