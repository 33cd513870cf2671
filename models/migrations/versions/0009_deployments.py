"""Deployments and changes, issues of other trackers, and the connections of DevLake's clients.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

from models.base import Id, Time, Word

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    states = "state IN ('ACTIVE', 'RESOLVED')"
    if op.get_bind().dialect.name == "sqlite":
        states = "state = 'ACTIVE' OR state = 'RESOLVED'"
    op.create_table(
        "deployment",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("source", Word, nullable=False),
        sa.Column("system", Word, nullable=False),
        sa.Column("external_id", Word, nullable=False),
        sa.Column("name", Word, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("environment", Word, nullable=False),
        sa.Column("result", Word, nullable=False),
        sa.Column("requested_at", Time, nullable=True),
        sa.Column("started_at", Time, nullable=True),
        sa.Column("finished_at", Time, nullable=True),
        sa.Column("labels", Word, nullable=False),
        sa.Column("digest", Word, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_index(
        "ix_deployment_finished", "deployment", ["namespace", "environment", "finished_at", "id"], unique=False
    )
    op.create_index("ix_deployment_namespace", "deployment", ["namespace", "id"], unique=False)
    op.create_index("ix_deployment_updated", "deployment", ["updated_at"], unique=False)
    op.create_index("uq_deployment_key", "deployment", ["key"], unique=True)
    op.create_table(
        "deployment_change",
        sa.Column("deployment_id", Id, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sha", Word, nullable=False),
        sa.Column("repository", Word, nullable=False),
        sa.Column("ref_name", Word, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("message", Word, nullable=False),
        sa.Column("result", Word, nullable=False),
        sa.Column("requested_at", Time, nullable=True),
        sa.Column("started_at", Time, nullable=True),
        sa.Column("finished_at", Time, nullable=True),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_deployment_change_deployment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("deployment_id", "ordinal", name=op.f("pk_deployment_change")),
    )
    op.create_index("ix_deployment_change_sha", "deployment_change", ["sha"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("source", Word, nullable=False),
        sa.Column("system", Word, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("external_id", Word, nullable=False),
        sa.Column("sha", Word, nullable=False),
        sa.Column("repository", Word, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("url", Word, nullable=False),
        sa.Column("author", Word, nullable=False),
        sa.Column("status", Word, nullable=False),
        sa.Column("base_ref", Word, nullable=False),
        sa.Column("head_ref", Word, nullable=False),
        sa.Column("authored_at", Time, nullable=True),
        sa.Column("merged_at", Time, nullable=True),
        sa.Column("closed_at", Time, nullable=True),
        sa.Column("labels", Word, nullable=False),
        sa.Column("digest", Word, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index("uq_change_key", "change", ["key"], unique=True)
    op.create_index("ix_change_merged", "change", ["namespace", "merged_at", "id"], unique=False)
    op.create_index("ix_change_namespace", "change", ["namespace", "id"], unique=False)
    op.create_index("ix_change_updated", "change", ["updated_at"], unique=False)
    op.create_index("ix_change_sha", "change", ["namespace", "sha"], unique=False)
    op.create_table(
        "tracked_issue",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("source", Word, nullable=False),
        sa.Column("system", Word, nullable=False),
        sa.Column("external_id", Word, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("state", Word, nullable=False),
        sa.Column("changed_at", Time, nullable=True),
        sa.Column("issue_id", Id, nullable=True),
        sa.Column("digest", Word, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.CheckConstraint(states, name=op.f("ck_tracked_issue_state")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_tracked_issue_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracked_issue")),
    )
    op.create_index("ix_tracked_issue_namespace", "tracked_issue", ["namespace", "id"], unique=False)
    op.create_index("uq_tracked_issue_key", "tracked_issue", ["key"], unique=True)
    op.create_index("ix_tracked_issue_updated", "tracked_issue", ["updated_at"], unique=False)
    op.create_index("ix_tracked_issue_issue", "tracked_issue", ["issue_id"], unique=False)
    op.create_table(
        "devlake_connection",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", Word, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name=op.f("fk_devlake_connection_token_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devlake_connection")),
    )
    op.create_index("ix_devlake_connection_token", "devlake_connection", ["token_id"], unique=False)
    op.create_index("uq_devlake_connection_name", "devlake_connection", ["namespace", "name"], unique=True)
    op.create_index("ix_devlake_connection_name", "devlake_connection", ["name"], unique=False)
