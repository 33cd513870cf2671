"""One issue, and pages of issues."""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import ColumnElement, func, select

from tests.bench.contestants.plain_server.loading import Info, children, eager
from tests.bench.contestants.plain_server.tables import IssueRow
from tests.bench.contestants.plain_server.types import Issue, IssueState, Severity


@strawberry.input
class StringFilter:
    """Text that a field must equal."""

    eq: str


@strawberry.input
class StateFilter:
    """The state that an issue must be in."""

    eq: IssueState


@strawberry.input
class SeverityFilter:
    """The severity that an issue must have."""

    eq: Severity


@strawberry.input
class IssueWhere:
    """All of what is given must hold."""

    namespace: StringFilter | None = None
    state: StateFilter | None = None
    severity: SeverityFilter | None = None


def conditions(where: IssueWhere | None) -> list[ColumnElement[bool]]:
    """A filter in SQL."""
    found: list[ColumnElement[bool]] = []
    if where and where.namespace:
        found.append(IssueRow.namespace == where.namespace.eq)
    if where and where.state:
        found.append(IssueRow.state == where.state.eq.value)
    if where and where.severity:
        # By rank: the index is on it.
        found.append(IssueRow.severity_rank == list(Severity).index(where.severity.eq))
    return found


@strawberry.type
class PageInfo:
    """Where a page lies."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class IssueEdge:
    """An issue in the list."""

    cursor: str
    node: Issue


@strawberry.type
class IssueConnection:
    """A page of issues, the newest first."""

    nodes: list[Issue]
    page_info: PageInfo
    total_count: int

    @strawberry.field
    def edges(self) -> list[IssueEdge]:
        """The issues with their cursors."""
        return [IssueEdge(cursor=cursor_of(issue), node=issue) for issue in self.nodes]


def cursor_of(issue: Any) -> str:
    """The place of an issue in the list."""
    return base64.urlsafe_b64encode(f"{issue.detected_at.isoformat()} {issue.id}".encode()).decode()


async def list_issues(info: Info, where: IssueWhere | None = None, first: int = 50) -> IssueConnection:
    """Query.issues"""
    matching = conditions(where)
    wanted = select(IssueRow).where(*matching).options(*eager(info.selected_fields))
    # One more than is wanted says whether there are more.
    wanted = wanted.order_by(IssueRow.detected_at.desc(), IssueRow.id.desc()).limit(first + 1)
    async with info.context.sessions() as session:
        rows: Sequence[Any] = (await session.scalars(wanted)).all()
        total = 0
        if "totalCount" in children(info):
            total = await session.scalar(select(func.count()).select_from(IssueRow).where(*matching)) or 0
    page = list(rows[:first])
    return IssueConnection(
        nodes=page,
        page_info=PageInfo(
            has_next_page=len(rows) > first,
            has_previous_page=False,
            start_cursor=cursor_of(page[0]) if page else None,
            end_cursor=cursor_of(page[-1]) if page else None,
        ),
        total_count=total,
    )


async def get_issue(info: Info, id: strawberry.ID) -> Any:
    """Query.issue"""
    async with info.context.sessions() as session:
        return await session.get(IssueRow, UUID(id), options=eager(info.selected_fields))
