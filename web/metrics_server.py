"""`/metrics` on an address of its own: only who collects them comes there, whatever the main one asks of callers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket
from typing import cast

from web.asgi import App, Receive, Scope, Send, refuse
from web.wire import Wires


@asynccontextmanager
async def serving_metrics(metrics: App, listening: socket, wires: Wires) -> AsyncIterator[None]:
    """Answers `/metrics`, and nothing else, on a socket that listens, while it is entered; `wires` has the limits."""
    import uvicorn

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/metrics":
            await metrics(scope, receive, send)
        else:
            await refuse(send, 404, "404 page not found")

    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=cast(type[asyncio.Protocol], wires.http),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    # Not serve(): signals are the main server's.
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    try:
        yield
    finally:
        await server.shutdown(sockets=[listening])
