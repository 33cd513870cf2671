"""Sending without a detour: a coroutine that has nothing to wait for needs no task."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def step(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Runs `work` up to where it waits: None when it is done by then, else the task that does the rest.

    Raises what `work` raises on the way.
    """
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_rest(work, awaited))


@coroutine
def _rest(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    try:
        yield awaited
    except BaseException:
        work.close()
        raise
    yield from work.__await__()
