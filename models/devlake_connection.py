"""Where the clients of DevLake's webhook report to."""

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word
from models.token import Token


class DevlakeConnection(Base):
    """A name and a number that clients put into paths, for a namespace; `token_id` is the key that was made with it."""

    __tablename__ = "devlake_connection"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Word)
    namespace: Mapped[str] = mapped_column(Word)
    token_id: Mapped[str | None] = mapped_column(Id, ForeignKey(Token.id, ondelete="SET NULL"))
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)

    __table_args__ = (
        Index("uq_devlake_connection_name", "namespace", "name", unique=True),
        Index("ix_devlake_connection_name", "name"),
        Index("ix_devlake_connection_token", "token_id"),
    )
