"""What else runs on the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Turns:
    """How often everything else had a turn."""

    count: int = 0


@asynccontextmanager
async def counted_turns() -> AsyncIterator[Turns]:
    """Counts until its end."""
    turns = Turns()

    async def everything_else() -> None:
        while True:
            await asyncio.sleep(0)
            turns.count += 1

    beside = asyncio.create_task(everything_else())
    try:
        yield turns
    finally:
        beside.cancel()
