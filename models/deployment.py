"""What was put where, and what it brought."""

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Time, Word


class Deployment(Base):
    """One deployment, as a tool told it last; `key` is the digest of whose it is and of the tool's own id."""

    __tablename__ = "deployment"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Word)
    namespace: Mapped[str] = mapped_column(Word)
    # Who told it, and of which of its systems; "" when it has one.
    source: Mapped[str] = mapped_column(Word)
    system: Mapped[str] = mapped_column(Word)
    external_id: Mapped[str] = mapped_column(Word)
    name: Mapped[str] = mapped_column(Word)
    title: Mapped[str] = mapped_column(Word)
    # In the tool's words, upper case: PRODUCTION, SUCCESS.
    environment: Mapped[str] = mapped_column(Word)
    result: Mapped[str] = mapped_column(Word)
    requested_at: Mapped[str | None] = mapped_column(Time)
    started_at: Mapped[str | None] = mapped_column(Time)
    finished_at: Mapped[str | None] = mapped_column(Time)
    # JSON list of {name, value}: never searched, always read whole.
    labels: Mapped[str] = mapped_column(Word)
    # Of all that was told: the same again changes nothing.
    digest: Mapped[str] = mapped_column(Word)
    created_at: Mapped[str] = mapped_column(Time)
    updated_at: Mapped[str] = mapped_column(Time)

    __table_args__ = (
        Index("uq_deployment_key", "key", unique=True),
        # What was deployed to an environment, in order.
        Index("ix_deployment_finished", "namespace", "environment", "finished_at", "id"),
        # All of a namespace; forgetting old ones.
        Index("ix_deployment_namespace", "namespace", "id"),
        Index("ix_deployment_updated", "updated_at"),
    )


class DeploymentChange(Base):
    """A change that a deployment brought, in the tool's order; what else is known of it may come before or after it."""

    __tablename__ = "deployment_change"

    deployment_id: Mapped[str] = mapped_column(Id, ForeignKey(Deployment.id, ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    # The commit; of tools that know no commits, their id of the change. As `change.sha`.
    sha: Mapped[str] = mapped_column(Word)
    repository: Mapped[str] = mapped_column(Word)
    ref_name: Mapped[str] = mapped_column(Word)
    title: Mapped[str] = mapped_column(Word)
    message: Mapped[str] = mapped_column(Word)
    result: Mapped[str] = mapped_column(Word)
    requested_at: Mapped[str | None] = mapped_column(Time)
    started_at: Mapped[str | None] = mapped_column(Time)
    finished_at: Mapped[str | None] = mapped_column(Time)

    # The deployments of a change.
    __table_args__ = (Index("ix_deployment_change_sha", "sha"),)
