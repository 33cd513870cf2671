"""The page on which people try the API: GraphiQL, served by ourselves, without any other host."""

import json
import secrets
from pathlib import Path

from web.asgi import Receive, Scope, Send, respond

_HERE = Path(__file__).parent / "graphiql"
# A style may be inline: the editor on the page makes some as it goes.
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class GraphiqlPage:
    """The ASGI callable that answers with the page."""

    def __init__(self) -> None:
        examples = [{"query": text.strip()} for text in (_HERE / "examples.graphql").read_text().split("\n---\n")]
        # In a script element only `</` could end the text early.
        listed = json.dumps(examples).replace("</", "<\\/")
        self._page = (_HERE / "page.html").read_text().replace("{{examples}}", listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = ((b"content-security-policy", _POLICY.format(nonce=nonce).encode()), (b"cache-control", b"no-cache"))
        await respond(send, 200, self._page.replace("{{nonce}}", nonce).encode(), b"text/html; charset=utf-8", headers)
