"""What a delivery is to become, and what came of it, item by item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resolvers.mutation.command import Command

# What can come of an item where all is well; `recorded` is of what is kept and is no issue.
HANDLED_ACTIONS = frozenset(
    {"created", "updated", "reopened", "unchanged", "resolved", "acknowledged", "recorded", "ignored"}
)
UNMATCHED_ACTION = "unmatched"
FAILED_ACTION = "failed"


class DeliveryOutcome(StrEnum):
    """What came of a delivery as a whole."""

    HANDLED = "HANDLED"
    UNMATCHED = "UNMATCHED"
    PARTLY_FAILED = "PARTLY_FAILED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one item of a delivery is to become: a command, or an `action` of its own (ignored, unmatched, failed).

    `index` is its place in the delivery, `rule` the name of the rule that matched, `message` why it is ignored or
    failed. `namespace`: the one that it is about, also where there is no command: who may MANAGE there may read it.
    `untold` is the time in its command that stands for one that the delivery does not tell.
    """

    index: int
    rule: str | None = None
    command: "Command | None" = None
    action: str | None = None
    message: str | None = None
    notices: tuple[str, ...] = ()
    namespace: str | None = None
    untold: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What came of one item: `action` is one of HANDLED_ACTIONS, `unmatched` or `failed`, `message` says why.

    `fingerprint` has all parts of the issue's, as (name, value).
    """

    index: int
    action: str
    rule: str | None = None
    message: str | None = None
    notices: tuple[str, ...] = ()
    namespace: str | None = None
    issue_ids: tuple[str, ...] = ()
    fingerprint: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A delivery as it came in, without credentials. `id` is a UUIDv7, `at` a time in the form of our rows.

    `body` is None where it is not kept. `refused`: why the sender was turned away, or the body could not be read;
    then there are no items.
    """

    id: str
    webhook: str
    version: int | None = None
    at: str
    delivery_key: str | None = None
    event: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    body: bytes | None = None
    body_bytes: int = 0
    refused: str | None = None


def outcome_of(results: Sequence[ItemResult], *, refused: str | None = None) -> DeliveryOutcome:
    """What came of a delivery whose items came to these: HANDLED is one of which nothing is left to do."""
    if refused is not None:
        return DeliveryOutcome.REFUSED
    actions = {result.action for result in results}
    if FAILED_ACTION in actions:
        return DeliveryOutcome.FAILED if actions == {FAILED_ACTION} else DeliveryOutcome.PARTLY_FAILED
    return DeliveryOutcome.UNMATCHED if UNMATCHED_ACTION in actions else DeliveryOutcome.HANDLED
