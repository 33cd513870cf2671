"""The tables as ORM models: of the columns, those that are shown or searched by."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """All of them."""

    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012


class ScopeRow(Base):
    """What an issue is about."""

    __tablename__ = "scope"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resource_type: Mapped[str]
    resource_name: Mapped[str]
    resource_namespace: Mapped[str]


class LinkRow(Base):
    """A web address that helps with an issue."""

    __tablename__ = "link"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"))
    ordinal: Mapped[int]
    title: Mapped[str]
    url: Mapped[str]


class LabelRow(Base):
    """A name with a value on an issue."""

    __tablename__ = "label"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)


class OccurrenceRow(Base):
    """One report of an issue."""

    __tablename__ = "occurrence"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"))
    at: Mapped[datetime]


class RelationRow(Base):
    """One edge between two issues."""

    __tablename__ = "relation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"))
    target_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"))
    created_at: Mapped[datetime]

    source: Mapped["IssueRow"] = relationship(foreign_keys=source_id, lazy="raise", viewonly=True)
    target: Mapped["IssueRow"] = relationship(foreign_keys=target_id, lazy="raise", viewonly=True)


class IssueRow(Base):
    """One problem."""

    __tablename__ = "issue"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    namespace: Mapped[str]
    scope_id: Mapped[UUID] = mapped_column(ForeignKey("scope.id"))
    title: Mapped[str]
    description: Mapped[str]
    severity: Mapped[str]
    severity_rank: Mapped[int]
    issue_type: Mapped[str]
    state: Mapped[str]
    source: Mapped[str | None]
    detected_at: Mapped[datetime]
    last_detected_at: Mapped[datetime]
    occurrence_count: Mapped[int]
    resolved_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    scope: Mapped[ScopeRow] = relationship(lazy="raise", viewonly=True)
    links: Mapped[list[LinkRow]] = relationship(order_by=LinkRow.ordinal, lazy="raise", viewonly=True)
    labels: Mapped[list[LabelRow]] = relationship(order_by=(LabelRow.name, LabelRow.value), lazy="raise", viewonly=True)
    related_from: Mapped[list[RelationRow]] = relationship(
        foreign_keys=RelationRow.source_id, order_by=RelationRow.id.desc(), lazy="raise", viewonly=True
    )
    related_to: Mapped[list[RelationRow]] = relationship(
        foreign_keys=RelationRow.target_id, order_by=RelationRow.id.desc(), lazy="raise", viewonly=True
    )
