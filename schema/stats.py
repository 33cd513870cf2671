"""Counts of issues, now and over time."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from schema.enums import IssueState, IssueType, Severity, TimeBucket
from schema.planned import Top, planned, unplanned
from schema.scalars import DateTime, LogPosition

if TYPE_CHECKING:
    from schema.issue import Label
    from schema.scope import Scope

_COUNT = "How many issues."


@strawberry.type(description="How many issues are in a state.")
class IssueStateCount:
    state: IssueState = strawberry.field(description="The state.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues are of a severity.")
class SeverityCount:
    severity: Severity = strawberry.field(description="The severity.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues are of a type.")
class IssueTypeCount:
    issue_type: IssueType = strawberry.field(description="The type.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues are in a namespace.")
class NamespaceCount:
    namespace: str = strawberry.field(description="The namespace.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues are about a scope.")
class ScopeCount:
    scope: Annotated["Scope", strawberry.lazy("schema.scope")] = strawberry.field(description="The scope.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues have a label.")
class LabelCount:
    label: Annotated["Label", strawberry.lazy("schema.issue")] = strawberry.field(description="The label.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="How many issues came from a source.")
class SourceCount:
    source: str | None = strawberry.field(description="The source; null counts the issues without one.")
    count: int = strawberry.field(description=_COUNT)


@strawberry.type(description="What happened within one bucket of time.")
class IssueStatsPoint:
    start: DateTime = strawberry.field(description="When the bucket begins.")
    opened: int = strawberry.field(description="Issues first detected within the bucket.")
    resolved: int = strawberry.field(description="Issues resolved within the bucket.")
    active_at_end: int = strawberry.field(description="Issues that were active when the bucket ended.")
    occurrences: int = strawberry.field(description="Reports within the bucket, as far as they are kept.")


@strawberry.type(description="How long things took, in seconds.")
class DurationStats:
    count: int = strawberry.field(description="How many were measured.")
    median: float = strawberry.field(description="Half took no longer, in seconds.")
    p90: float = strawberry.field(description="Nine of ten took no longer, in seconds.")


@strawberry.type(description="Counts of the issues that the caller may read, all of one moment.")
class IssueStats:
    position: LogPosition = strawberry.field(description="Where in the log this was counted.")
    total: int = strawberry.field(description=_COUNT)
    by_state: list[IssueStateCount] = strawberry.field(description="By state; every state, zeros included.")
    by_severity: list[SeverityCount] = strawberry.field(description="By severity; every severity, zeros included.")
    by_type: list[IssueTypeCount] = strawberry.field(description="By type; every type, zeros included.")

    @planned
    def by_namespace(self, first: Top = 50) -> list[NamespaceCount]:
        """By namespace, greatest first."""
        unplanned()

    @planned
    def by_scope(self, first: Top = 20) -> list[ScopeCount]:
        """By scope, greatest first."""
        unplanned()

    @planned
    def by_label(
        self,
        name: Annotated[str, strawberry.argument(description="The name of the label whose values are counted.")],
        first: Top = 20,
    ) -> list[LabelCount]:
        """By the values of one label, greatest first."""
        unplanned()

    @planned
    def by_source(self, first: Top = 20) -> list[SourceCount]:
        """By source, greatest first."""
        unplanned()

    @planned
    def series(
        self,
        from_: Annotated[
            DateTime, strawberry.argument(name="from", description="The bucket of this time is the first.")
        ],
        bucket: Annotated[TimeBucket, strawberry.argument(description="How wide a point is.")],
        to: Annotated[DateTime | None, strawberry.argument(description="The end, exclusive; default now.")] = UNSET,
    ) -> list[IssueStatsPoint]:
        """Over time, from the issues' own times (not from the log): at most 400 buckets, the empty ones included."""
        unplanned()

    time_to_resolve: DurationStats | None = strawberry.field(
        description="Of the issues resolved: seconds from detectedAt to resolvedAt; null when there are none."
    )
