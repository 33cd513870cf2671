"""REST requests are charged like operations."""

from resolvers.errors import RateLimited
from web.asgi import App, Receive, Scope, Send, refuse
from web.buckets import Buckets

# Whatever is asked: a tool that reports everything at once stays far below what fits.
REQUEST_COST = 10


class Charged:
    """ASGI middleware: charges each request to its caller, and answers 429 to who has nothing left."""

    def __init__(self, app: App, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._buckets.spend(scope["caller"].line, REQUEST_COST)
        except RateLimited as error:
            await refuse(send, 429, error.message, error.headers)
        else:
            await self._app(scope, receive, send)
