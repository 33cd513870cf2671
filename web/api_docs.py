"""What programs and people read about the API: the OpenAPI document, a page that shows it, and the GraphQL schema."""

import orjson

from schema import sdl
from web.asgi import App, Headers, Receive, Scope, Send, refuse, respond
from web.health import VERSION
from webhooks.definition import Shipped
from webhooks.openapi import document

_ALLOWED: Headers = ((b"allow", b"GET, HEAD"),)
# The page's own styles are made as it goes.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>issuegraph \xc2\xb7 REST</title>
  <link rel="stylesheet" href="/static/vendor/swagger-ui.css">
</head>
<body>
  <div id="docs">Loading&hellip;</div>
  <script src="/static/vendor/swagger-ui-bundle.js"></script>
  <script src="/static/api-docs.js"></script>
</body>
</html>
"""


class Text:
    """The ASGI callable that answers GET with one text."""

    def __init__(self, body: bytes, content_type: bytes, headers: Headers = ()) -> None:
        self._body = body
        self._content_type = content_type
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await respond(send, 200, self._body, self._content_type, self._headers, is_shared=True)
        else:
            await refuse(send, 405, "Method not allowed", _ALLOWED)


def openapi(shipped: Shipped, url: str) -> App:
    """`/openapi.json`."""
    told = document(shipped, version=VERSION, url=url)
    return Text(orjson.dumps(told), b"application/json; charset=utf-8")


def page() -> App:
    """`/docs`: the same for people; it needs no other host."""
    return Text(_PAGE, b"text/html; charset=utf-8", ((b"content-security-policy", _POLICY),))


def graphql_schema() -> App:
    """`/schema.graphql`."""
    return Text(sdl().encode(), b"text/plain; charset=utf-8")
