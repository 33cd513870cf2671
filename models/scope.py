"""What an issue is about: a pipeline run, a component, an application."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Word


class Scope(Base):
    """One row for each type, name and namespace, shared by all its issues."""

    __tablename__ = "scope"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    resource_type: Mapped[str] = mapped_column(Word)
    resource_type_folded: Mapped[str] = mapped_column(Word)
    resource_name: Mapped[str] = mapped_column(Word)
    resource_name_folded: Mapped[str] = mapped_column(Word)
    resource_namespace: Mapped[str] = mapped_column(Word)
    resource_namespace_folded: Mapped[str] = mapped_column(Word)

    __table_args__ = (
        # Get-or-create by key, resolving by scope. The name first: it tells most.
        UniqueConstraint("resource_name", "resource_type", "resource_namespace"),
    )
