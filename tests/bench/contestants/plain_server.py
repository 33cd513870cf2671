"""A GraphQL server built the plain way: Strawberry resolvers over the SQLAlchemy ORM on asyncpg.

What a query selects is loaded eagerly with its root (`joinedload`, `selectinload`), which measured faster than
DataLoaders for the page, the issue and the connection; what lies deeper comes through DataLoaders. Resolvers hand out
the ORM's rows, in which Strawberry finds the fields by their names. A root field has one session.
"""

import base64
import binascii
import enum
import gc
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
import strawberry
import uvicorn
from sqlalchemy import (
    ColumnElement,
    DateTime,
    ForeignKey,
    Select,
    case,
    func,
    literal,
    make_url,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.orm.interfaces import ORMOption
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry import Parent
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types.nodes import Selection

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# The tables


class Base(DeclarativeBase):
    """Of the columns, those that are shown or searched by."""

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


# Loading

# How each field of an issue is loaded along with it.
EAGER: dict[str, ORMOption] = {
    "scope": joinedload(IssueRow.scope, innerjoin=True),
    "links": selectinload(IssueRow.links),
    "labels": selectinload(IssueRow.labels),
    "relatedFrom": selectinload(IssueRow.related_from).joinedload(RelationRow.target, innerjoin=True),
    "relatedTo": selectinload(IssueRow.related_to).joinedload(RelationRow.source, innerjoin=True),
}


def selected(selections: Sequence[Selection]) -> set[str]:
    """The names of all fields that are asked for, on any level."""
    names: set[str] = set()
    for selection in selections:
        names |= {getattr(selection, "name", ""), *selected(selection.selections)}
    return names


def eager(names: set[str]) -> list[ORMOption]:
    """The loader options for the fields that are asked for."""
    return [option for name, option in EAGER.items() if name in names]


class Loaders:
    """The DataLoaders of one request; each batch has a session of its own."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    @cached_property
    def scope(self) -> DataLoader[UUID, ScopeRow | None]:
        """By their ids."""
        return self._one(ScopeRow, ScopeRow.id)

    @cached_property
    def issue(self) -> DataLoader[UUID, IssueRow | None]:
        """By their ids."""
        return self._one(IssueRow, IssueRow.id)

    @cached_property
    def links(self) -> DataLoader[UUID, list[LinkRow]]:
        """By issue."""
        return self._many(select(LinkRow).order_by(LinkRow.ordinal), LinkRow.issue_id)

    @cached_property
    def labels(self) -> DataLoader[UUID, list[LabelRow]]:
        """By issue."""
        return self._many(select(LabelRow).order_by(LabelRow.name, LabelRow.value), LabelRow.issue_id)

    @cached_property
    def related_from(self) -> DataLoader[UUID, list[RelationRow]]:
        """By source."""
        return self._many(select(RelationRow).order_by(RelationRow.id.desc()), RelationRow.source_id)

    @cached_property
    def related_to(self) -> DataLoader[UUID, list[RelationRow]]:
        """By target."""
        return self._many(select(RelationRow).order_by(RelationRow.id.desc()), RelationRow.target_id)

    def _one(self, model: type[V], key: InstrumentedAttribute[K]) -> DataLoader[K, V | None]:
        async def load(keys: list[K]) -> list[V | None]:
            async with self._sessions() as session:
                rows = await session.scalars(select(model).where(key.in_(keys)))
                by_key = {getattr(row, key.key): row for row in rows}
            return [by_key.get(each) for each in keys]

        return DataLoader(load_fn=load)

    def _many(self, rows: Select[V], key: InstrumentedAttribute[K]) -> DataLoader[K, list[V]]:
        async def load(keys: list[K]) -> list[list[V]]:
            by_key: dict[K, list[V]] = defaultdict(list)
            async with self._sessions() as session:
                for row in await session.scalars(rows.where(key.in_(keys))):
                    by_key[getattr(row, key.key)].append(row)
            return [by_key[each] for each in keys]

        return DataLoader(load_fn=load)


@dataclass
class Context:
    """What the resolvers of one request share."""

    sessions: async_sessionmaker[AsyncSession]
    loaders: Loaders


Info = strawberry.Info[Context, None]


def loaded(row: Base, name: str, otherwise: Callable[[], Any]) -> Any:
    """A relationship that was loaded with its row, or what the DataLoader will bring."""
    return vars(row)[name] if name in vars(row) else otherwise()


def scope_of(issue: Parent[IssueRow], info: Info) -> Any:
    """Issue.scope"""
    return loaded(issue, "scope", lambda: info.context.loaders.scope.load(issue.scope_id))


def links_of(issue: Parent[IssueRow], info: Info) -> Any:
    """Issue.links"""
    return loaded(issue, "links", lambda: info.context.loaders.links.load(issue.id))


def labels_of(issue: Parent[IssueRow], info: Info) -> Any:
    """Issue.labels"""
    return loaded(issue, "labels", lambda: info.context.loaders.labels.load(issue.id))


def source_of(relation: Parent[RelationRow], info: Info) -> Any:
    """Relation.source"""
    return loaded(relation, "source", lambda: info.context.loaders.issue.load(relation.source_id))


def target_of(relation: Parent[RelationRow], info: Info) -> Any:
    """Relation.target"""
    return loaded(relation, "target", lambda: info.context.loaders.issue.load(relation.target_id))


# The schema


@strawberry.enum
class Severity(enum.Enum):
    """In rising order."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@strawberry.enum
class IssueType(enum.Enum):
    """What kind of thing broke."""

    BUILD = "build"
    TEST = "test"
    RELEASE = "release"
    DEPENDENCY = "dependency"
    PIPELINE = "pipeline"
    INCIDENT = "incident"


@strawberry.enum
class IssueState(enum.Enum):
    """Whether it is still there."""

    ACTIVE = "ACTIVE"
    RESOLVED = "RESOLVED"


@strawberry.enum
class RelationKind(enum.Enum):
    """How one issue stands to another."""

    RELATED = "RELATED"
    CAUSED_BY = "CAUSED_BY"
    DUPLICATE_OF = "DUPLICATE_OF"
    RECURRENCE_OF = "RECURRENCE_OF"


@strawberry.type
class Scope:
    """What an issue is about."""

    id: strawberry.ID
    resource_type: str
    resource_name: str
    resource_namespace: str


@strawberry.type
class Link:
    """A web address that helps with an issue."""

    id: strawberry.ID
    title: str
    url: str


@strawberry.type
class Label:
    """A name with a value on an issue."""

    name: str
    value: str


@strawberry.type
class Relation:
    """One edge between two issues."""

    id: strawberry.ID
    kind: RelationKind
    created_at: datetime
    source: "Issue" = strawberry.field(resolver=source_of)
    target: "Issue" = strawberry.field(resolver=target_of)


@strawberry.type
class RelationConnection:
    """Relations of one issue, the newest first."""

    nodes: list[Relation]


async def _connection(loading: Awaitable[list[RelationRow]], first: int) -> Any:
    return RelationConnection(nodes=(await loading)[:first])  # type: ignore[arg-type]


def related_from(issue: Parent[IssueRow], info: Info, first: int = 50) -> Any:
    """Issue.relatedFrom"""
    if "related_from" in vars(issue):
        return RelationConnection(nodes=vars(issue)["related_from"][:first])
    return _connection(info.context.loaders.related_from.load(issue.id), first)


def related_to(issue: Parent[IssueRow], info: Info, first: int = 50) -> Any:
    """Issue.relatedTo"""
    if "related_to" in vars(issue):
        return RelationConnection(nodes=vars(issue)["related_to"][:first])
    return _connection(info.context.loaders.related_to.load(issue.id), first)


@strawberry.type
class Issue:
    """One problem."""

    id: strawberry.ID
    namespace: str
    title: str
    description: str
    severity: Severity
    issue_type: IssueType
    state: IssueState
    source: str | None
    detected_at: datetime
    last_detected_at: datetime
    occurrence_count: int
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    created_at: datetime
    updated_at: datetime
    scope: Scope = strawberry.field(resolver=scope_of)
    links: list[Link] = strawberry.field(resolver=links_of)
    labels: list[Label] = strawberry.field(resolver=labels_of)
    related_from: RelationConnection = strawberry.field(resolver=related_from)
    related_to: RelationConnection = strawberry.field(resolver=related_to)


# Lists


@strawberry.input
class StringFilter:
    """Text that a field must equal."""

    eq: str | None = None


@strawberry.input
class StateFilter:
    """The state that an issue must be in."""

    eq: IssueState | None = None


@strawberry.input
class SeverityFilter:
    """The severity that an issue must have."""

    eq: Severity | None = None


@strawberry.input
class IssueWhere:
    """All of what is given must hold."""

    namespace: StringFilter | None = None
    state: StateFilter | None = None
    severity: SeverityFilter | None = None


def conditions(where: IssueWhere | None) -> list[ColumnElement[bool]]:
    """A filter in SQL."""
    found: list[ColumnElement[bool]] = []
    if where and where.namespace and where.namespace.eq is not None:
        found.append(IssueRow.namespace == where.namespace.eq)
    if where and where.state and where.state.eq:
        found.append(IssueRow.state == where.state.eq.value)
    if where and where.severity and where.severity.eq:
        # By rank: the index is on it.
        found.append(IssueRow.severity_rank == list(Severity).index(where.severity.eq))
    return found


def write_cursor(issue: IssueRow) -> str:
    """The place of an issue in the list."""
    return base64.urlsafe_b64encode(f"{issue.detected_at.isoformat()} {issue.id}".encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The place as the list is ordered by it."""
    try:
        at, id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(at), UUID(id)
    except (ValueError, binascii.Error):
        raise ValueError("after is no cursor of this list") from None


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

    rows: strawberry.Private[Sequence[IssueRow]]
    page_info: PageInfo
    total_count: int

    @strawberry.field
    def nodes(self) -> list[Issue]:
        """The issues."""
        return self.rows  # type: ignore[return-value]

    @strawberry.field
    def edges(self) -> list[IssueEdge]:
        """The issues with their cursors."""
        return [IssueEdge(cursor=write_cursor(row), node=row) for row in self.rows]  # type: ignore[arg-type]


async def list_issues(info: Info, where: IssueWhere | None = None, first: int = 50, after: str | None = None) -> Any:
    """Query.issues"""
    names, matching = selected(info.selected_fields), conditions(where)
    wanted = select(IssueRow).where(*matching).options(*eager(names))
    wanted = wanted.order_by(IssueRow.detected_at.desc(), IssueRow.id.desc()).limit(first + 1)
    if after is not None:
        wanted = wanted.where(tuple_(IssueRow.detected_at, IssueRow.id) < read_cursor(after))
    async with info.context.sessions() as session:
        rows = (await session.scalars(wanted)).all()
        total = 0
        if "totalCount" in names:
            total = await session.scalar(select(func.count()).select_from(IssueRow).where(*matching)) or 0
    page = rows[:first]
    return IssueConnection(
        rows=page,
        page_info=PageInfo(
            has_next_page=len(rows) > first,
            has_previous_page=after is not None,
            start_cursor=write_cursor(page[0]) if page else None,
            end_cursor=write_cursor(page[-1]) if page else None,
        ),
        total_count=total,
    )


async def get_issue(info: Info, id: strawberry.ID) -> Any:
    """Query.issue"""
    options = eager(selected(info.selected_fields))
    async with info.context.sessions() as session:
        return await session.get(IssueRow, UUID(id), options=options)


# The graph

GRAPH_KINDS = [RelationKind.RELATED, RelationKind.CAUSED_BY, RelationKind.DUPLICATE_OF]


@strawberry.type
class IssueGraphNode:
    """An issue, and its fewest steps from a root."""

    issue: Issue
    distance: int


@strawberry.type
class IssueGraphEdge:
    """A relation between two of the nodes."""

    source_id: strawberry.ID
    target_id: strawberry.ID
    relation: Relation


@strawberry.type
class IssueGraph:
    """The neighbourhood of some issues."""

    nodes: list[IssueGraphNode]
    edges: list[IssueGraphEdge]


def nearest(ids: list[UUID], depth: int, kinds: list[str], max_nodes: int) -> Select[IssueRow, int]:
    """The issues within `depth` steps and their distances: a recursive CTE that follows relations both ways."""
    walk = select(IssueRow.id, literal(0).label("distance")).where(IssueRow.id.in_(ids)).cte("walk", recursive=True)
    touches = or_(RelationRow.source_id == walk.c.id, RelationRow.target_id == walk.c.id)
    other = case((RelationRow.source_id == walk.c.id, RelationRow.target_id), else_=RelationRow.source_id)
    step = select(other, walk.c.distance + 1).join_from(walk, RelationRow, touches)
    walk = walk.union(step.where(RelationRow.kind.in_(kinds), walk.c.distance < depth))
    distance = func.min(walk.c.distance).label("distance")
    found = select(walk.c.id, distance).group_by(walk.c.id).order_by(distance, walk.c.id).limit(max_nodes).subquery()
    return (
        select(IssueRow, found.c.distance).join(found, found.c.id == IssueRow.id).order_by(*found.c["distance", "id"])
    )


def graph_node(issue: Any, distance: int) -> IssueGraphNode:
    """One that was reached."""
    return IssueGraphNode(issue=issue, distance=distance)


def graph_edge(relation: Any) -> IssueGraphEdge:
    """What connects two of the nodes."""
    return IssueGraphEdge(source_id=relation.source_id, target_id=relation.target_id, relation=relation)


async def graph_of_issues(
    info: Info,
    ids: list[strawberry.ID],
    depth: int = 2,
    kinds: list[RelationKind] = GRAPH_KINDS,
    max_nodes: int = 200,
) -> Any:
    """Query.issueGraph"""
    words = [kind.value for kind in kinds]
    async with info.context.sessions() as session:
        nodes = (await session.execute(nearest([UUID(id) for id in ids], depth, words, max_nodes))).all()
        reached = [issue.id for issue, _ in nodes]
        between = [RelationRow.source_id.in_(reached), RelationRow.target_id.in_(reached), RelationRow.kind.in_(words)]
        relations = (await session.scalars(select(RelationRow).where(*between).order_by(RelationRow.id))).all()
    return IssueGraph(
        nodes=[graph_node(issue, distance) for issue, distance in nodes],
        edges=[graph_edge(relation) for relation in relations],
    )


# Statistics


@strawberry.enum
class TimeBucket(enum.Enum):
    """How wide a point of a series is."""

    HOUR = "hour"
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


Rows = Sequence[Any]


@strawberry.type
class IssueStats:
    """Counts of issues; each field is a statement."""

    matching: strawberry.Private[list[ColumnElement[bool]]]
    context: strawberry.Private[Context]

    async def _rows(self, statement: Select[*tuple[Any, ...]]) -> Rows:
        async with self.context.sessions() as session:
            return (await session.execute(statement.where(*self.matching))).all()

    async def _by(self, column: Any, first: int | None = None) -> Rows:
        counted = select(column, func.count()).group_by(column)
        return await self._rows(counted.order_by(func.count().desc(), column.asc().nulls_last()).limit(first))

    async def _by_word(self, column: Any, words: type[enum.Enum]) -> list[tuple[Any, int]]:
        counts = dict(await self._by(column))
        return [(word, counts.get(word.value, 0)) for word in words]

    @strawberry.field
    async def total(self) -> int:
        """Of all."""
        rows = await self._rows(select(func.count()).select_from(IssueRow))
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
    async def by_namespace(self, first: int = 50) -> list[NamespaceCount]:
        """The greatest first."""
        counts = await self._by(IssueRow.namespace, first)
        return [NamespaceCount(namespace=namespace, count=count) for namespace, count in counts]

    @strawberry.field
    async def by_source(self, first: int = 20) -> list[SourceCount]:
        """The greatest first."""
        return [SourceCount(source=source, count=count) for source, count in await self._by(IssueRow.source, first)]

    @strawberry.field
    async def by_scope(self, first: int = 20) -> list[ScopeCount]:
        """The greatest first."""
        counts = await self._by(IssueRow.scope_id, first)
        scopes: list[Any] = await self.context.loaders.scope.load_many([id for id, _ in counts])
        return [ScopeCount(scope=scope, count=count) for scope, (_, count) in zip(scopes, counts, strict=True)]

    @strawberry.field
    async def by_label(self, name: str, first: int = 20) -> list[LabelCount]:
        """The greatest first."""
        counted = select(LabelRow.value, func.count()).join(IssueRow, IssueRow.id == LabelRow.issue_id)
        counted = counted.where(LabelRow.name == name).group_by(LabelRow.value)
        rows = await self._rows(counted.order_by(func.count().desc(), LabelRow.value).limit(first))
        return [LabelCount(label=Label(name=name, value=value), count=count) for value, count in rows]

    @strawberry.field
    async def series(
        self,
        from_: Annotated[datetime, strawberry.argument(name="from")],
        to: datetime,
        bucket: TimeBucket,
    ) -> list[StatsPoint]:
        """Over time, the empty buckets included."""
        width = timedelta(**{f"{bucket.value}s": 1})
        start = from_.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        start = start.replace(hour=0) if bucket is TimeBucket.DAY else start

        async def counted(time: Any, statement: Select[*tuple[Any, ...]]) -> dict[datetime, int]:
            of = func.date_trunc(bucket.value, time, "UTC").label("bucket")
            grouped = statement.add_columns(of, func.count()).where(time >= start, time < to).group_by("bucket")
            return dict(await self._rows(grouped))

        issues = select().select_from(IssueRow)
        opened = await counted(IssueRow.detected_at, issues)
        resolved = await counted(IssueRow.resolved_at, issues)
        reports = select().select_from(OccurrenceRow).join(IssueRow, IssueRow.id == OccurrenceRow.issue_id)
        occurrences = await counted(OccurrenceRow.at, reports)
        still = or_(IssueRow.resolved_at.is_(None), IssueRow.resolved_at >= start)
        before = select(func.count()).select_from(IssueRow).where(IssueRow.detected_at < start, still)
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
            start += width
        return points

    @strawberry.field
    async def time_to_resolve(self) -> DurationStats | None:
        """Of the issues resolved."""
        seconds = func.extract("epoch", IssueRow.resolved_at - IssueRow.detected_at)
        quantiles = [func.percentile_cont(part).within_group(seconds) for part in (0.5, 0.9)]
        rows = await self._rows(select(func.count(), *quantiles).where(IssueRow.resolved_at.is_not(None)))
        count, median, p90 = rows[0]
        return DurationStats(count=count, median=round(median, 6), p90=round(p90, 6)) if count else None


def count_issues(info: Info, where: IssueWhere | None = None) -> Any:
    """Query.issueStats"""
    return IssueStats(matching=conditions(where), context=info.context)


# The server


@strawberry.type
class Query:
    """What can be asked."""

    issue: Issue | None = strawberry.field(resolver=get_issue)
    issues: IssueConnection = strawberry.field(resolver=list_issues)
    issue_graph: IssueGraph = strawberry.field(resolver=graph_of_issues)
    issue_stats: IssueStats = strawberry.field(resolver=count_issues)


def write_time(moment: datetime) -> str:
    """In UTC with microseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


TIME = strawberry.scalar(name="DateTime", serialize=write_time, parse_value=datetime.fromisoformat)

SCHEMA = strawberry.Schema(
    query=Query,
    config=StrawberryConfig(scalar_map={datetime: TIME}),
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)],
)


class Server(GraphQL[Context, None]):
    """Gives each request its context, and writes JSON with orjson."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__(SCHEMA)
        self._sessions = sessions

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return Context(self._sessions, Loaders(self._sessions))

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def make_app(url: str, pool: int) -> Starlette:
    """The application on a database."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool,
        max_overflow=0,
        # The lists of ids in IN (...) have many lengths.
        connect_args={"prepared_statement_cache_size": 500},
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        gc.freeze()
        yield
        await engine.dispose()

    sessions = async_sessionmaker(engine, expire_on_commit=False)
    return Starlette(routes=[Route("/graphql", Server(sessions))], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        make_app(os.environ["DATABASE_URL"], int(os.environ.get("POOL", "8"))),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
