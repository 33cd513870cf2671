"""What came in by webhooks, and what became of it."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, LongWord, Position, Time, Word, one_of
from models.words import DELIVERY_OUTCOMES


class Delivery(Base):
    """One request of a sender. What it brought, `request` and `body`, is kept for hours; what came of it, for days."""

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # Given by the writer, as of a line of the log and in one order with them; another one when it is replayed.
    position: Mapped[int] = mapped_column(Position)
    webhook: Mapped[str] = mapped_column(Word)
    # Of a webhook that a user made.
    version: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Word)
    received_at: Mapped[str] = mapped_column(Time)
    replayed_at: Mapped[str | None] = mapped_column(Time)
    # The sender's own id of it.
    delivery_key: Mapped[str | None] = mapped_column(Word)
    event: Mapped[str | None] = mapped_column(Word)
    # What was wrong with it, or first with an item of it.
    error: Mapped[str | None] = mapped_column(LongWord)
    # The one that it concerns; null where `delivery_namespace` has several.
    namespace: Mapped[str | None] = mapped_column(Word)
    # JSON texts that are only read whole: who sent it and where that one could report, the results of its items,
    # headers and query.
    sender: Mapped[str] = mapped_column(LongWord)
    items: Mapped[str] = mapped_column(LongWord)
    request: Mapped[str | None] = mapped_column(LongWord)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_bytes: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        one_of("outcome", DELIVERY_OUTCOMES),
        Index("uq_delivery_position", "position", unique=True),
        Index("ix_delivery_webhook", "webhook", "id"),
        Index("ix_delivery_namespace", "namespace", "id"),
        # Few are: what somebody looks for.
        Index(
            "ix_delivery_troubled",
            "webhook",
            "id",
            sqlite_where=text("outcome <> 'HANDLED'"),
            postgresql_where=text("outcome <> 'HANDLED'"),
        ),
        # What retention looks for.
        Index(
            "ix_delivery_kept",
            "id",
            sqlite_where=text("request IS NOT NULL"),
            postgresql_where=text("request IS NOT NULL"),
        ),
    )


class DeliveryNamespace(Base):
    """The namespaces or patterns that a delivery concerns, where they are several."""

    __tablename__ = "delivery_namespace"

    delivery_id: Mapped[str] = mapped_column(Id, ForeignKey(Delivery.id, ondelete="CASCADE"), primary_key=True)
    namespace: Mapped[str] = mapped_column(Word, primary_key=True)

    __table_args__ = (Index("ix_delivery_namespace_namespace", "namespace"),)
