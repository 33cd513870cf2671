"""The page on which people try the API: GraphiQL, served by ourselves, without any other host."""

import json
import secrets
from html import escape
from pathlib import Path

from resolvers.caller import Caller
from web.asgi import Receive, Scope, Send, respond

_HERE = Path(__file__).parent / "graphiql"
# A style may be inline: the editor on the page makes some as it goes.
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


_OPEN = "<strong>--dev</strong>: this server is open to whoever is on this machine, without a token."
_SIGN_OUT = '<form method="post" action="/sign-out"><button>Sign out</button></form>'


class GraphiqlPage:
    """The ASGI callable that answers with the page. It says whether everybody may come (`is_open`), or who is here."""

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open
        examples = [{"query": text.strip()} for text in (_HERE / "examples.graphql").read_text().split("\n---\n")]
        # In a script element only `</` could end the text early.
        listed = json.dumps(examples).replace("</", "<\\/")
        self._page = (_HERE / "page.html").read_text().replace("{{examples}}", listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = ((b"content-security-policy", _POLICY.format(nonce=nonce).encode()), (b"cache-control", b"no-store"))
        page = self._page.replace("{{nonce}}", nonce).replace("{{who}}", self._who(scope["caller"]))
        await respond(send, 200, page.encode(), b"text/html; charset=utf-8", headers)

    def _who(self, caller: Caller) -> str:
        if self._is_open:
            return _OPEN
        name = f"<span>Signed in as <strong>{escape(caller.actor.name)}</strong></span>"
        return name + (_SIGN_OUT if caller.session else "")
