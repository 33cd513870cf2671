"""The HTTP floor: the same uvicorn, a callable that reads the body as JSON and answers what never changes."""

import os
from typing import Any

import orjson
import uvicorn

ANSWER = os.environ["ANSWER"].encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers every POST the same."""
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    orjson.loads(body or b"null")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    # As web/commands/serve.py has it.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        backlog=2_048,
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
