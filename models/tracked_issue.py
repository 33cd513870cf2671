"""Issues of other trackers, and which of ours shows them."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word, one_of
from models.issue import Issue
from models.words import ISSUE_STATES


class TrackedIssue(Base):
    """An issue of another tracker as it was told last; `key` is the digest of namespace, source, system and its own id.

    `issue_id` is null for what is no failure: a task, a requirement.
    """

    __tablename__ = "tracked_issue"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Word)
    namespace: Mapped[str] = mapped_column(Word)
    source: Mapped[str] = mapped_column(Word)
    system: Mapped[str] = mapped_column(Word)
    external_id: Mapped[str] = mapped_column(Word)
    # In the tracker's words, upper case: INCIDENT, BUG.
    kind: Mapped[str] = mapped_column(Word)
    # There, not here, and as of its newest event: one that comes late tells nothing.
    state: Mapped[str] = mapped_column(Word)
    changed_at: Mapped[str | None] = mapped_column(Time)
    issue_id: Mapped[str | None] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)

    __table_args__ = (
        one_of("state", ISSUE_STATES),
        Index("uq_tracked_issue_key", "key", unique=True),
        Index("ix_tracked_issue_issue", "issue_id"),
        Index("ix_tracked_issue_namespace", "namespace", "id"),
        Index("ix_tracked_issue_updated", "updated_at"),
    )
