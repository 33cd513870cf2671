"""What resolvers share: the database, and the loader options for the fields that a query selects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption
from strawberry.types.nodes import Selection

from tests.bench.contestants.plain_server.tables import IssueRow, RelationRow


@dataclass(frozen=True, slots=True)
class Context:
    """Of every request."""

    sessions: async_sessionmaker[AsyncSession]


Info = strawberry.Info[Context, None]

# How each field that stands for rows of another table is loaded along with its own row.
LOADED: dict[str, Any] = {
    "scope": joinedload(IssueRow.scope, innerjoin=True),
    "links": selectinload(IssueRow.links),
    "labels": selectinload(IssueRow.labels),
    "relatedFrom": selectinload(IssueRow.related_from),
    "relatedTo": selectinload(IssueRow.related_to),
    "source": joinedload(RelationRow.source, innerjoin=True),
    "target": joinedload(RelationRow.target, innerjoin=True),
}


def eager(fields: Iterable[Selection]) -> list[ORMOption]:
    """The loader options for what is selected, however deep."""
    found: list[ORMOption] = []
    for field in fields:
        deeper = eager(field.selections)
        # An issue's own `source` is a word: nothing is selected in it.
        how = LOADED.get(getattr(field, "name", "")) if field.selections else None
        found += [how.options(*deeper)] if how else deeper
    return found


def children(info: Info) -> dict[str, Selection]:
    """What is selected in a root field, by name."""
    return {getattr(field, "name", ""): field for root in info.selected_fields for field in root.selections}
