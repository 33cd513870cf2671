"""`POST /v1/process?from=`: any payload, answered as SQIBS does."""

import logging
from collections.abc import Sequence

from resolvers.errors import Forbidden, Overloaded, Unavailable
from resolvers.webhooks.plan import ItemResult
from webhooks.answer import answer_of
from webhooks.catalog import Catalog
from webhooks.client import place_of, received_of
from webhooks.deliver import Deliveries
from webhooks.http import Answer, AsgiScope, Receive, Refused, Send, posted, query_of, send_answer
from webhooks.sqibs.plans import NAME, plans

log = logging.getLogger(__name__)

# The name of its deliveries, and what its tokens are tied to.
WEBHOOK = NAME
PATH = "/v1/process"


class Sqibs:
    """The ASGI callable of the path; `scope["caller"]` says who comes."""

    def __init__(self, catalog: Catalog, deliveries: Deliveries, *, public_url: str) -> None:
        self._catalog = catalog
        self._deliveries = deliveries
        self._public_url = public_url

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        body = await posted(scope, receive, send)
        if body is None:
            return
        await send_answer(send, await self._answer(scope, body))

    async def _answer(self, scope: AsgiScope, body: bytes) -> Answer:
        try:
            return await self._deliver(scope, body)
        except Refused as refused:
            return refused.answer
        except Forbidden as forbidden:
            return Answer(403, {"error": forbidden.message})
        except (Overloaded, Unavailable) as problem:
            return Answer(503, {"error": problem.message})
        except Exception:
            log.exception("a call for SQIBS")
            return Answer(500, {"error": "internal error"})

    async def _deliver(self, scope: AsgiScope, body: bytes) -> Answer:
        caller, query = scope["caller"], query_of(scope)
        namespace = place_of(caller, query, credential="token")
        kept = {**query, "namespace": namespace}
        received = received_of(scope, body, webhook=WEBHOOK, event=query.get("from", "")[:200], query=kept)
        made = plans(self._catalog, kept, received.headers, received.content_type, body, caller)
        results = await self._deliveries.carry_out(received, made, caller)
        told = answer_of(received.id, results, (), self._public_url)
        return _in_its_words(received.id, results, told)


def _in_its_words(id: str, results: Sequence[ItemResult], told: Answer) -> Answer:
    actions = {result.action for result in results}
    created = bool(actions & {"created", "reopened"})
    resolved = any(result.action == "resolved" and result.issue_ids for result in results)
    body = {
        "id": id,
        "resolved": {"duplicate": "resolved" in actions and not resolved, "resolved": resolved},
        "triggered": {"duplicate": bool(actions & {"updated", "unchanged"}), "created": created},
        "outcome": told.body["outcome"],
        "items": told.body["items"],
    }
    if actions <= {"unmatched", "ignored"}:
        return Answer(202, body)
    return Answer(201 if created else 422 if actions == {"failed"} else 200, body)
