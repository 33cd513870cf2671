"""The enums, and the one place where the database's words meet GraphQL's names.

The name of a member is what clients see (`CRITICAL`), its value is the database's word (`critical`). Members are
`str`: a coerced variable or literal (`graphql.execution.values`) is the member, equal to the word and bound as it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import strawberry


class Word(StrEnum):
    """An enum whose members are written `NAME = "word", "what it means"`."""

    description: str

    def __new__(cls, word: str, description: str = "") -> "Word":
        member = str.__new__(cls, word)
        member._value_ = word
        member.description = description
        return member


Words = TypeVar("Words", bound=Word)


def enum(description: str) -> Callable[[type[Words]], type[Words]]:
    """Publish the class as an enum of the schema, each value with its own description."""

    def publish(words: type[Words]) -> type[Words]:
        strawberry.enum(words, description=description)
        for value in words.__strawberry_definition__.values:  # type: ignore[attr-defined]
            value.description = words(value.value).description
        return words

    return publish


@enum("How bad it is, in rising order.")
class Severity(Word):
    INFO = "info", "Good to know; nothing is held up."
    MINOR = "minor", "A nuisance that can wait."
    MAJOR = "major", "Somebody's work is held up."
    CRITICAL = "critical", "Needs a person now."


@enum("What kind of work went wrong.")
class IssueType(Word):
    BUILD = "build", "Building from source."
    TEST = "test", "Tests."
    RELEASE = "release", "A release or deployment."
    DEPENDENCY = "dependency", "Something that is used: a package, an image, a vulnerability in one."
    PIPELINE = "pipeline", "A pipeline as such."
    INCIDENT = "incident", "Trouble in a running service."


@enum("Whether it still is broken.")
class IssueState(Word):
    ACTIVE = "ACTIVE", "Broken now."
    RESOLVED = "RESOLVED", "No longer broken."


@enum(
    "How source stands to target. CAUSED_BY: target caused source. "
    "RECURRENCE_OF: target is the earlier, resolved issue of the same fingerprint."
)
class RelationKind(Word):
    RELATED = "RELATED", "They have something to do with each other; has no direction."
    CAUSED_BY = "CAUSED_BY", "The target caused the source."
    DUPLICATE_OF = "DUPLICATE_OF", "The source is the same problem as the target."
    RECURRENCE_OF = "RECURRENCE_OF", "The target is the earlier, resolved issue of the same fingerprint."


@enum("From the given issue: OUT follows source to target, IN target to source.")
class RelationDirection(Word):
    OUT = "OUT", "From source to target."
    IN = "IN", "From target to source."
    BOTH = "BOTH", "Either way."


@enum("What happened to an issue.")
class IssueEventKind(Word):
    CREATED = "CREATED", "Reported for the first time; `changes` holds every field."
    OCCURRED = "OCCURRED", "Reported again by another run while it was active."
    UPDATED = "UPDATED", "Fields were changed by hand, or it moved in from another namespace."
    ACKNOWLEDGED = "ACKNOWLEDGED", "Somebody said that they are on it."
    UNACKNOWLEDGED = "UNACKNOWLEDGED", "That was taken back."
    RESOLVED = "RESOLVED", "No longer broken."
    REOPENED = "REOPENED", "Broken again: the same issue is active once more."
    RELATED = "RELATED", "A relation to another issue was drawn."
    UNRELATED = "UNRELATED", "A relation to another issue was removed."
    DELETED = "DELETED", "The issue is gone."


@enum("Which end comes first.")
class OrderDirection(Word):
    ASC = "ASC", "Smallest or oldest first."
    DESC = "DESC", "Greatest or newest first."


@enum("What kind of thing did something.")
class ActorKind(Word):
    PERSON = "PERSON", "Somebody."
    TOKEN = "TOKEN", "A client known by its token."
    WEBHOOK = "WEBHOOK", "A tool that reports by webhook."
    RULE = "RULE", "A rule of this server, such as drawing RECURRENCE_OF."
    SYSTEM = "SYSTEM", "The server itself."


@enum("How wide one point of a series is; all begin on whole units of UTC, weeks on Monday.")
class TimeBucket(Word):
    MINUTE = "MINUTE", "One minute."
    HOUR = "HOUR", "One hour."
    DAY = "DAY", "One day."
    WEEK = "WEEK", "Seven days from Monday."


@enum(
    "Null times come last in both directions; ties are broken by id. "
    "The default order is DETECTED_AT DESC, as REST: it does not move while pages are walked."
)
class IssueOrderField(Word):
    DETECTED_AT = "DETECTED_AT", "When it was first seen."
    LAST_DETECTED_AT = "LAST_DETECTED_AT", "When it was last seen."
    CREATED_AT = "CREATED_AT", "When this server first heard of it."
    UPDATED_AT = "UPDATED_AT", "When it last changed."
    RESOLVED_AT = "RESOLVED_AT", "When it was resolved."
    SEVERITY = "SEVERITY", "How bad it is: INFO, MINOR, MAJOR, CRITICAL."
    OCCURRENCE_COUNT = "OCCURRENCE_COUNT", "How many runs reported it."
    TITLE = "TITLE", "By title, case aside."


@enum(
    "What a grant allows; none implies another. REPORT: webhooks, createIssue, resolveScope, and reading back what was "
    "reported, not its neighbours. RESPOND: act on any issue by id, relate. MANAGE: delete, webhooks, deliveries. "
    "ADMIN: tokens, settings."
)
class Permission(Word):
    READ = "READ", "See issues, their relations and their log."
    REPORT = "REPORT", "Webhooks, createIssue, resolveScope, and reading back what was reported, not its neighbours."
    RESPOND = "RESPOND", "Act on any issue by id, and relate issues."
    MANAGE = "MANAGE", "Delete issues; webhooks and deliveries."
    ADMIN = "ADMIN", "Tokens and settings."


@enum("Why the caller's data was refused.")
class UserErrorCode(Word):
    REQUIRED = "REQUIRED", "It must be given, and neither null nor empty."
    INVALID = "INVALID", "It is not of the form that is asked for."
    TOO_LONG = "TOO_LONG", "The text is longer than the limit."
    TOO_MANY = "TOO_MANY", "The list is longer than the limit."
    NOT_FOUND = "NOT_FOUND", "No such thing, or not for this caller."
    CONFLICT = "CONFLICT", "Something stands in the way: another issue, see `issue`, or what was done meanwhile."
    SELF_RELATION = "SELF_RELATION", "An issue cannot be related to itself."
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH", "The same idempotency key came before with other values."


@enum(
    "REOPENED: resolved so recently that the reopen window still held. "
    "UNCHANGED: a run already known, or older than the resolve."
)
class CreateIssueAction(Word):
    CREATED = "CREATED", "A new issue."
    UPDATED = "UPDATED", "The active issue of this fingerprint took the report."
    REOPENED = "REOPENED", "The resolved issue is active again: the reopen window still held."
    UNCHANGED = "UNCHANGED", "Nothing was written: a run already known, or older than the resolve."


@enum("What came of a delivery.")
class DeliveryOutcome(Word):
    HANDLED = "HANDLED", "Every item was handled, or ignored by a rule."
    UNMATCHED = "UNMATCHED", "An item met no rule, and none failed."
    PARTLY_FAILED = "PARTLY_FAILED", "Some items failed."
    FAILED = "FAILED", "All items failed."
    REFUSED = "REFUSED", "The sender did not show who it is, or the body could not be read."


@enum("What came of an item of a delivery.")
class DeliveryAction(Word):
    CREATED = "created", "A new issue."
    UPDATED = "updated", "The active issue of this fingerprint took the report."
    REOPENED = "reopened", "The resolved issue is active again."
    UNCHANGED = "unchanged", "A run already known, or older than the resolve."
    RESOLVED = "resolved", "The active issues that it is about were resolved; there may have been none."
    ACKNOWLEDGED = "acknowledged", "The active issues that it is about were acknowledged."
    RECORDED = "recorded", "Kept; it is about no issue."
    IGNORED = "ignored", "A rule says that nothing is to be done."
    UNMATCHED = "unmatched", "No rule matched."
    FAILED = "failed", "It could not be done; the message says why."


@enum(
    "Against the subscription's `where`: the issue came in, was and is in, or went out "
    "(resolved, changed, moved, deleted)."
)
class IssueMatch(Word):
    ENTERED = "ENTERED", "It matches now and did not before: add it to the list."
    STAYED = "STAYED", "It matched before and still does: refresh it."
    LEFT = "LEFT", "It no longer matches: take it off the list."
