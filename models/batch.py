"""What the writer keeps for itself: batches that were committed, and answers already given."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word


class Batch(Base):
    """One row for each batch of the writer: tells whether a commit whose answer was lost has happened."""

    __tablename__ = "batch"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[str] = mapped_column(Time)

    __table_args__ = (Index("ix_batch_at", "at"),)


class IdempotencyKey(Base):
    """The first answer to a command that came with a key: the same key again gets the same answer."""

    __tablename__ = "idempotency_key"

    caller_id: Mapped[str] = mapped_column(Word, primary_key=True)
    key: Mapped[str] = mapped_column(Word, primary_key=True)
    # Digest of the command: the same key with another body is a mistake of the caller.
    command_digest: Mapped[str] = mapped_column(Word)
    outcome: Mapped[str] = mapped_column(Word)
    at: Mapped[str] = mapped_column(Time)

    __table_args__ = (Index("ix_idempotency_key_at", "at"),)
