"""SQLite forgets the statistics by which it answered wrongly.

Revision ID: 0015
"""

from alembic import op

from models.sqlite_statistics import FORGET_OF_FEW

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    if op.get_bind().exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").first():
        for statement in FORGET_OF_FEW:
            op.execute(statement)
