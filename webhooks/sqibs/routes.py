"""`POST /v1/process?from=`: any payload, answered as SQIBS does."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from resolvers.webhooks.plan import Received
from webhooks.answer import answer_of
from webhooks.catalog import Catalog, StoredWebhook
from webhooks.client import Answered, meets, place_of, received_of
from webhooks.definition import DefinitionError
from webhooks.deliver import Deliveries, planned
from webhooks.http import Answer, AsgiApp, AsgiScope, Receive, Send, again, answer_from, posted, query_of, send_answer
from webhooks.receive import DEFAULT_LOGS_URL
from webhooks.sqibs.plans import DEFAULT, NAME, Call, has_something, name_of, without_proof

# The name of its deliveries that are no other webhook's, and what its tokens are tied to.
WEBHOOK = NAME


class Sqibs:
    """The ASGI callable of the path; `scope["caller"]` says who comes.

    `webhooks` is the ASGI callable of definitions by their names: what they have something to do with is theirs.
    """

    def __init__(
        self,
        catalog: Catalog,
        deliveries: Deliveries,
        webhooks: AsgiApp,
        *,
        public_url: str,
        logs_url: str = DEFAULT_LOGS_URL,
    ) -> None:
        self._catalog = catalog
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._public_url = public_url
        self._settings = {"logsUrl": logs_url}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        body = await posted(scope, receive, send)
        if body is None:
            return
        await send_answer(send, in_its_words(await answer_from(self._deliver(scope, body), "a call for SQIBS")))

    async def _deliver(self, scope: AsgiScope, body: bytes) -> Answer:
        caller, query = scope["caller"], query_of(scope)
        source = query.get("from", "")
        name = name_of(source)
        stored = self._catalog.find(name) if name else None
        if stored is not None and not meets(caller, query, stored):
            # Somebody else's who took the name.
            stored = None
        if stored is not None and stored.enabled:
            return await self._of_webhook(name, scope, body)
        namespace = place_of(caller, query, credential="token")
        kept = {**query, "namespace": namespace}
        received = received_of(scope, body, webhook=WEBHOOK, event=source[:200], query=kept)
        shown = received.body or b""
        received = await self._kept(received, source, stored)
        call = Call(received=received, body=shown, caller=caller, settings=self._settings)
        shipped = self._catalog.shipped.get(name)
        if shipped is not None and call.is_readable:
            is_theirs = await has_something(call.by(shipped)) or not await has_something(call.by(DEFAULT))
            if is_theirs:
                return await self._of_webhook(name, scope, body)
        results = await self._deliveries.carry_out(received, await planned(call.by(DEFAULT)), caller)
        return answer_of(received.id, results, (), self._public_url)

    async def _of_webhook(self, name: str, scope: AsgiScope, body: bytes) -> Answer:
        """A delivery to the webhook of that name: verified, masked and kept as its definition says."""
        scope["path_params"] = {"name": name}
        answered = Answered()
        await self._webhooks(scope, again(body), answered)
        return answered.answer

    async def _kept(self, received: Received, source: str, stored: StoredWebhook | None) -> Received:
        """What may be kept of a call where the webhook of its source, a disabled one too, has nothing to do with it."""
        try:
            if stored is not None and not self._catalog.is_compiled(stored):
                await asyncio.to_thread(self._catalog.definition_of, stored)
            definition = self._catalog.shipped.get(name_of(source))
            if stored is not None:
                # Once it is gone, nobody knows what it masked.
                received = replace(received, version=stored.version)
                definition = self._catalog.definition_of(stored)
        except DefinitionError:
            return replace(received, headers={}, body=None)
        if definition is None:
            return received
        keeps = definition.keep_bodies and (stored is None or stored.keep_bodies)
        return without_proof(replace(received, body=received.body if keeps else None), definition)


def in_its_words(told: Answer) -> Answer:
    """SQIBS's answer for a delivery that is kept; of others our own."""
    if "delivery" not in told.body:
        return told
    items = told.body["items"]
    actions = {item["action"] for item in items}
    created = bool(actions & {"created", "reopened"})
    resolved = any(item["action"] == "resolved" and item["issues"] for item in items)
    rest: Mapping[str, object] = {name: value for name, value in told.body.items() if name != "delivery"}
    body = {
        "id": told.body["delivery"],
        "resolved": {"duplicate": "resolved" in actions and not resolved, "resolved": resolved},
        "triggered": {"duplicate": bool(actions & {"updated", "unchanged"}), "created": created},
        **rest,
    }
    if actions <= {"unmatched", "ignored"}:
        return Answer(202, body)
    return Answer(201 if created else 422 if actions == {"failed"} else 200, body)
