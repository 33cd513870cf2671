"""What a subscription does while the database is away: it tries again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from resolvers.errors import Unavailable

T = TypeVar("T")

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` returns, as soon as it is not Unavailable."""
    told = False
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            if not told:
                logger.warning("a subscription waits: %s", error.message)
                told = True
            await asyncio.sleep(RETRY_SECONDS)
