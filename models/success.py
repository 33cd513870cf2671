"""That something was told to be well again, and when."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Time, Word


class Success(Base):
    """The newest success of what a tool told one of: failures from before it, told later, are over.

    `place` is the digest of namespace and scope, `key` that of all that the success is about. `issue_type` is null for
    all types, `parts` (JSON list of {name, value}) for all fingerprints. `at` is the sender's time, never one to come;
    `told_at` is ours, at which it came in, and null where the version before this column wrote it.
    """

    __tablename__ = "success"

    key: Mapped[str] = mapped_column(Word, primary_key=True)
    namespace: Mapped[str] = mapped_column(Word)
    place: Mapped[str] = mapped_column(Word)
    issue_type: Mapped[str | None] = mapped_column(Word)
    parts: Mapped[str | None] = mapped_column(Word)
    at: Mapped[str] = mapped_column(Time)
    told_at: Mapped[str | None] = mapped_column(Time)

    __table_args__ = (
        Index("ix_success_place_at", "namespace", "place", "at"),
        # Forgetting old ones.
        Index("ix_success_at", "at"),
        Index("ix_success_told_at", "told_at"),
    )
