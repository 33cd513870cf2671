"""What narrows and orders lists. A null member is the same as an absent one; members of one object are ANDed."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from schema.enums import (
    ActorKind,
    IssueEventKind,
    IssueOrderField,
    IssueState,
    IssueType,
    OrderDirection,
    Severity,
)
from schema.scalars import DateTime

_EQ = "Equal to this."
_IN = "Equal to one of these; an empty list matches nothing."


@strawberry.input(description="Conditions on a text; all that are given must hold.")
class StringFilter:
    eq: str | None = strawberry.field(default=UNSET, description="Exactly this text, case included.")
    ne: str | None = strawberry.field(
        default=UNSET, description="Not exactly this text; holds where there is no text at all."
    )
    in_: list[str] | None = strawberry.field(
        default=UNSET, name="in", description="Exactly one of these texts; an empty list matches nothing."
    )
    contains: str | None = strawberry.field(default=UNSET, description="Holds this text somewhere, ignoring case.")
    starts_with: str | None = strawberry.field(default=UNSET, description="Begins with this text, ignoring case.")


@strawberry.input(description="Conditions on an id. A malformed id matches nothing.")
class IDFilter:
    eq: strawberry.ID | None = strawberry.field(default=UNSET, description=_EQ)
    in_: list[strawberry.ID] | None = strawberry.field(default=UNSET, name="in", description=_IN)


@strawberry.input(description="Conditions on a number; all that are given must hold.")
class IntFilter:
    eq: int | None = strawberry.field(default=UNSET, description=_EQ)
    gt: int | None = strawberry.field(default=UNSET, description="Greater than this.")
    gte: int | None = strawberry.field(default=UNSET, description="This or greater.")
    lt: int | None = strawberry.field(default=UNSET, description="Less than this.")
    lte: int | None = strawberry.field(default=UNSET, description="This or less.")


@strawberry.input(description="Conditions on a time; all that are given must hold, and only `isNull` holds for null.")
class DateTimeFilter:
    eq: DateTime | None = strawberry.field(default=UNSET, description="At exactly this microsecond.")
    gt: DateTime | None = strawberry.field(default=UNSET, description="After this.")
    gte: DateTime | None = strawberry.field(default=UNSET, description="At this or after.")
    lt: DateTime | None = strawberry.field(default=UNSET, description="Before this.")
    lte: DateTime | None = strawberry.field(default=UNSET, description="At this or before.")
    is_null: bool | None = strawberry.field(default=UNSET, description="true: there is no time; false: there is one.")


@strawberry.input(description="Conditions on a severity; `gte` and `lte` go by how bad it is.")
class SeverityFilter:
    eq: Severity | None = strawberry.field(default=UNSET, description=_EQ)
    in_: list[Severity] | None = strawberry.field(default=UNSET, name="in", description=_IN)
    gte: Severity | None = strawberry.field(default=UNSET, description="This or worse.")
    lte: Severity | None = strawberry.field(default=UNSET, description="This or less bad.")


@strawberry.input(description="Conditions on the type of an issue.")
class IssueTypeFilter:
    eq: IssueType | None = strawberry.field(default=UNSET, description=_EQ)
    in_: list[IssueType] | None = strawberry.field(default=UNSET, name="in", description=_IN)


@strawberry.input(description="Conditions on the state of an issue.")
class IssueStateFilter:
    eq: IssueState | None = strawberry.field(default=UNSET, description=_EQ)
    in_: list[IssueState] | None = strawberry.field(default=UNSET, name="in", description=_IN)


@strawberry.input(description="Conditions on what happened.")
class IssueEventKindFilter:
    eq: IssueEventKind | None = strawberry.field(default=UNSET, description=_EQ)
    in_: list[IssueEventKind] | None = strawberry.field(default=UNSET, name="in", description=_IN)


@strawberry.input(description="Conditions on who did it; never hold where nobody is named.")
class ActorWhere:
    id: IDFilter | None = strawberry.field(default=UNSET, description="By its stable id.")
    name: StringFilter | None = strawberry.field(default=UNSET, description="By its name at the time.")
    kind: ActorKind | None = strawberry.field(default=UNSET, description="By its kind.")


@strawberry.input(description="Which scopes.")
class ScopeWhere:
    id: IDFilter | None = strawberry.field(default=UNSET, description="By id.")
    resource_type: StringFilter | None = strawberry.field(default=UNSET, description="By what kind of thing it is.")
    resource_name: StringFilter | None = strawberry.field(default=UNSET, description="By its name.")
    resource_namespace: StringFilter | None = strawberry.field(default=UNSET, description="By where it lives.")


@strawberry.input(description="Issues with at least one label of this name whose value fits.")
class LabelWhere:
    name: str = strawberry.field(description="The name of the label, exactly.")
    value: StringFilter | None = strawberry.field(default=UNSET, description="Its value; absent: any.")


@strawberry.input(description="Which issues. All members that are given must hold; null is the same as absent.")
class IssueWhere:
    and_: list[IssueWhere] | None = strawberry.field(default=UNSET, name="and", description="All of these hold.")
    or_: list[IssueWhere] | None = strawberry.field(
        default=UNSET, name="or", description="At least one of these holds; an empty list matches nothing."
    )
    not_: IssueWhere | None = strawberry.field(default=UNSET, name="not", description="This does not hold.")
    id: IDFilter | None = strawberry.field(default=UNSET, description="By id.")
    namespace: StringFilter | None = strawberry.field(default=UNSET, description="By namespace.")
    title: StringFilter | None = strawberry.field(default=UNSET, description="By title.")
    description: StringFilter | None = strawberry.field(default=UNSET, description="By description.")
    source: StringFilter | None = strawberry.field(default=UNSET, description="By what reported it.")
    severity: SeverityFilter | None = strawberry.field(default=UNSET, description="By how bad it is.")
    issue_type: IssueTypeFilter | None = strawberry.field(default=UNSET, description="By type.")
    state: IssueStateFilter | None = strawberry.field(default=UNSET, description="By state.")
    detected_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when it was first seen.")
    last_detected_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when it was last seen.")
    resolved_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when it was resolved.")
    updated_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when it last changed.")
    acknowledged_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By when somebody said that they are on it."
    )
    created_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By when this server first heard of it."
    )
    occurrence_count: IntFilter | None = strawberry.field(default=UNSET, description="By how many runs reported it.")
    scope: ScopeWhere | None = strawberry.field(default=UNSET, description="By what it is about.")
    label: LabelWhere | None = strawberry.field(default=UNSET, description="By a label; use `and` for several.")


@strawberry.input(
    description=(
        "Which lines of the log. `issue` is matched with the issue as it was just before or just after the line: "
        "what leaves the filter is told too."
    )
)
class IssueEventWhere:
    kind: IssueEventKindFilter | None = strawberry.field(default=UNSET, description="By what happened.")
    at: DateTimeFilter | None = strawberry.field(default=UNSET, description="By when it happened.")
    actor: ActorWhere | None = strawberry.field(default=UNSET, description="By who did it.")
    issue: IssueWhere | None = strawberry.field(
        default=UNSET, description="By the issue, as it was just before or just after the line."
    )
    search: str | None = strawberry.field(
        default=UNSET, description="The query bar, applied to the issue as `issue` is; see `Query.issues`."
    )


@strawberry.input(description="One step of an order.")
class IssueOrder:
    field: IssueOrderField = strawberry.field(description="By which field.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.DESC, description="Which end comes first.")


@strawberry.input(description="A scope by its names instead of its id.")
class ScopeKey:
    resource_type: str = strawberry.field(description="What kind of thing it is, exactly.")
    resource_name: str = strawberry.field(description="Its name, exactly.")
    resource_namespace: str = strawberry.field(description="Where it lives, exactly.")
