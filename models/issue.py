"""What is broken, once: the issue with its links and labels."""

from sqlalchemy import Computed, ForeignKey, Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id, LongWord, Time, Word, one_of
from models.scope import Scope
from models.words import ACTOR_KINDS, ISSUE_STATES, ISSUE_TYPES, SEVERITIES

_SEVERITY_RANK = " ".join(f"WHEN '{word}' THEN {rank}" for rank, word in enumerate(SEVERITIES))


class Issue(Base):
    """One problem, from its first report to its resolution; a failure after that is another issue."""

    __tablename__ = "issue"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    namespace: Mapped[str] = mapped_column(Word)
    namespace_folded: Mapped[str] = mapped_column(Word)
    scope_id: Mapped[str] = mapped_column(Id, ForeignKey(Scope.id))
    title: Mapped[str] = mapped_column(LongWord)
    title_folded: Mapped[str] = mapped_column(Word)
    description: Mapped[str] = mapped_column(LongWord)
    description_folded: Mapped[str] = mapped_column(Word)
    severity: Mapped[str] = mapped_column(Word)
    severity_rank: Mapped[int] = mapped_column(
        SmallInteger, Computed(f"CASE severity {_SEVERITY_RANK} END", persisted=True)
    )
    issue_type: Mapped[str] = mapped_column(Word)
    state: Mapped[str] = mapped_column(Word)
    source: Mapped[str | None] = mapped_column(LongWord)
    source_folded: Mapped[str | None] = mapped_column(Word)
    # Digest of namespace, type, scope and extra parts; `fingerprint_parts` is the JSON list of what went into it.
    fingerprint: Mapped[str] = mapped_column(Word)
    fingerprint_parts: Mapped[str] = mapped_column(LongWord)
    # JSON list of the fields that somebody edited on this issue: reports leave them alone.
    edited_fields: Mapped[str] = mapped_column(LongWord)
    detected_at: Mapped[str] = mapped_column(Time)
    last_detected_at: Mapped[str] = mapped_column(Time)
    occurrence_count: Mapped[int] = mapped_column(Integer)
    resolved_at: Mapped[str | None] = mapped_column(Time)
    resolved_by_kind: Mapped[str | None] = mapped_column(Word)
    resolved_by_id: Mapped[str | None] = mapped_column(Word)
    resolved_by_name: Mapped[str | None] = mapped_column(Word)
    acknowledged_at: Mapped[str | None] = mapped_column(Time)
    acknowledged_by_kind: Mapped[str | None] = mapped_column(Word)
    acknowledged_by_id: Mapped[str | None] = mapped_column(Word)
    acknowledged_by_name: Mapped[str | None] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)

    scope: Mapped[Scope] = relationship()
    links: Mapped[list["Link"]] = relationship(order_by="Link.ordinal")
    labels: Mapped[list["Label"]] = relationship(order_by="(Label.name, Label.value)")

    __table_args__ = (
        one_of("severity", SEVERITIES),
        one_of("issue_type", ISSUE_TYPES),
        one_of("state", ISSUE_STATES),
        one_of("resolved_by_kind", ACTOR_KINDS, or_null=True),
        one_of("acknowledged_by_kind", ACTOR_KINDS, or_null=True),
        # The guard of the duplicate rule: at most one active issue a fingerprint.
        Index(
            "uq_issue_active_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        # The last resolved issue of a fingerprint, for recurrences and repeated runs.
        Index("ix_issue_fingerprint_resolved", "fingerprint", "resolved_at", "id"),
        # The list of a namespace, of a state in it, and the same by severity; the default order is by detected_at.
        Index("ix_issue_namespace_detected", "namespace", "detected_at", "id"),
        Index("ix_issue_namespace_state_detected", "namespace", "state", "detected_at", "id"),
        Index("ix_issue_namespace_state_severity", "namespace", "state", "severity_rank", "detected_at", "id"),
        # The list of callers who may read everywhere.
        Index("ix_issue_detected", "detected_at", "id"),
        Index("ix_issue_state_detected", "state", "detected_at", "id"),
        # Scope.issues.
        Index("ix_issue_scope_detected", "scope_id", "detected_at", "id"),
        # Resolving by scope: what was resolved on it long ago costs nothing.
        Index(
            "ix_issue_active_scope",
            "scope_id",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
    )


class Link(Base):
    """A web address that helps with an issue, in the reporter's order."""

    __tablename__ = "link"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    issue_id: Mapped[str] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"))
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Word)
    url: Mapped[str] = mapped_column(Word)

    __table_args__ = (Index("ix_link_issue", "issue_id", "ordinal"),)


class Label(Base):
    """A name with a value on an issue; a name may come with several values, each once."""

    __tablename__ = "label"

    issue_id: Mapped[str] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Word, primary_key=True)
    value: Mapped[str] = mapped_column(Word, primary_key=True)
    value_folded: Mapped[str] = mapped_column(Word)

    # The filter `label` and the counts by label.
    __table_args__ = (Index("ix_label_name_value", "name", "value"),)
