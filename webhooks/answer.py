"""What a sender is told: what came of each item, and a status that says whether to send again."""

from collections.abc import Sequence
from typing import Any

from resolvers.webhooks.plan import DeliveryOutcome, ItemResult, outcome_of
from webhooks.http import Answer

_STATUSES = {
    DeliveryOutcome.HANDLED: 200,
    DeliveryOutcome.UNMATCHED: 202,
    DeliveryOutcome.PARTLY_FAILED: 207,
    DeliveryOutcome.FAILED: 422,
}
_OF_ONE = frozenset({"created", "updated", "reopened", "unchanged"})


def answer_of(id: str, results: Sequence[ItemResult], notices: Sequence[str], public_url: str) -> Answer:
    """The answer for a delivery that is kept."""
    outcome = outcome_of(results)
    status = _STATUSES[outcome]
    if status < 207 and any(result.action == "created" for result in results):
        status = 201
    body: dict[str, Any] = {
        "delivery": id,
        "outcome": outcome.value.lower(),
        "items": [_item(result, public_url) for result in results],
    }
    return Answer(status, body).with_notices(notices)


def _item(result: ItemResult, public_url: str) -> dict[str, Any]:
    item: dict[str, Any] = {"index": result.index, "rule": result.rule, "action": result.action}
    if result.action in _OF_ONE and result.issue_ids:
        id = result.issue_ids[0]
        item["issue"] = {"id": id, "url": f"{public_url}/issues/{id}"}
    elif result.action in ("resolved", "acknowledged"):
        item["issues"] = list(result.issue_ids)
    for name, value in (
        ("namespace", result.namespace),
        ("fingerprint", dict(result.fingerprint)),
        ("message", result.message),
        ("notices", list(result.notices)),
    ):
        if value:
            item[name] = value
    return item
