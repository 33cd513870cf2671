"""What takes long is done only as long as its client is there."""

import asyncio
from types import TracebackType
from typing import Any, Self

from models.deadlines import Deadlines
from web.asgi import Receive

# Most answers are there before; nobody watches their clients.
UNWATCHED_SECONDS = 0.1


class Wanted:
    """Work that is done for clients."""

    def __init__(self) -> None:
        self._unwatched: Deadlines[_Watch] = Deadlines(UNWATCHED_SECONDS, _Watch.begin)

    def by(self, receive: Receive) -> "_Watch":
        """What this task does within, `with wanted.by(receive)`, is cancelled when the client goes away.

        Raises ConnectionResetError then. The body must have been read.
        """
        return _Watch(receive, self._unwatched)


class _Watch:
    __slots__ = ("_gone", "_receive", "_task", "_unwatched", "_watching")

    def __init__(self, receive: Receive, unwatched: "Deadlines[_Watch]") -> None:
        task = asyncio.current_task()
        assert task is not None
        self._gone = False
        self._task: asyncio.Task[Any] = task
        self._receive = receive
        self._unwatched = unwatched
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._unwatched.begin(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._unwatched.end(self)
        if self._watching is not None:
            self._watching.cancel()
        if kind is asyncio.CancelledError and self._gone and self._task.uncancel() == 0:
            raise ConnectionResetError("the client went away") from None

    def begin(self) -> None:
        """Looks from now on whether the client is there."""
        self._watching = asyncio.create_task(self._watch(), name="client watch")

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
