"""`POST /alerts/event` and `/alerts/event/{provider_type}`: definitions do it, the answer is Keep's."""

import json

from webhooks.catalog import Catalog
from webhooks.client import Answered
from webhooks.http import Answer, AsgiApp, AsgiScope, Receive, Send, again, body_of, send_answer
from webhooks.payload import MAX_SLOW_BYTES, Unreadable, read_payload

# The definition of Keep's own shape, and what its tokens are tied to.
WEBHOOK = "keep"
PREFIXES = ("/alerts/event", "/api/alerts/event")
# Types of providers that have another name here.
PROVIDERS = {
    "prometheus": "alertmanager",
    "vmalert": "alertmanager",
    "azuremonitoring": "azure-monitor",
    "gcpmonitoring": "gcp-monitoring",
    "uptimekuma": "uptime-kuma",
    "victoriametrics": "alertmanager",
}


class Keep:
    """`scope["path_params"]` may have `provider_type`. `webhooks` answers for definitions by their names."""

    def __init__(self, catalog: Catalog, webhooks: AsgiApp) -> None:
        self._catalog = catalog
        self._webhooks = webhooks

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await send_answer(send, Answer(405, {"detail": "Method Not Allowed"}), ((b"allow", b"POST"),))
            return
        type = scope["path_params"].get("provider_type", WEBHOOK)
        name = PROVIDERS.get(type, type)
        if not self._catalog.has(name):
            await send_answer(send, Answer(404, {"detail": f"Provider type {type[:100]} not found"}))
            return
        scope["path_params"] = {"name": name}
        answered = Answered()
        try:
            await self._webhooks(scope, await _whole(receive, is_ours=name == WEBHOOK), answered)
        except ConnectionResetError:
            return
        if answered.is_told:
            await send_answer(send, _in_its_words(answered.answer))


def _in_its_words(told: Answer) -> Answer:
    """Once it is kept it is taken, whatever comes of it: the rest of the answer tells."""
    if "delivery" in told.body:
        return Answer(202, {"task_name": told.body["delivery"], **told.body})
    return Answer(told.status, {"detail": told.body.get("details") or told.body["error"], **told.body})


async def _whole(receive: Receive, *, is_ours: bool) -> Receive:
    """The request again; a list of alerts as the one object that a definition sees."""
    body = await body_of(receive)
    if is_ours and body.lstrip()[:1] == b"[":
        # Where more follows the list, the object has no end: it is refused, as whatever cannot be read.
        body = b'{"alerts":' + body + (b"}" if _is_one_value(body) else b"")
    return again(body)


def _is_one_value(body: bytes) -> bool:
    """Whether a body is JSON to its end."""
    try:
        read_payload(None, body)
        if len(body) <= MAX_SLOW_BYTES:
            json.loads(body.decode(errors="replace"), strict=False)
    except (Unreadable, ValueError):
        return False
    return True
