"""What was changed: commits and pull requests, as tools told them."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word


class Change(Base):
    """One change, as a tool told it last; `key` is the digest of whose it is and of the tool's own id."""

    __tablename__ = "change"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Word)
    namespace: Mapped[str] = mapped_column(Word)
    source: Mapped[str] = mapped_column(Word)
    system: Mapped[str] = mapped_column(Word)
    # In the tool's words, lower case: commit, pull_request.
    kind: Mapped[str] = mapped_column(Word)
    external_id: Mapped[str] = mapped_column(Word)
    # The commit that deployments name; "" for a pull request that is not merged.
    sha: Mapped[str] = mapped_column(Word)
    repository: Mapped[str] = mapped_column(Word)
    title: Mapped[str] = mapped_column(Word)
    url: Mapped[str] = mapped_column(Word)
    author: Mapped[str] = mapped_column(Word)
    status: Mapped[str] = mapped_column(Word)
    base_ref: Mapped[str] = mapped_column(Word)
    head_ref: Mapped[str] = mapped_column(Word)
    # When it was written; of a pull request, when it was opened.
    authored_at: Mapped[str | None] = mapped_column(Time)
    merged_at: Mapped[str | None] = mapped_column(Time)
    closed_at: Mapped[str | None] = mapped_column(Time)
    labels: Mapped[str] = mapped_column(Word)
    digest: Mapped[str] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)

    __table_args__ = (
        Index("uq_change_key", "key", unique=True),
        # What a deployment brought, and what was merged when.
        Index("ix_change_sha", "namespace", "sha"),
        Index("ix_change_merged", "namespace", "merged_at", "id"),
        # All of a namespace; forgetting old ones.
        Index("ix_change_namespace", "namespace", "id"),
        Index("ix_change_updated", "updated_at"),
    )
