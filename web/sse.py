"""GraphQL over Server-Sent Events, distinct connections mode, as the npm package graphql-sse speaks it.

Batches of events carry their position as `id:`, so a browser that comes back resumes by `Last-Event-ID` by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import orjson

from resolvers.errors import Problem
from resolvers.query import Operation
from resolvers.subscription.log import Log
from resolvers.subscription.outlet import Frame, Stopping
from resolvers.subscription.streams import Streams
from schema.executor import Executor
from schema.problems import errors_of
from web.asgi import Receive, Scope, Send, header
from web.ending import Ending

SECONDS_BETWEEN_COMMENTS = 15.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_COMPLETE = "event: complete\ndata:\n\n"


class EventStream:
    """Streams one operation's results as `next` events, then `complete`."""

    def __init__(self, executor: Executor, streams: Streams, log: Log, ending: Ending) -> None:
        self._executor = executor
        self._ending = ending
        self._streams = streams
        self._log = log

    async def __call__(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the operation is done, the client is gone or the server closes (then the client comes back)."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        sending = asyncio.ensure_future(self._send_all(operation, scope, send))
        gone = asyncio.ensure_future(_gone(receive))
        closing = asyncio.ensure_future(self._ending.begun.wait())
        tasks = (sending, gone, closing)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done() and not gone.done():
            await asyncio.wait((sending, gone), timeout=self._ending.seconds, return_when=asyncio.FIRST_COMPLETED)
        cut_short = not sending.done() and not gone.done()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, OSError):
                await task
        if cut_short:
            await self._send(send, "", more=False)

    async def send_errors(self, send: Send, errors: list[dict[str, Any]]) -> None:
        """One `next` with errors, then `complete`: what a request that could not be run gets."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send(send, _next(orjson.dumps({"errors": errors}).decode()) + _COMPLETE, more=False)

    async def _send_all(self, operation: Operation, scope: Scope, send: Send) -> None:
        try:
            if operation.kind == "subscription":
                await self._follow(operation, scope, send)
            else:
                result = await self._executor.execute(operation, scope["caller"])
                await self._send(send, _next(orjson.dumps(result).decode()))
        except OSError:
            return
        except Stopping:
            # No word of an end: the client comes back.
            await self._send(send, "", more=False)
            return
        except Exception as error:
            await self._send(send, _next(orjson.dumps({"errors": errors_of(error)}).decode()))
        await self._send(send, _COMPLETE, more=False)

    async def _follow(self, operation: Operation, scope: Scope, send: Send) -> None:
        # At once, so that the client knows that it is connected before anything happens.
        await self._send(send, ":\n\n")
        has_positions = next(iter(operation.root_fields.values())).name == "issueEvents"
        resume = header(scope, b"last-event-id") if has_positions else None
        after = None if not resume else self._log.number(resume)
        async with self._streams.open(operation, scope["caller"], after=after) as stream:
            frames = stream.frames
            async for frame in _with_silences(frames):
                if frame is None:
                    await self._send(send, ":\n\n")
                else:
                    id = self._log.text(frame.end) if has_positions else None
                    await self._send(send, _next(frame.text.decode(), id))

    async def _send(self, send: Send, text: str, *, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": more})


async def _with_silences(frames: AsyncIterator[Frame]) -> AsyncIterator[Frame | None]:
    """The frames, and None whenever a connection would look dead without a sign."""
    pending = asyncio.ensure_future(_next_of(frames))
    try:
        while True:
            await asyncio.wait((pending,), timeout=SECONDS_BETWEEN_COMMENTS)
            if not pending.done():
                yield None
                continue
            frame = await pending
            if frame is None:
                return
            yield frame
            pending = asyncio.ensure_future(_next_of(frames))
    finally:
        pending.cancel()
        with suppress(asyncio.CancelledError, Problem):
            await pending


async def _next_of(frames: AsyncIterator[Frame]) -> Frame | None:
    return await anext(frames, None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _next(text: str, id: str | None = None) -> str:
    # The text is one line: JSON has no raw line breaks.
    named = "" if id is None else f"id: {id}\n"
    return f"event: next\n{named}data: {text}\n\n"
