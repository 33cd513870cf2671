"""What is done again and again, whatever went wrong the last time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

logger = logging.getLogger(__name__)


async def keep(doing: Callable[[], Awaitable[None]], seconds: float, what: str) -> NoReturn:
    """Does it for ever, after so many seconds each time; what goes wrong is in the log, as `what`."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await doing()
        except Exception:
            # Whatever it is: nobody would be looked at any more.
            logger.exception("%s", what)
