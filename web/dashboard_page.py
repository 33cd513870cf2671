"""The live page: one file that loads the rest from /static/dashboard, and the documents that it asks for."""

from pathlib import Path

from web.asgi import App, Headers, Receive, Scope, Send, refuse, respond
from web.graphql_request import Accept
from web.trusted_documents import read_manifest

# What `make setup` builds of web/dashboard.
BUILT = Path(__file__).parent / "static" / "dashboard"
# `/issues/{id}` is for programs too.
PAGE_PATHS = ("/", "/issues", "/graph/{id}", "/webhooks", "/webhooks/{name}", "/deliveries", "/deliveries/{id}")
# 'self' is the socket too.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    b" form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Headers = (
    (b"content-security-policy", _POLICY),
    (b"cache-control", b"no-cache"),
    (b"vary", b"Accept"),
)
_NOT_BUILT = "The page is not built here: `make setup` builds it"


def page_documents() -> dict[str, str]:
    """The documents of the page by their ids; none where it is not built. Raises ManifestError."""
    path = BUILT / "documents.json"
    return read_manifest(str(path)) if path.exists() else {}


class DashboardPage:
    """The ASGI callable that answers with the page, whatever the path: the page reads where it is."""

    def __init__(self) -> None:
        path = BUILT / "index.html"
        self._page = path.read_bytes() if path.exists() else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", ((b"allow", b"GET, HEAD"),))
        elif self._page is None:
            await refuse(send, 404, _NOT_BUILT)
        else:
            await respond(send, 200, self._page, b"text/html; charset=utf-8", _HEADERS, is_shared=True)


class ForPeople:
    """The ASGI callable that shows the page to a browser that somebody sits at, and `others` to programs."""

    def __init__(self, page: App, others: App) -> None:
        self._page = page
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = self._page if Accept.of(scope).wants_page() else self._others
        await shown(scope, receive, send)
