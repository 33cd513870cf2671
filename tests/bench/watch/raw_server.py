"""The floor: one text, sent to one socket after the other by uvicorn alone. No GraphQL, no log, no filter."""

import os
from typing import Any

import uvicorn

ACKNOWLEDGED = '{"type":"connection_ack"}'
# As many bytes as issuegraph's message has; a test compares.
BYTES = 552
EVENT = '{"id":"1","type":"next","payload":{"data":""}}'.replace('""', f'"{"x" * (BYTES - 46)}"')

watchers: dict[int, Any] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Subscribers come by WebSocket; a POST is an event."""
    if scope["type"] == "websocket":
        await watch(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    for each in [*watchers.values()]:
        await each({"type": "websocket.send", "text": EVENT})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def watch(receive: Any, send: Any) -> None:
    """One subscriber until it goes."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
    await receive()
    await send({"type": "websocket.send", "text": ACKNOWLEDGED})
    await receive()
    await send({"type": "websocket.send", "text": EVENT})
    watchers[id(send)] = send
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        del watchers[id(send)]


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        lifespan="off",
        backlog=2048,
    )
