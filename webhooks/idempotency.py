"""The header Idempotency-Key: a request that comes again with its key is not done again."""

from dataclasses import replace
from typing import TypeVar

from resolvers.mutation import (
    CreateIssue,
    DeleteIssue,
    Outcome,
    RelateIssues,
    ResolveIssue,
    ResolveScope,
    UnrelateIssues,
    UpdateIssue,
)
from resolvers.mutation.limits import MAX_IDEMPOTENCY_KEY_LENGTH
from webhooks.http import AsgiScope, Refused, header

HEADER = b"idempotency-key"

Keyed = TypeVar(
    "Keyed",
    bound=CreateIssue | ResolveScope | UpdateIssue | ResolveIssue | DeleteIssue | RelateIssues | UnrelateIssues,
)


def key_of(scope: AsgiScope) -> str | None:
    """The key of a request. Raises Refused for one that is too long, or not printable ASCII."""
    key = header(scope, HEADER)
    if key is None or (0 < len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH and key.isascii() and key.isprintable()):
        return key
    details = f"it must have 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} characters, all of them printable ASCII"
    raise Refused(400, "Invalid Idempotency-Key header", details)


def keyed(command: Keyed, key: str | None) -> Keyed:
    """The command with its key."""
    return command if key is None else replace(command, idempotency_key=key)


def checked(outcome: Outcome) -> Outcome:
    """The outcome. Raises Refused when the key was another request's."""
    if any(error.code == "IDEMPOTENCY_MISMATCH" for error in outcome.errors):
        details = "within the last 24 hours this key came with another request, which was done; this one was not"
        raise Refused(422, "Idempotency key was used for another request", details)
    return outcome
