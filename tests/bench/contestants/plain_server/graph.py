"""The neighbourhood of issues."""

from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import Select, case, func, literal, or_, select

from tests.bench.contestants.plain_server.loading import Info, children, eager
from tests.bench.contestants.plain_server.tables import IssueRow, RelationRow
from tests.bench.contestants.plain_server.types import Issue, Relation

KINDS = ["RELATED", "CAUSED_BY", "DUPLICATE_OF"]
MAX_NODES = 200


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


def nearest(ids: list[UUID], depth: int) -> Select[IssueRow, int]:
    """The issues within `depth` steps and their distances: a recursive CTE that follows relations both ways."""
    walk = select(IssueRow.id, literal(0).label("distance")).where(IssueRow.id.in_(ids)).cte("walk", recursive=True)
    touches = or_(RelationRow.source_id == walk.c.id, RelationRow.target_id == walk.c.id)
    other = case((RelationRow.source_id == walk.c.id, RelationRow.target_id), else_=RelationRow.source_id)
    step = select(other, walk.c.distance + 1).join_from(walk, RelationRow, touches)
    walk = walk.union(step.where(RelationRow.kind.in_(KINDS), walk.c.distance < depth))
    distance = func.min(walk.c.distance).label("distance")
    found = select(walk.c.id, distance).group_by(walk.c.id).order_by(distance, walk.c.id).limit(MAX_NODES).subquery()
    return (
        select(IssueRow, found.c.distance).join(found, found.c.id == IssueRow.id).order_by(*found.c["distance", "id"])
    )


def between(ids: list[UUID]) -> Select[RelationRow]:
    """The relations from one of the issues to another of them."""
    ends = (RelationRow.source_id.in_(ids), RelationRow.target_id.in_(ids))
    return select(RelationRow).where(*ends, RelationRow.kind.in_(KINDS)).order_by(RelationRow.id)


def graph_node(issue: Any, distance: int) -> IssueGraphNode:
    """One that was reached."""
    return IssueGraphNode(issue=issue, distance=distance)


def graph_edge(relation: Any) -> IssueGraphEdge:
    """What connects two of the nodes."""
    return IssueGraphEdge(source_id=relation.source_id, target_id=relation.target_id, relation=relation)


async def graph_of_issues(info: Info, ids: list[strawberry.ID], depth: int = 2) -> IssueGraph:
    """Query.issueGraph"""
    options = {name: eager([field]) for name, field in children(info).items()}
    around = nearest([UUID(id) for id in ids], depth).options(*options.get("nodes", ()))
    async with info.context.sessions() as session:
        nodes = (await session.execute(around)).all()
        among = between([issue.id for issue, _ in nodes]).options(*options.get("edges", ()))
        relations = (await session.scalars(among)).all()
    return IssueGraph(
        nodes=[graph_node(issue, distance) for issue, distance in nodes],
        edges=[graph_edge(relation) for relation in relations],
    )
