"""What was done to the server itself and to its doors, for those who answer for it; rows are only added."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, LongJson, Time, Word, one_of
from models.words import ACTOR_KINDS


class AuditEvent(Base):
    """One thing done. No CHECK on `kind`: a new version may add kinds while an old one runs beside it."""

    __tablename__ = "audit_event"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[str] = mapped_column(Time)
    kind: Mapped[str] = mapped_column(Word)
    actor_kind: Mapped[str] = mapped_column(Word)
    actor_id: Mapped[str] = mapped_column(Word)
    actor_name: Mapped[str] = mapped_column(Word)
    # Whose business it is: a namespace or a prefix such as `team-*`; `*` when it concerns more than one.
    namespace: Mapped[str] = mapped_column(Word)
    # What it was done to, such as the id of a token.
    subject: Mapped[str] = mapped_column(Word)
    details: Mapped[str] = mapped_column(LongJson)

    __table_args__ = (one_of("actor_kind", ACTOR_KINDS), Index("ix_audit_event_at", "at"))
