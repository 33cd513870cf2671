"""How a server stops: whoever streams has its last word, then the connections go."""

import asyncio
from contextlib import suppress

from resolvers.subscription.streams import Streams
from web.sockets import Sockets


class Ending:
    """`begun` is set when the server is to stop, `over` when all who stream were told."""

    def __init__(self, *, seconds: float = 1.0) -> None:
        self.begun = asyncio.Event()
        self.over = asyncio.Event()
        self.seconds = seconds

    async def say_last_words(self, streams: Streams, sockets: Sockets) -> None:
        """Waits for the end to begin, then takes `seconds` at most for the streams and for the sockets."""
        await self.begun.wait()
        try:
            sockets.take_no_more()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.seconds):
                    await streams.finish()
                    await sockets.finished()
            await sockets.close(self.seconds)
        finally:
            self.over.set()
