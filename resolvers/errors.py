"""What can go wrong on the three ways, as types with codes; transports turn them into their own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from graphql import GraphQLError

# Of a message that quotes what a client sent.
_MOST_CHARACTERS = 500
_KEPT_IN_FRONT, _KEPT_BEHIND = 300, 100


def shortened(message: str) -> str:
    """The message; of a very long one, its two ends."""
    if len(message) <= _MOST_CHARACTERS:
        return message
    return f"{message[:_KEPT_IN_FRONT]} … {message[-_KEPT_BEHIND:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """A rule that the caller's data breaks.

    `code` is a UserErrorCode of the schema, `field` the path into the input as GraphQL spells it,
    `issue_id` the issue that stands in the way (CONFLICT).
    """

    code: str
    field: tuple[str, ...]
    message: str
    issue_id: str | None = None


class Problem(Exception):
    """Something the caller is told about with a code; `code` is the GraphQL `extensions.code`."""

    code = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> Mapping[str, Any]:
        """What GraphQL's `extensions` of the error are."""
        return {"code": self.code}


class Invalid(Problem):
    """The caller's data breaks rules that need no database; lists all of them."""

    code = "BAD_USER_INPUT"

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


class BadRequest(Problem):
    """An argument that no answer exists for (a bad cursor, `first` out of range)."""

    code = "BAD_USER_INPUT"


class Forbidden(Problem):
    """The caller may not do this in a namespace it may otherwise see."""

    code = "FORBIDDEN"


class Overloaded(Problem):
    """More work is waiting than the limits allow; nothing was done, trying again later helps."""

    code = "OVERLOADED"


class TooLarge(Problem):
    """The answer would have more bytes than one may have."""

    code = "TOO_COMPLEX"

    def __init__(self, most: int) -> None:
        super().__init__(f"the answer would have more than {most} bytes: ask for fewer, or for less of each")


class RateLimited(Problem):
    """The caller has spent what it may; nothing was done. `retry_after` are whole seconds."""

    code = "RATE_LIMITED"

    def __init__(self, seconds: float) -> None:
        self.retry_after = max(1, ceil(seconds))
        unit = "second" if self.retry_after == 1 else "seconds"
        super().__init__(f"too many requests: try again in {self.retry_after} {unit}")

    @property
    def extensions(self) -> Mapping[str, Any]:
        """The code, and when to come again."""
        return {"code": self.code, "retryAfter": self.retry_after}

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What HTTP says of it."""
        return ((b"retry-after", str(self.retry_after).encode()),)


class Unavailable(Problem):
    """The database cannot be reached or written just now; nothing was acknowledged."""

    code = "UNAVAILABLE"


# Of a field that did.
TOO_SLOW = "it took too long: narrow it by `where`, or leave out `totalCount`"


class TimedOut(Problem):
    """An answer took the database longer than the limit."""

    code = "TIMEOUT"


class PositionExpired(Problem):
    """A position older than the log keeps, or one of another log."""

    code = "POSITION_EXPIRED"


class Unplannable(Problem):
    """A selection that the read planner has no plan for."""

    code = "UNPLANNABLE"


class RequestError(Exception):
    """The GraphQL request itself is wrong (syntax, validation, operation name, variables): nothing was run."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)
