"""`POST /alerts/event` and `/alerts/event/{provider_type}`: definitions do it, the answer is Keep's."""

import orjson

from webhooks.catalog import Catalog
from webhooks.http import Answer, AsgiApp, AsgiScope, Message, Receive, Send, again, body_of, send_answer

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
        answer = _Answered()
        try:
            await self._webhooks(scope, await _whole(receive, is_ours=name == WEBHOOK), answer)
        except ConnectionResetError:
            return
        if answer.is_told:
            await send_answer(send, answer.in_its_words())


class _Answered:
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
        return self._status != 0

    def in_its_words(self) -> Answer:
        """Once it is kept it is taken, whatever comes of it: the rest of the answer tells."""
        told = orjson.loads(self._body)
        if "delivery" in told:
            return Answer(202, {"task_name": told["delivery"], **told})
        return Answer(self._status, {"detail": told.get("details") or told["error"], **told})


async def _whole(receive: Receive, *, is_ours: bool) -> Receive:
    """The request again; a list of alerts as the one object that a definition sees."""
    body = await body_of(receive)
    if is_ours and body.lstrip()[:1] == b"[":
        body = b'{"alerts":' + body + b"}"
    return again(body)
