"""Who is signed in with a browser."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, JsonText, Time, Word, one_of
from models.token import Token
from models.words import ACTOR_KINDS


class Session(Base):
    """What a browser's cookie stands for: `digest` is the SHA-256 of the cookie, in hex.

    One that was made with a token has the token's rights, for as long as the secret that was shown is good; any other
    has its own, for as long as the settings that gave them are the same.
    """

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(Word)
    token_id: Mapped[str | None] = mapped_column(Id, ForeignKey(Token.id, ondelete="CASCADE"))
    actor_kind: Mapped[str] = mapped_column(Word)
    actor_id: Mapped[str] = mapped_column(Word)
    actor_name: Mapped[str] = mapped_column(Word)
    # A list of [permission, namespace].
    grants: Mapped[str | None] = mapped_column(JsonText)
    created_at: Mapped[str] = mapped_column(Time)
    expires_at: Mapped[str] = mapped_column(Time)
    revoked_at: Mapped[str | None] = mapped_column(Time)
    # The SHA-256 of the settings that gave the grants, in hex.
    mapping_digest: Mapped[str | None] = mapped_column(Word)
    # The digest of the secret that was shown; null where a version wrote it that did not keep it.
    token_digest: Mapped[str | None] = mapped_column(Word)

    __table_args__ = (
        one_of("actor_kind", ACTOR_KINDS),
        CheckConstraint("(token_id IS NULL) <> (grants IS NULL)", name="token_or_grants"),
        Index("uq_session_digest", "digest", unique=True),
        Index("ix_session_expires_at", "expires_at"),
    )
