"""Statistics: each field is a statement."""

import enum
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import join

from tests.bench.contestants.plain_server.issues import IssueWhere, conditions
from tests.bench.contestants.plain_server.loading import Info
from tests.bench.contestants.plain_server.tables import IssueRow, LabelRow, OccurrenceRow, ScopeRow
from tests.bench.contestants.plain_server.types import IssueState, IssueType, Label, Scope, Severity

# Of each breakdown, how many are shown.
MOST = 20
MOST_NAMESPACES = 50


@strawberry.enum
class TimeBucket(enum.Enum):
    """How wide a point of a series is."""

    DAY = "day"


@strawberry.type
class StateCount:
    """How many issues are in a state."""

    state: IssueState
    count: int


@strawberry.type
class SeverityCount:
    """How many issues are of a severity."""

    severity: Severity
    count: int


@strawberry.type
class TypeCount:
    """How many issues are of a type."""

    issue_type: IssueType
    count: int


@strawberry.type
class NamespaceCount:
    """How many issues are in a namespace."""

    namespace: str
    count: int


@strawberry.type
class ScopeCount:
    """How many issues are about a scope."""

    scope: Scope
    count: int


@strawberry.type
class LabelCount:
    """How many issues have a label."""

    label: Label
    count: int


@strawberry.type
class SourceCount:
    """How many issues came from a source."""

    source: str | None
    count: int


@strawberry.type
class StatsPoint:
    """What happened within one bucket of time."""

    start: datetime
    opened: int
    resolved: int
    active_at_end: int
    occurrences: int


@strawberry.type
class DurationStats:
    """How long things took, in seconds."""

    count: int
    median: float
    p90: float


@strawberry.type
class IssueStats:
    """Counts of issues. The fields are asked at the same time, so each has a session of its own."""

    matching: strawberry.Private[list[ColumnElement[bool]]]
    sessions: strawberry.Private[async_sessionmaker[AsyncSession]]

    async def _rows(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        async with self.sessions() as session:
            return (await session.execute(statement)).all()

    def _count(self, column: Any, most: int | None = None) -> Select[Any, int]:
        counted = select(column, func.count().label("count")).where(*self.matching).group_by(column)
        return counted.order_by(func.count().desc(), column.asc().nulls_last()).limit(most)

    async def _by_word(self, column: Any, words: type[enum.Enum]) -> list[tuple[Any, int]]:
        counts = dict(await self._rows(self._count(column)))
        return [(word, counts.get(word.value, 0)) for word in words]

    @strawberry.field
    async def total(self) -> int:
        """Of all."""
        rows = await self._rows(select(func.count()).select_from(IssueRow).where(*self.matching))
        return int(rows[0][0])

    @strawberry.field
    async def by_state(self) -> list[StateCount]:
        """Every state."""
        return [StateCount(state=word, count=count) for word, count in await self._by_word(IssueRow.state, IssueState)]

    @strawberry.field
    async def by_severity(self) -> list[SeverityCount]:
        """Every severity."""
        counts = await self._by_word(IssueRow.severity, Severity)
        return [SeverityCount(severity=word, count=count) for word, count in counts]

    @strawberry.field
    async def by_type(self) -> list[TypeCount]:
        """Every type."""
        counts = await self._by_word(IssueRow.issue_type, IssueType)
        return [TypeCount(issue_type=word, count=count) for word, count in counts]

    @strawberry.field
    async def by_namespace(self) -> list[NamespaceCount]:
        """The greatest first."""
        counts = await self._rows(self._count(IssueRow.namespace, MOST_NAMESPACES))
        return [NamespaceCount(namespace=namespace, count=count) for namespace, count in counts]

    @strawberry.field
    async def by_source(self) -> list[SourceCount]:
        """The greatest first."""
        counts = await self._rows(self._count(IssueRow.source, MOST))
        return [SourceCount(source=source, count=count) for source, count in counts]

    @strawberry.field
    async def by_scope(self) -> list[ScopeCount]:
        """The greatest first."""
        top = self._count(IssueRow.scope_id, MOST).subquery()
        scopes = select(ScopeRow, top.c.count).join(top, top.c.scope_id == ScopeRow.id)
        rows = await self._rows(scopes.order_by(top.c.count.desc(), ScopeRow.id))
        return [ScopeCount(scope=scope, count=count) for scope, count in rows]

    @strawberry.field
    async def by_label(self, name: str) -> list[LabelCount]:
        """The greatest first."""
        joined = self._count(LabelRow.value, MOST).join(IssueRow, IssueRow.id == LabelRow.issue_id)
        rows = await self._rows(joined.where(LabelRow.name == name))
        return [LabelCount(label=Label(name=name, value=value), count=count) for value, count in rows]

    async def _over_time(self, joined: Any, time: Any, bucket: str, start: datetime, to: datetime) -> Any:
        of = func.date_trunc(bucket, time, "UTC").label("bucket")
        counted = select(of, func.count()).select_from(joined).where(*self.matching, time >= start, time < to)
        return dict(await self._rows(counted.group_by("bucket")))

    @strawberry.field
    async def series(
        self,
        from_: Annotated[datetime, strawberry.argument(name="from")],
        to: datetime,
        bucket: TimeBucket,
    ) -> list[StatsPoint]:
        """Over time, the empty buckets included."""
        start = from_.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        within = (bucket.value, start, to)
        opened = await self._over_time(IssueRow, IssueRow.detected_at, *within)
        resolved = await self._over_time(IssueRow, IssueRow.resolved_at, *within)
        reports = join(OccurrenceRow, IssueRow, IssueRow.id == OccurrenceRow.issue_id)
        occurrences = await self._over_time(reports, OccurrenceRow.at, *within)
        still = or_(IssueRow.resolved_at.is_(None), IssueRow.resolved_at >= start)
        before = select(func.count()).select_from(IssueRow).where(*self.matching, IssueRow.detected_at < start, still)
        active = int((await self._rows(before))[0][0])
        points = []
        while start < to:
            active += opened.get(start, 0) - resolved.get(start, 0)
            points.append(
                StatsPoint(
                    start=start,
                    opened=opened.get(start, 0),
                    resolved=resolved.get(start, 0),
                    active_at_end=active,
                    occurrences=occurrences.get(start, 0),
                )
            )
            start += timedelta(days=1)
        return points

    @strawberry.field
    async def time_to_resolve(self) -> DurationStats | None:
        """Of the issues resolved."""
        seconds = func.extract("epoch", IssueRow.resolved_at - IssueRow.detected_at)
        quantiles = [func.percentile_cont(part).within_group(seconds) for part in (0.5, 0.9)]
        resolved = select(func.count(), *quantiles).where(*self.matching, IssueRow.resolved_at.is_not(None))
        ((count, median, p90),) = await self._rows(resolved)
        return DurationStats(count=count, median=round(median, 6), p90=round(p90, 6)) if count else None


def count_issues(info: Info, where: IssueWhere | None = None) -> IssueStats:
    """Query.issueStats"""
    return IssueStats(matching=conditions(where), sessions=info.context.sessions)
