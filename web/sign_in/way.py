"""The way to the sign-in page, and from there to where somebody wanted to go: never to another host."""

import re
from urllib.parse import quote, urlencode

from web.asgi import Scope, Send, respond
from web.graphql_request import Accept

# A path; `//` and `/\` would be a host, and browsers drop tabs and line breaks before they look.
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")


def own_path(given: str | None) -> str:
    """Where to go, if it is a path of ours; else the root."""
    return given if given is not None and _OWN_PATH.fullmatch(given) else "/"


def leads_to_sign_in(scope: Scope) -> bool:
    """Whether this is a browser that somebody sits at, who has shown nothing."""
    names = {name for name, _ in scope["headers"]}
    is_page = scope["type"] == "http" and scope["method"] == "GET" and Accept.of(scope).wants_page()
    return is_page and names.isdisjoint({b"authorization", b"x-api-key"})


async def to_sign_in(scope: Scope, send: Send) -> None:
    """Sends the browser to the page, and from there back here."""
    query = scope["query_string"].decode("latin-1")
    here = quote(scope["path"], safe="/") + (f"?{query}" if query else "")
    asked = own_path(here)
    await redirect(send, "/sign-in" if asked == "/" else f"/sign-in?{urlencode({'next': asked})}")


async def redirect(send: Send, location: str, *cookies: tuple[bytes, bytes]) -> None:
    """Sends the browser elsewhere, by GET, with cookies set on the way."""
    headers = ((b"location", location.encode()), (b"cache-control", b"no-store"), *cookies)
    await respond(send, 303, b"", b"text/plain; charset=utf-8", headers)
