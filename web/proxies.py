"""Who a request comes from, and whether by https, as the proxies say that are trusted."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, cast

from web.asgi import App, Receive, Scope, Send

# What stands for the address of the proxy itself in a scope, while it is being asked.
_PROXY = "issuegraph.proxy"
_MAX_LENGTH = 45


def behind(proxies: Sequence[str], app: App) -> App:
    """Believes these proxies, as far as what they say is an address: else the request is the proxy's own."""
    if not proxies:
        return app
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        proxy = scope.pop(_PROXY, None)
        said = scope.get("client")
        if said is not None and said != proxy:
            address = address_in(said[0])
            scope["client"] = proxy if address is None else (address, said[1])
        await app(scope, receive, send)

    believing = cast(App, ProxyHeadersMiddleware(cast(Any, checked), [*proxies]))

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope[_PROXY] = scope.get("client")
        await believing(scope, receive, send)

    return noted


def address_in(text: str) -> str | None:
    """The IP address that this is, in the one way to write it; None for anything else."""
    # The zone of an address may be any text.
    if len(text) > _MAX_LENGTH or "%" in text:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
