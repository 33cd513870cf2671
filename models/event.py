"""The append-only log: audit trail, timeline and feed at once."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, JsonText, LongWord, Position, Time, Word, one_of
from models.words import ACTOR_KINDS, EVENT_KINDS, RELATION_KINDS


class IssueEvent(Base):
    """One line of the log, never changed after.

    `after` is the image of the issue just after the line: a JSON object with a member for each column that one
    can filter by (`models.image`), or null when the issue is gone for readers of this namespace (DELETED, moved
    away). `before` is null when it was not there before (CREATED, moved in), the whole image when `after` is
    null, else only the members that the line changed. `changes` is the JSON list of the API's field changes;
    together they can rebuild the tables. A line has no foreign keys: it outlives what it tells of.
    """

    __tablename__ = "issue_event"

    # Given by the writer while it holds the write lock, from `EventLog.end`: in the order of commits.
    position: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Word)
    at: Mapped[str] = mapped_column(Time)
    issue_id: Mapped[str] = mapped_column(Id)
    namespace: Mapped[str] = mapped_column(Word)
    title: Mapped[str] = mapped_column(LongWord)
    actor_kind: Mapped[str | None] = mapped_column(Word)
    actor_id: Mapped[str | None] = mapped_column(Word)
    actor_name: Mapped[str | None] = mapped_column(Word)
    actor_name_folded: Mapped[str | None] = mapped_column(Word)
    relation_id: Mapped[str | None] = mapped_column(Id)
    relation_kind: Mapped[str | None] = mapped_column(Word)
    source_id: Mapped[str | None] = mapped_column(Id)
    target_id: Mapped[str | None] = mapped_column(Id)
    # The namespace of the other end: who may not read it does not see the line.
    other_namespace: Mapped[str | None] = mapped_column(Word)
    changes: Mapped[str] = mapped_column(LongWord)
    before: Mapped[str | None] = mapped_column(JsonText)
    after: Mapped[str | None] = mapped_column(JsonText)

    __table_args__ = (
        one_of("kind", EVENT_KINDS),
        one_of("actor_kind", ACTOR_KINDS, or_null=True),
        one_of("relation_kind", RELATION_KINDS, or_null=True),
        CheckConstraint("before IS NOT NULL OR after IS NOT NULL", name="image"),
        # An issue's timeline, and the log of a namespace.
        Index("ix_issue_event_issue", "issue_id", "position"),
        Index("ix_issue_event_namespace", "namespace", "position"),
        # Deletions by age: what retention looks for.
        Index(
            "ix_issue_event_deleted",
            "at",
            sqlite_where=text("kind = 'DELETED'"),
            postgresql_where=text("kind = 'DELETED'"),
        ),
    )


class EventLog(Base):
    """The one row that says which log this is, where it ends, and from where it is whole."""

    __tablename__ = "event_log"

    id: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=False)
    # 12 hex digits, new with each database; part of every position that clients hold.
    identity: Mapped[str] = mapped_column(Word)
    # The position of the newest line; stays when retention takes that line. Written once a batch.
    end: Mapped[int] = mapped_column(Position)
    # The highest position that was removed, by retention or with its namespace; reading on from before it would
    # leave a hole.
    pruned_to: Mapped[int] = mapped_column(Position)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
