"""The plain way's own tables, as ORM models; what an answer needs is loaded with the issue."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

ACTIVE = text("state = 'ACTIVE'")


class Base(DeclarativeBase):
    """All of them."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON}  # noqa: RUF012


class Scope(Base):
    """What an issue is about."""

    __tablename__ = "scope"
    __table_args__ = (UniqueConstraint("resource_name", "resource_type", "resource_namespace"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    resource_type: Mapped[str]
    resource_name: Mapped[str]
    resource_namespace: Mapped[str]


class Link(Base):
    """A web address that helps with an issue."""

    __tablename__ = "link"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    issue_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("issue.id"), index=True)
    title: Mapped[str]
    url: Mapped[str]


class Label(Base):
    """A name with a value on an issue."""

    __tablename__ = "label"

    issue_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)


class Relation(Base):
    """One edge between two issues."""

    __tablename__ = "relation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    source_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("issue.id"), index=True)
    target_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("issue.id"), index=True)

    source: Mapped["Issue"] = relationship(foreign_keys=source_id, back_populates="related_from", lazy="raise")
    target: Mapped["Issue"] = relationship(foreign_keys=target_id, back_populates="related_to", lazy="raise")


class Issue(Base):
    """One problem."""

    __tablename__ = "issue"
    __table_args__ = (
        Index(
            "one_active_issue",
            "scope_id",
            "issue_type",
            "namespace",
            unique=True,
            postgresql_where=ACTIVE,
            sqlite_where=ACTIVE,
        ),
        Index("issue_of_scope", "scope_id", "issue_type", "resolved_at"),
        Index("issue_list", "namespace", "state", "detected_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    namespace: Mapped[str]
    scope_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Scope.id))
    title: Mapped[str]
    description: Mapped[str]
    severity: Mapped[str]
    issue_type: Mapped[str]
    state: Mapped[str]
    source: Mapped[str]
    detected_at: Mapped[datetime]
    last_detected_at: Mapped[datetime]
    occurrence_count: Mapped[int]
    resolved_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    scope: Mapped[Scope] = relationship(lazy="raise")
    links: Mapped[list[Link]] = relationship(lazy="raise")
    labels: Mapped[list[Label]] = relationship(lazy="raise")
    related_from: Mapped[list[Relation]] = relationship(
        foreign_keys=Relation.source_id, back_populates="source", lazy="raise"
    )
    related_to: Mapped[list[Relation]] = relationship(
        foreign_keys=Relation.target_id, back_populates="target", lazy="raise"
    )


class Occurrence(Base):
    """One report of an issue."""

    __tablename__ = "occurrence"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    issue_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Issue.id), index=True)
    at: Mapped[datetime]
    run_id: Mapped[str | None]
    title: Mapped[str]
    description: Mapped[str]
    severity: Mapped[str]
    links: Mapped[dict[str, Any]]


class Run(Base):
    """That a run of a pipeline was reported."""

    __tablename__ = "run"

    scope_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Scope.id), primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Event(Base):
    """A line of the log: what happened to an issue, and the issue before and after."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    issue_id: Mapped[uuid.UUID] = mapped_column(index=True)
    namespace: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any]]


# What an answer shows of an issue alone, and with those beside it.
OWN = (joinedload(Issue.scope), selectinload(Issue.links), selectinload(Issue.labels))
WHOLE = (
    *OWN,
    selectinload(Issue.related_from).joinedload(Relation.target).options(*OWN),
    selectinload(Issue.related_to).joinedload(Relation.source).options(*OWN),
)
