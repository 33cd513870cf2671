"""Headers that tell a browser what it may not do with an answer. Made once; an answer only has them appended."""

from collections.abc import Iterable

from web.asgi import Headers

CSP = b"content-security-policy"
_YEAR_SECONDS = 31_536_000

# Of answers that are no pages, should a browser show one.
_NO_PAGE: Headers = (
    (CSP, b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PAGE: Headers = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ALL: Headers = (
    (b"x-content-type-options", b"nosniff"),
    # With none at all, browsers would say `Origin: null` when a form of ours is sent.
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class Protection:
    """The headers for an answer: one that has a Content-Security-Policy of its own is a page."""

    def __init__(self, *, https: bool) -> None:
        """`https`: browsers get here by https alone, and are told to remember that for a year."""
        only_https: Headers = ((b"strict-transport-security", b"max-age=%d" % _YEAR_SECONDS),) if https else ()
        self._page: Headers = (*_ALL, *_PAGE, *only_https)
        self._no_page: Headers = (*_ALL, *_NO_PAGE, *only_https)

    def of(self, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """What is appended to these headers."""
        for name, _ in headers:
            if name == CSP:
                return self._page
        return self._no_page
