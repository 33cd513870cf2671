"""Each report of an issue, and the memory of the runs that were reported."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, LongWord, Time, Word, one_of
from models.issue import Issue
from models.words import ACTOR_KINDS, SEVERITIES


class Occurrence(Base):
    """One report: its own reason, run and links. Only the newest of an issue are kept."""

    __tablename__ = "occurrence"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    issue_id: Mapped[str] = mapped_column(Id, ForeignKey(Issue.id, ondelete="CASCADE"))
    at: Mapped[str] = mapped_column(Time)
    received_at: Mapped[str] = mapped_column(Time)
    run_id: Mapped[str | None] = mapped_column(LongWord)
    title: Mapped[str] = mapped_column(LongWord)
    description: Mapped[str] = mapped_column(LongWord)
    severity: Mapped[str] = mapped_column(Word)
    # JSON list of {id, title, url}: never searched, always read whole.
    links: Mapped[str] = mapped_column(LongWord)
    actor_kind: Mapped[str | None] = mapped_column(Word)
    actor_id: Mapped[str | None] = mapped_column(Word)
    actor_name: Mapped[str | None] = mapped_column(Word)

    __table_args__ = (
        one_of("severity", SEVERITIES),
        one_of("actor_kind", ACTOR_KINDS, or_null=True),
        # An issue's reports, newest first; ids rise with the time of arrival.
        Index("ix_occurrence_issue", "issue_id", "id"),
    )


class Run(Base):
    """That a fingerprint had a run: outlives the occurrence, so that a tool that re-sends changes nothing."""

    __tablename__ = "run"

    fingerprint: Mapped[str] = mapped_column(Word, primary_key=True)
    run_digest: Mapped[str] = mapped_column(Word, primary_key=True)
    at: Mapped[str] = mapped_column(Time)

    # Forgetting old runs.
    __table_args__ = (Index("ix_run_at", "at"),)
