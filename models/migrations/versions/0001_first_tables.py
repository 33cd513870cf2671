"""The first tables.

Revision ID: 0001
"""

import secrets

import sqlalchemy as sa
from alembic import op

from models.base import Id, JsonText, Time, Word

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index("ix_batch_at", "batch", ["at"], unique=False)
    op.create_table(
        "event_log",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", Word, nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("pruned_to", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_event_log_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_log")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("caller_id", Word, nullable=False),
        sa.Column("key", Word, nullable=False),
        sa.Column("command_digest", Word, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("caller_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index("ix_idempotency_key_at", "idempotency_key", ["at"], unique=False)
    op.create_table(
        "issue_event",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("issue_id", Id, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("actor_kind", Word, nullable=True),
        sa.Column("actor_id", Word, nullable=True),
        sa.Column("actor_name", Word, nullable=True),
        sa.Column("actor_name_folded", Word, nullable=True),
        sa.Column("relation_id", Id, nullable=True),
        sa.Column("relation_kind", Word, nullable=True),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("target_id", Id, nullable=True),
        sa.Column("other_namespace", Word, nullable=True),
        sa.Column("changes", Word, nullable=False),
        sa.Column("before", JsonText, nullable=True),
        sa.Column("after", JsonText, nullable=True),
        sa.CheckConstraint(
            "actor_kind IS NULL OR actor_kind IN ('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')",
            name=op.f("ck_issue_event_actor_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('CREATED', 'OCCURRED', 'UPDATED', 'ACKNOWLEDGED', 'UNACKNOWLEDGED', 'RESOLVED', 'REOPENED', 'RELATED', 'UNRELATED', 'DELETED')",
            name=op.f("ck_issue_event_kind"),
        ),
        sa.CheckConstraint(
            "relation_kind IS NULL OR relation_kind IN ('RELATED', 'CAUSED_BY', 'DUPLICATE_OF', 'RECURRENCE_OF')",
            name=op.f("ck_issue_event_relation_kind"),
        ),
        sa.CheckConstraint("before IS NOT NULL OR after IS NOT NULL", name=op.f("ck_issue_event_image")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_issue_event")),
    )
    op.create_index("ix_issue_event_issue", "issue_event", ["issue_id", "position"], unique=False)
    op.create_index("ix_issue_event_namespace", "issue_event", ["namespace", "position"], unique=False)
    op.create_table(
        "run",
        sa.Column("fingerprint", Word, nullable=False),
        sa.Column("run_digest", Word, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "run_digest", name=op.f("pk_run")),
    )
    op.create_index("ix_run_at", "run", ["at"], unique=False)
    op.create_table(
        "scope",
        sa.Column("id", Id, nullable=False),
        sa.Column("resource_type", Word, nullable=False),
        sa.Column("resource_type_folded", Word, nullable=False),
        sa.Column("resource_name", Word, nullable=False),
        sa.Column("resource_name_folded", Word, nullable=False),
        sa.Column("resource_namespace", Word, nullable=False),
        sa.Column("resource_namespace_folded", Word, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scope")),
        sa.UniqueConstraint(
            "resource_name",
            "resource_type",
            "resource_namespace",
            name=op.f("uq_scope_resource_name_resource_type_resource_namespace"),
        ),
    )
    op.create_table(
        "issue",
        sa.Column("id", Id, nullable=False),
        sa.Column("namespace", Word, nullable=False),
        sa.Column("namespace_folded", Word, nullable=False),
        sa.Column("scope_id", Id, nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("title_folded", Word, nullable=False),
        sa.Column("description", Word, nullable=False),
        sa.Column("description_folded", Word, nullable=False),
        sa.Column("severity", Word, nullable=False),
        sa.Column(
            "severity_rank",
            sa.SmallInteger(),
            sa.Computed(
                "CASE severity WHEN 'info' THEN 0 WHEN 'minor' THEN 1 WHEN 'major' THEN 2 WHEN 'critical' THEN 3 END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("issue_type", Word, nullable=False),
        sa.Column("state", Word, nullable=False),
        sa.Column("source", Word, nullable=True),
        sa.Column("source_folded", Word, nullable=True),
        sa.Column("fingerprint", Word, nullable=False),
        sa.Column("fingerprint_parts", Word, nullable=False),
        sa.Column("edited_fields", Word, nullable=False),
        sa.Column("detected_at", Time, nullable=False),
        sa.Column("last_detected_at", Time, nullable=False),
        sa.Column("occurrence_count", sa.Integer(), nullable=False),
        sa.Column("resolved_at", Time, nullable=True),
        sa.Column("resolved_by_kind", Word, nullable=True),
        sa.Column("resolved_by_id", Word, nullable=True),
        sa.Column("resolved_by_name", Word, nullable=True),
        sa.Column("acknowledged_at", Time, nullable=True),
        sa.Column("acknowledged_by_kind", Word, nullable=True),
        sa.Column("acknowledged_by_id", Word, nullable=True),
        sa.Column("acknowledged_by_name", Word, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.CheckConstraint(
            "acknowledged_by_kind IS NULL OR acknowledged_by_kind IN ('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')",
            name=op.f("ck_issue_acknowledged_by_kind"),
        ),
        sa.CheckConstraint(
            "issue_type IN ('build', 'test', 'release', 'dependency', 'pipeline', 'incident')",
            name=op.f("ck_issue_issue_type"),
        ),
        sa.CheckConstraint(
            "resolved_by_kind IS NULL OR resolved_by_kind IN ('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')",
            name=op.f("ck_issue_resolved_by_kind"),
        ),
        sa.CheckConstraint("severity IN ('info', 'minor', 'major', 'critical')", name=op.f("ck_issue_severity")),
        sa.CheckConstraint("state IN ('ACTIVE', 'RESOLVED')", name=op.f("ck_issue_state")),
        sa.ForeignKeyConstraint(["scope_id"], ["scope.id"], name=op.f("fk_issue_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
    )
    op.create_index(
        "ix_issue_active_scope",
        "issue",
        ["scope_id"],
        unique=False,
        sqlite_where=sa.text("state = 'ACTIVE'"),
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    op.create_index("ix_issue_detected", "issue", ["detected_at", "id"], unique=False)
    op.create_index("ix_issue_fingerprint_resolved", "issue", ["fingerprint", "resolved_at", "id"], unique=False)
    op.create_index("ix_issue_namespace_detected", "issue", ["namespace", "detected_at", "id"], unique=False)
    op.create_index(
        "ix_issue_namespace_state_detected", "issue", ["namespace", "state", "detected_at", "id"], unique=False
    )
    op.create_index(
        "ix_issue_namespace_state_severity",
        "issue",
        ["namespace", "state", "severity_rank", "detected_at", "id"],
        unique=False,
    )
    op.create_index("ix_issue_scope_detected", "issue", ["scope_id", "detected_at", "id"], unique=False)
    op.create_index("ix_issue_state_detected", "issue", ["state", "detected_at", "id"], unique=False)
    op.create_index(
        "uq_issue_active_fingerprint",
        "issue",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("state = 'ACTIVE'"),
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    op.create_table(
        "label",
        sa.Column("issue_id", Id, nullable=False),
        sa.Column("name", Word, nullable=False),
        sa.Column("value", Word, nullable=False),
        sa.Column("value_folded", Word, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_label_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "name", "value", name=op.f("pk_label")),
    )
    op.create_index("ix_label_name_value", "label", ["name", "value"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", Id, nullable=False),
        sa.Column("issue_id", Id, nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("title", Word, nullable=False),
        sa.Column("url", Word, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_link_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    op.create_index("ix_link_issue", "link", ["issue_id", "ordinal"], unique=False)
    op.create_table(
        "occurrence",
        sa.Column("id", Id, nullable=False),
        sa.Column("issue_id", Id, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("received_at", Time, nullable=False),
        sa.Column("run_id", Word, nullable=True),
        sa.Column("title", Word, nullable=False),
        sa.Column("description", Word, nullable=False),
        sa.Column("severity", Word, nullable=False),
        sa.Column("links", Word, nullable=False),
        sa.Column("actor_kind", Word, nullable=True),
        sa.Column("actor_id", Word, nullable=True),
        sa.Column("actor_name", Word, nullable=True),
        sa.CheckConstraint(
            "actor_kind IS NULL OR actor_kind IN ('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')",
            name=op.f("ck_occurrence_actor_kind"),
        ),
        sa.CheckConstraint("severity IN ('info', 'minor', 'major', 'critical')", name=op.f("ck_occurrence_severity")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_occurrence_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence")),
    )
    op.create_index("ix_occurrence_issue", "occurrence", ["issue_id", "id"], unique=False)
    op.create_table(
        "relation",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.Column("reason", Word, nullable=True),
        sa.Column("created_by_kind", Word, nullable=True),
        sa.Column("created_by_id", Word, nullable=True),
        sa.Column("created_by_name", Word, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.CheckConstraint(
            "created_by_kind IS NULL OR created_by_kind IN ('PERSON', 'TOKEN', 'WEBHOOK', 'RULE', 'SYSTEM')",
            name=op.f("ck_relation_created_by_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('RELATED', 'CAUSED_BY', 'DUPLICATE_OF', 'RECURRENCE_OF')", name=op.f("ck_relation_kind")
        ),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_relation_not_self")),
        sa.ForeignKeyConstraint(["source_id"], ["issue.id"], name=op.f("fk_relation_source_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_id"], ["issue.id"], name=op.f("fk_relation_target_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation")),
        sa.UniqueConstraint("source_id", "target_id", "kind", name=op.f("uq_relation_source_id_target_id_kind")),
    )
    op.create_index("ix_relation_target", "relation", ["target_id", "source_id"], unique=False)
    op.create_index(
        "uq_relation_recurrence",
        "relation",
        ["source_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'RECURRENCE_OF'"),
        postgresql_where=sa.text("kind = 'RECURRENCE_OF'"),
    )
    log = sa.table("event_log", sa.column("id"), sa.column("identity"), sa.column("end"), sa.column("pruned_to"))
    op.bulk_insert(log, [{"id": 1, "identity": secrets.token_hex(6), "end": 0, "pruned_to": 0}])
