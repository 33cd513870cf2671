"""Webhooks that users made: their definitions, whose they are, and what they were before."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, JsonText, LongWord, Time, Word, one_of
from models.words import ACTOR_KINDS


class Webhook(Base):
    """A webhook as it is now. `version` grows with every change of it.

    `secrets` are what its senders sign with, the newest first, encrypted; null where there are none.
    """

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Word)
    title: Mapped[str] = mapped_column(Word)
    definition: Mapped[str] = mapped_column(LongWord)
    version: Mapped[int] = mapped_column(BigInteger)
    enabled: Mapped[bool] = mapped_column(Boolean)
    keep_bodies: Mapped[bool] = mapped_column(Boolean)
    secrets: Mapped[str | None] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)
    updated_by_kind: Mapped[str] = mapped_column(Word)
    updated_by_id: Mapped[str] = mapped_column(Word)
    updated_by_name: Mapped[str] = mapped_column(Word)

    __table_args__ = (
        one_of("updated_by_kind", ACTOR_KINDS),
        Index("uq_webhook_name", "name", unique=True),
    )


class WebhookNamespace(Base):
    """Where a webhook may report: a name, a prefix such as `team-*`, or `*`."""

    __tablename__ = "webhook_namespace"

    webhook_id: Mapped[str] = mapped_column(Id, ForeignKey(Webhook.id, ondelete="CASCADE"), primary_key=True)
    namespace: Mapped[str] = mapped_column(Word, primary_key=True)


class WebhookVersion(Base):
    """What a webhook was from `at` on, but for its secrets; `namespaces` is a JSON list."""

    __tablename__ = "webhook_version"

    webhook_id: Mapped[str] = mapped_column(Id, ForeignKey(Webhook.id, ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    definition: Mapped[str] = mapped_column(LongWord)
    namespaces: Mapped[str] = mapped_column(JsonText)
    enabled: Mapped[bool] = mapped_column(Boolean)
    keep_bodies: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[str] = mapped_column(Time)
    by_kind: Mapped[str] = mapped_column(Word)
    by_id: Mapped[str] = mapped_column(Word)
    by_name: Mapped[str] = mapped_column(Word)

    __table_args__ = (one_of("by_kind", ACTOR_KINDS),)
