"""How one issue stands to another."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id, LongWord, Time, Word, one_of
from models.issue import Issue
from models.words import ACTOR_KINDS, RELATION_KINDS


class Relation(Base):
    """One edge of the graph of issues, from source to target."""

    __tablename__ = "relation"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Word)
    source_id: Mapped[str] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"))
    target_id: Mapped[str] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"))
    reason: Mapped[str | None] = mapped_column(LongWord)
    created_by_kind: Mapped[str | None] = mapped_column(Word)
    created_by_id: Mapped[str | None] = mapped_column(Word)
    created_by_name: Mapped[str | None] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)

    source: Mapped[Issue] = relationship(foreign_keys=source_id)
    target: Mapped[Issue] = relationship(foreign_keys=target_id)

    __table_args__ = (
        one_of("kind", RELATION_KINDS),
        one_of("created_by_kind", ACTOR_KINDS, or_null=True),
        CheckConstraint("source_id <> target_id", name="not_self"),
        UniqueConstraint("source_id", "target_id", "kind"),
        # Of an issue's relations the newest are shown.
        Index("ix_relation_source_shown", "source_id", "id"),
        Index("ix_relation_target_shown", "target_id", "id"),
        # `Issue.previous` is one issue.
        Index(
            "uq_relation_recurrence",
            "source_id",
            unique=True,
            sqlite_where=text("kind = 'RECURRENCE_OF'"),
            postgresql_where=text("kind = 'RECURRENCE_OF'"),
        ),
    )
