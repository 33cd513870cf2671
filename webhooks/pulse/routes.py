"""`POST /v1/ingestion/cli`, and `/v1/ingestion/{provider}` for what other tools send in their own words."""

from dataclasses import replace

from resolvers.errors import Invalid
from webhooks.answer import answer_of
from webhooks.catalog import Catalog
from webhooks.client import meets, place_of, received_of
from webhooks.deliver import Deliveries
from webhooks.http import (
    Answer,
    AsgiApp,
    AsgiScope,
    Receive,
    Refused,
    Send,
    again,
    answer_from,
    posted,
    query_of,
    send_answer,
)
from webhooks.pulse.plans import TYPES, BadEvent, plans, read_event

# The name of its deliveries, and what its tokens are tied to.
WEBHOOK = "pulse"
PREFIX = "/v1/ingestion"
CLI = "cli"


class Pulse:
    """`scope["caller"]` says who comes, `scope["path_params"]["provider"]` whose words the body is in.

    `webhooks` is the ASGI callable of definitions by their names: what is no event of Pulse is theirs.
    """

    def __init__(self, catalog: Catalog, deliveries: Deliveries, webhooks: AsgiApp, *, public_url: str) -> None:
        self._catalog = catalog
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._public_url = public_url

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        provider = scope["path_params"]["provider"]
        body = await posted(scope, receive, send)
        if body is None:
            return
        # What a webhook of somebody's own is told, it alone reads: its definition says what is secret of it.
        own = self._catalog.find(provider)
        is_own = own is not None and meets(scope["caller"], query_of(scope), own)
        if provider != CLI and (is_own or not _is_event(body)):
            if not self._catalog.has(provider):
                await send_answer(send, Answer(404, {"error": f"there is no provider {provider[:100]!r}"}))
                return
            scope["path_params"] = {"name": provider}
            await self._webhooks(scope, again(body), send)
            return
        await send_answer(send, await answer_from(self._deliver(scope, body), "an event of Pulse"))

    async def _deliver(self, scope: AsgiScope, body: bytes) -> Answer:
        caller, query = scope["caller"], query_of(scope)
        namespace = place_of(caller, query, credential="key")
        kept = {"namespace": namespace, "system": query.get("system", "")}
        received = received_of(scope, body, webhook=WEBHOOK, event=CLI, query=kept)
        try:
            items = plans(kept, received.body or b"")
        except (BadEvent, Invalid) as bad:
            await self._deliveries.carry_out(replace(received, refused=bad.message), (), caller)
            raise Refused(bad.status if isinstance(bad, BadEvent) else 422, bad.message) from bad
        received = replace(received, event=items[0].rule or CLI)
        results = await self._deliveries.carry_out(received, items, caller)
        return answer_of(received.id, results, (), self._public_url)


def _is_event(body: bytes) -> bool:
    """Whether a body is in Pulse's own words."""
    if b'"$type"' not in body:
        return False
    try:
        return read_event(body).get("$type") in TYPES
    except BadEvent:
        return False
