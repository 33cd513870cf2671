"""What the doors of other products' clients share: a delivery as it is kept and counted, an answer in their words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from models.values import new_id, now
from resolvers.caller import Caller, Permission
from resolvers.webhooks.plan import DeliveryOutcome, ItemResult, Plan, Received, outcome_of
from webhooks.catalog import StoredWebhook
from webhooks.credentials import SECRET_HEADERS, body_without_tokens, without_secrets
from webhooks.deliver import Deliveries
from webhooks.evaluate import Places
from webhooks.http import Answer, AsgiScope, Message, Refused, header, headers_of


@dataclass(frozen=True, slots=True)
class Counted:
    """Deliveries to a client's `path`: `outcomes` counts what came of them; those that could not be kept FAILED."""

    deliveries: Deliveries
    path: str
    outcomes: Counter[tuple[str, str]]

    async def carry_out(self, received: Received, plans: Sequence[Plan], caller: Caller) -> list[ItemResult]:
        """See resolvers.webhooks.deliveries."""
        outcome = DeliveryOutcome.FAILED
        try:
            results = await self.deliveries.carry_out(received, plans, caller)
            outcome = outcome_of(results, refused=received.refused)
        finally:
            self.outcomes[self.path, outcome.value] += 1
        return results


def place_of(caller: Caller, query: Mapping[str, str], *, credential: str) -> str:
    """The namespace that a call is about; `credential` is the client's word for a token.

    Raises Refused and Forbidden.
    """
    places = Places(caller, query)
    namespace = places.asked or places.only
    if namespace is None:
        places.check_any()
        details = f"the {credential} reports to more than one namespace: add ?namespace=, or use a {credential} for one"
        raise Refused(400, "Missing namespace", details)
    return places.check(namespace)


def meets(caller: Caller, query: Mapping[str, str], webhook: StoredWebhook) -> bool:
    """Whether a call can be for a webhook that bears its name: its owner may report where the caller does."""
    if not caller.grants:
        # Whoever has no token shows a secret of the webhook.
        return True
    namespace = query.get("namespace")
    if namespace:
        return webhook.sender.may(Permission.REPORT, namespace)
    mine, theirs = caller.namespaces(Permission.REPORT), webhook.sender.namespaces(Permission.REPORT)
    return mine.overlaps(theirs)


def received_of(
    scope: AsgiScope,
    body: bytes,
    *,
    webhook: str,
    event: str,
    query: Mapping[str, str],
) -> Received:
    """`query`: what is needed beside the body to make plans of it again. Credentials are left out."""
    return Received(
        id=new_id(),
        webhook=webhook,
        at=now(),
        event=event,
        headers=without_secrets(headers_of(scope), SECRET_HEADERS),
        query=without_secrets(query),
        content_type=header(scope, b"content-type"),
        body=body_without_tokens(body),
        body_bytes=len(body),
    )


class Answered:
    """Takes an answer in the place of the client."""

    def __init__(self) -> None:
        self._status = 0
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._body += message.get("body", b"")

    @property
    def is_told(self) -> bool:
        """Whether there is one: a client that went away gets none."""
        return self._status != 0

    @property
    def answer(self) -> Answer:
        """What was told, which is JSON."""
        return Answer(self._status, orjson.loads(self._body))
