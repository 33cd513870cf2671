"""Much work on the event loop, in pieces: everybody else has a turn in between."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Made = TypeVar("Made")

# A piece ends after so long, and after so many.
TURN_SECONDS = 0.003
_MOST_AT_ONCE = 500


async def mapped(make: Callable[[T], Made], values: Sequence[T]) -> list[Made]:
    """What `make` gives of each value."""
    made: list[Made] = []
    while len(made) < len(values):
        until = time.perf_counter() + TURN_SECONDS
        with uncollected():
            for value in values[len(made) : len(made) + _MOST_AT_ONCE]:
                made.append(make(value))
                if time.perf_counter() > until:
                    break
        await asyncio.sleep(0)
    return made


@contextmanager
def uncollected() -> Iterator[None]:
    """Where many objects are made at once: the collector of garbage would look at all there are again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
