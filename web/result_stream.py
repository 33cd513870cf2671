"""The results of one operation, one after the other, over one HTTP answer: as events (`sse`) or parts (`multipart`)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from resolvers.caller import Caller
from resolvers.errors import Forbidden, Problem
from resolvers.query import Operation
from resolvers.subscription.log import Log
from resolvers.subscription.outlet import Frame, Stopping
from resolvers.subscription.streams import Streams
from schema.executor import Executor
from schema.problems import errors_of
from web.asgi import Receive, Scope, Send, header, send_body
from web.ending import Ending
from web.operations import Operations
from web.unread import held_for, room

SECONDS_BETWEEN_SIGNS = 15.0


@dataclass(frozen=True, slots=True)
class Format:
    """How results are written: `opening` before them, `sign` in silence, `end` when there are no more."""

    content_type: str
    opening: str
    sign: str
    end: str
    # The JSON text of a result, which has no line breaks, and the position that it leads to, if it has one.
    result: Callable[[str, str | None], str]

    def errors(self, errors: list[dict[str, Any]]) -> str:
        """A result that is nothing but errors."""
        return self.result(orjson.dumps({"errors": errors}).decode(), None)


class ResultStream:
    """Streams one operation's results in one format, as long as the caller would still be let in (`admits`)."""

    def __init__(
        self,
        operations: Operations,
        executor: Executor,
        streams: Streams,
        log: Log,
        ending: Ending,
        format: Format,
        *,
        admits: Callable[[Caller], bool],
    ) -> None:
        self._operations = operations
        self._executor = executor
        self._ending = ending
        self._streams = streams
        self._log = log
        self._format = format
        self._admits = admits
        self._open: dict[asyncio.Future[None], Caller] = {}

    def turn_away(self, whom: Callable[[Caller], bool]) -> None:
        """Ends, as FORBIDDEN, the streams of callers whose right to be here has ended."""
        for ended, caller in self._open.items():
            if whom(caller) and not ended.done():
                ended.set_result(None)

    async def __call__(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the operation is done, the client is gone or the server closes (then the client comes back)."""
        await self._begin(send)
        wholly = _Wholly(send)
        sending = asyncio.ensure_future(self._send_all(operation, scope, wholly))
        gone = asyncio.ensure_future(_gone(receive))
        closing = asyncio.ensure_future(self._ending.begun.wait())
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turned_away = asyncio.ensure_future(wholly.stop_after(ended))
        self._open[ended] = scope["caller"]
        if not self._admits(scope["caller"]):
            # It ended on the way here: nobody tells of that again.
            ended.set_result(None)
        tasks = (sending, gone, closing, turned_away)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            others = (sending, gone, turned_away)
            if not any(task.done() for task in others):
                await asyncio.wait(others, timeout=self._ending.seconds, return_when=asyncio.FIRST_COMPLETED)
            is_turned_away = turned_away.done() and not sending.done()
            cut_short = not sending.done() and not gone.done()
        finally:
            del self._open[ended]
            for task in tasks:
                task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                raise outcome
        if is_turned_away:
            told = errors_of(Forbidden("Your right to be here has ended"))
            await _send(send, self._format.errors(told) + self._format.end, more=False)
        elif cut_short:
            await _send(send, "", more=False)

    async def send_errors(self, send: Send, errors: list[dict[str, Any]]) -> None:
        """One result with errors, and the end: what a request that could not be run gets."""
        await self._begin(send)
        await _send(send, self._format.errors(errors) + self._format.end, more=False)

    async def _begin(self, send: Send) -> None:
        headers = [
            (b"content-type", self._format.content_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if self._format.opening:
            await _send(send, self._format.opening)

    async def _send_all(self, operation: Operation, scope: Scope, send: "_Wholly") -> None:
        try:
            if operation.kind == "subscription":
                await self._follow(operation, scope, send)
            else:
                with self._operations.answering(operation, scope["caller"]) as size:
                    result = await self._executor.execute(operation, scope["caller"])
                    body = self._format.result(size.whole(result).decode(), None).encode()
                    del result
                with held_for(scope, len(body)):
                    await send(body)
        except OSError:
            return
        except Stopping:
            # No word of an end: the client comes back.
            await send(b"", more=False)
            return
        except Exception as error:
            await send(self._format.errors(errors_of(error)).encode())
        await send(self._format.end.encode(), more=False)

    async def _follow(self, operation: Operation, scope: Scope, send: "_Wholly") -> None:
        # At once, so that the client knows that it is connected before anything happens.
        sign = self._format.sign.encode()
        giving = partial(_giving, sign, send)
        await send(sign)
        has_positions = next(iter(operation.root_fields.values())).name in ("issueEvents", "deliveryEvents")
        resume = header(scope, b"last-event-id") if has_positions else None
        after = None if not resume else self._log.number(resume)
        async with self._streams.open(operation, scope["caller"], after=after) as stream:
            async for frame in _with_silences(stream.frames):
                if frame is None:
                    await send(sign)
                else:
                    # Until then it is one text for all who wait for it.
                    await room(scope, len(frame.text), meanwhile=giving)
                    position = self._log.text(frame.end) if has_positions else None
                    body = self._format.result(frame.text.decode(), position).encode()
                    del frame
                    with held_for(scope, len(body)):
                        await send(body)
                    del body


class _Wholly:
    """Sends texts of a format: none begins before the one before it is out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._between = asyncio.Lock()

    async def __call__(self, text: bytes, *, more: bool = True) -> None:
        async with self._between:
            await send_body(self._send, text, more=more)

    async def stop_after(self, ended: asyncio.Future[None]) -> None:
        """Waits for the end, then for what is being sent; nothing is sent here any more.

        A client that takes nothing of it is cut by its connection (`web.reading.Patience`).
        """
        await ended
        await self._between.acquire()


async def _send(send: Send, text: str, *, more: bool = True) -> None:
    await send_body(send, text.encode(), more=more)


@contextmanager
def _giving(sign: bytes, send: _Wholly) -> Iterator[None]:
    """Signs come whenever a connection would look dead without one."""

    async def give() -> None:
        with suppress(OSError):
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_SIGNS)
                await send(sign)

    giving = asyncio.ensure_future(give())
    try:
        yield
    finally:
        # Nothing waits for its end: whoever has room is to take it at once.
        giving.cancel()


async def _with_silences(frames: AsyncIterator[Frame]) -> AsyncIterator[Frame | None]:
    """The frames, and None whenever a connection would look dead without a sign."""
    pending: asyncio.Future[Frame | None] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(_next_of(frames))
            await asyncio.wait((pending,), timeout=SECONDS_BETWEEN_SIGNS)
            if not pending.done():
                yield None
                continue
            # Whoever takes it is the only one to hold it.
            taken, pending = [pending.result()], None
            if taken[0] is None:
                return
            yield taken.pop()
    finally:
        if pending is not None:
            pending.cancel()
            with suppress(asyncio.CancelledError, Problem, Stopping):
                await pending


async def _next_of(frames: AsyncIterator[Frame]) -> Frame | None:
    return await anext(frames, None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
