"""Issues and what belongs to them, as Strawberry types."""

import enum
from datetime import datetime
from typing import Any

import strawberry
from strawberry import Parent

from tests.bench.contestants.plain_server.tables import IssueRow


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
    source: "Issue"
    target: "Issue"


@strawberry.type
class RelationConnection:
    """Relations of one issue, the newest first."""

    nodes: list[Relation]


def related_from(issue: Parent[IssueRow], first: int = 50) -> Any:
    """Issue.relatedFrom"""
    return RelationConnection(nodes=issue.related_from[:first])  # type: ignore[arg-type]


def related_to(issue: Parent[IssueRow], first: int = 50) -> Any:
    """Issue.relatedTo"""
    return RelationConnection(nodes=issue.related_to[:first])  # type: ignore[arg-type]


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
    scope: Scope
    links: list[Link]
    labels: list[Label]
    related_from: RelationConnection = strawberry.field(resolver=related_from)
    related_to: RelationConnection = strawberry.field(resolver=related_to)
