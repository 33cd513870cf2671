"""What can go wrong on the three ways, as types with codes; transports turn them into their own words."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import GraphQLError


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


class Unavailable(Problem):
    """The database cannot be reached or written just now; nothing was acknowledged."""

    code = "UNAVAILABLE"


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
