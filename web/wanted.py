"""What takes long is done only as long as its client is there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from web.asgi import Receive

T = TypeVar("T")

# Most answers are there before; nobody watches their clients. It may be twice as long.
UNWATCHED_SECONDS = 0.1


class Wanted:
    """Work that is done for clients."""

    def __init__(self) -> None:
        # What began since the last look, and before that: one timer is enough for all.
        self._young: set[_Watch] = set()
        self._old: set[_Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def do(self, work: Coroutine[Any, Any, T], receive: Receive) -> T:
        """What the work gives. It is cancelled when the client goes away. Raises ConnectionResetError then.

        The body must have been read.
        """
        task = asyncio.current_task()
        assert task is not None
        watch = _Watch(task, receive)
        self._young.add(watch)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if watch.gone and task.uncancel() == 0:
                raise ConnectionResetError("the client went away") from None
            raise
        finally:
            self._young.discard(watch)
            self._old.discard(watch)
            watch.end()

    def _look(self) -> None:
        for watch in self._old:
            watch.begin()
        self._old, self._young = self._young, set()
        self._timer = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, self._look) if self._old else None


class _Watch:
    def __init__(self, task: "asyncio.Task[Any]", receive: Receive) -> None:
        self.gone = False
        self._task = task
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="client watch")

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._task.cancel()
