"""What a subscription does while the database is away, or too much is answered at once: it tries again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from resolvers.errors import Overloaded, Unavailable

T = TypeVar("T")

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def patiently(attempt: Callable[[], Awaitable[T]], *, overloaded: Callable[[], None] | None = None) -> T:
    """What `attempt` returns, as soon as it is neither Unavailable nor Overloaded: then `overloaded` is called."""
    told = False
    while True:
        try:
            return await attempt()
        except (Overloaded, Unavailable) as error:
            if not told:
                logger.warning("a subscription waits: %s", error.message)
                told = True
            if overloaded is not None and isinstance(error, Overloaded):
                overloaded()
            await asyncio.sleep(RETRY_SECONDS)
