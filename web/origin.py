"""Which pages of the web are this server's own: those of its origin, that is scheme, host and port."""

from urllib.parse import urlsplit

from web.asgi import Scope, header

# What a page elsewhere cannot make a browser send without asking first, and then we say no.
_OWN_HEADERS = (b"graphql-require-preflight", b"apollo-require-preflight")
_SCHEMES = {"ws": "http", "wss": "https"}
_PORTS = {"http": ":80", "https": ":443"}


class OwnPages:
    """Tells pages of this server from others.

    `url` is what people call it. When that begins with https, a request for its host came by https, whatever a proxy in
    between has made of it; else a request says itself how it came.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.lower())
        self._host = parts.netloc.removesuffix(_PORTS.get(parts.scheme, ""))
        self._is_https = parts.scheme == "https"

    def has(self, origin: str, scope: Scope) -> bool:
        """Whether an origin is that of the server that the request is for."""
        host = (header(scope, b"host") or "").lower()
        given = scope.get("scheme", "http")
        scheme = _SCHEMES.get(given, given)
        if self._is_https and host.removesuffix(":443") == self._host:
            scheme, host = "https", self._host
        return origin.lower() == f"{scheme}://{host}"

    def sent(self, scope: Scope) -> bool:
        """Whether one of them had the browser send a request, or a client that is no browser and says so."""
        origin, site = header(scope, b"origin"), header(scope, b"sec-fetch-site")
        if origin is not None:
            return self.has(origin, scope) and site in (None, "same-origin")
        if site is not None:
            return site == "same-origin"
        return any(header(scope, name) for name in _OWN_HEADERS)

    def sent_or_opened(self, scope: Scope, *, as_page: bool) -> bool:
        """The same, or somebody who opened the address: by hand, from a bookmark, by a link. They see what comes of it.

        `as_page`: whether a page is wanted, which tells where a browser does not say more.
        """
        mode = header(scope, b"sec-fetch-mode")
        is_opened = header(scope, b"sec-fetch-dest") == "document" if mode == "navigate" else mode is None and as_page
        return (is_opened and header(scope, b"origin") is None) or self.sent(scope)
