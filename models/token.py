"""Who may come: tokens, what they are good for, and numbers that grow with every change of them."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word, one_of
from models.words import ACTOR_KINDS, PERMISSIONS


class Token(Base):
    """What a client shows to be let in. Its secret is nowhere: `digest` is the SHA-256 of it, in hex."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Word)
    digest: Mapped[str] = mapped_column(Word)
    # The secret before the newest, which is good until then.
    previous_digest: Mapped[str | None] = mapped_column(Word)
    previous_expires_at: Mapped[str | None] = mapped_column(Time)
    # The definition whose paths it is good for; null is everywhere.
    webhook: Mapped[str | None] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    created_by_kind: Mapped[str] = mapped_column(Word)
    created_by_id: Mapped[str] = mapped_column(Word)
    created_by_name: Mapped[str] = mapped_column(Word)
    expires_at: Mapped[str | None] = mapped_column(Time)
    # When somebody noticed that it has expired.
    expiry_noted_at: Mapped[str | None] = mapped_column(Time)
    revoked_at: Mapped[str | None] = mapped_column(Time)
    last_used_at: Mapped[str | None] = mapped_column(Time)

    __table_args__ = (
        one_of("created_by_kind", ACTOR_KINDS),
        Index("uq_token_digest", "digest", unique=True),
        Index("uq_token_previous_digest", "previous_digest", unique=True),
    )


class TokenGrant(Base):
    """One permission of a token in one namespace: a name, a prefix such as `team-*`, or `*`."""

    __tablename__ = "token_grant"

    token_id: Mapped[str] = mapped_column(Id, ForeignKey(Token.id, ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(Word, primary_key=True)
    namespace: Mapped[str] = mapped_column(Word, primary_key=True)

    __table_args__ = (one_of("permission", PERMISSIONS),)


class Access(Base):
    """The one row that says whether what a process knows of tokens, sessions and webhooks is still all there is."""

    __tablename__ = "access"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
    # How many of the changes that `version` counts were of webhooks; null is none.
    webhook_changes: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
