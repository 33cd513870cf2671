"""What a subscription does while the database is away: it tries again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from resolvers.errors import Unavailable

T = TypeVar("T")

RETRY_SECONDS = 1.0


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` returns, as soon as it is not Unavailable."""
    while True:
        try:
            return await attempt()
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
