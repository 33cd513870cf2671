"""What went wrong, as GraphQL tells it: errors with a message and `extensions.code`."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from resolvers.errors import Problem, RequestError, shortened

logger = logging.getLogger(__name__)


def errors_of(error: Exception) -> list[dict[str, Any]]:
    """The errors of an answer. What was our own mistake says nothing but an id that is in the log."""
    if isinstance(error, RequestError):
        return [_of_request(each) for each in error.errors]
    return [error_of(error)]


def error_of(error: Exception) -> dict[str, Any]:
    """One error, with the path and the locations that it has."""
    if not isinstance(error, GraphQLError):
        return _told(error)
    cause = cause_of(error)
    formatted: dict[str, Any] = {**error.formatted, "message": shortened(error.message)}
    if cause is None or isinstance(cause, GraphQLError):
        formatted.setdefault("extensions", {"code": "BAD_USER_INPUT"})
        return formatted
    return formatted | _told(cause)


def cause_of(error: GraphQLError) -> Exception | None:
    """What was raised, if it is not only GraphQL's."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause


def _of_request(error: GraphQLError) -> dict[str, Any]:
    formatted: dict[str, Any] = {**error.formatted, "message": shortened(error.message)}
    formatted.setdefault("extensions", {"code": "BAD_REQUEST"})
    return formatted


def _told(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Problem):
        return {"message": shortened(error.message), "extensions": error.extensions}
    id = secrets.token_hex(8)
    logger.error("error %s", id, exc_info=error)
    return {"message": f"Internal error {id}", "extensions": {"code": "INTERNAL"}}
