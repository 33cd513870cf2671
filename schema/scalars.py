"""The scalars that are ours; in Python a time and a position are plain text, as rows and JSON hold them."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from models.values import parse_time

DateTime = NewType("DateTime", str)
JSON = NewType("JSON", object)
LogPosition = NewType("LogPosition", str)


def parse_date_time(value: object) -> str:
    """A time from a client, in the form of our rows: UTC, six digits and Z. Raises GraphQLError when it is none."""
    if not isinstance(value, str):
        raise GraphQLError("DateTime must be a string, such as 2026-01-31T08:15:00.000000Z")
    try:
        return parse_time(value)
    except ValueError as error:
        raise GraphQLError(f"{error}; DateTime is written like 2026-01-31T08:15:00.000000Z") from None


def parse_log_position(value: object) -> str:
    """A position from a client, as text; the log decides whether it is one of its own."""
    if not isinstance(value, str):
        raise GraphQLError("LogPosition must be a string that this server gave")
    return value


def unchanged(value: Any) -> Any:
    """What comes from rows and from the log is already as clients see it."""
    return value


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description=(
            "A moment in RFC 3339. Given back in UTC with microseconds (`2026-01-31T08:15:00.000000Z`); "
            "taken with any offset, digits past the microsecond are cut."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=unchanged,
        parse_value=parse_date_time,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=unchanged,
        parse_value=unchanged,
    ),
    LogPosition: strawberry.scalar(
        name="LogPosition",
        description=(
            "A place in the event log. Opaque but for its order: all positions have the same length, so comparing two "
            "as strings tells which is earlier. Holds the identity of the log: one from another log (a restored or "
            "replaced database) is refused as POSITION_EXPIRED."
        ),
        serialize=unchanged,
        parse_value=parse_log_position,
    ),
}
