"""Connections that speak TLS, from the moment they are accepted: a handshake that is not over waits like a request."""

import asyncio
import logging
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from ssl import SSLContext

from web.arriving import RequestLimits, Waiting

logger = logging.getLogger(__name__)

# A client that is there takes three journeys.
HANDSHAKE_SECONDS = 10.0
# How long a client may take to say goodbye; until then its file stays open.
GOODBYE_SECONDS = 2.0
# Of one turn of the event loop.
ACCEPTED_AT_ONCE = 100
# When no more files can be had.
PAUSE_SECONDS = 0.1


class Handshakes:
    """Accepts connections on a socket that listens; after its handshake each is the protocol's that `made` makes.

    asyncio tells a protocol of its connection when the handshake is over, and so nobody could end it before. This is a
    server as uvicorn closes it.
    """

    def __init__(
        self,
        listening: socket,
        context: SSLContext,
        made: Callable[[], asyncio.Protocol],
        *,
        waiting: Waiting,
        limits: RequestLimits,
    ) -> None:
        self._listening = listening
        self._context = context
        self._made = made
        self._waiting = waiting
        self._seconds = min(HANDSHAKE_SECONDS, limits.seconds)
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._pause: TimerHandle | None = None
        self._under_way: set[Handshake] = set()
        listening.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accepts no more, and ends what is no connection yet."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listening)
        for handshake in self._under_way:
            handshake.give_way()

    async def wait_closed(self) -> None:
        """Returns when no handshake is under way."""
        if self._under_way:
            await asyncio.wait([handshake.task for handshake in self._under_way])

    def _listen(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.warning("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._listening)
                self._pause = self._loop.call_later(PAUSE_SECONDS, self._listen)
                return
            connection.setblocking(False)
            self._begin(connection)

    def _begin(self, connection: socket) -> None:
        handshake = Handshake(self._loop.create_task(self._shake(connection), name="handshake"))
        self._under_way.add(handshake)
        self._waiting.add(handshake)
        handshake.task.add_done_callback(lambda _: self._over(handshake))

    def _over(self, handshake: "Handshake") -> None:
        self._under_way.discard(handshake)
        self._waiting.remove(handshake)

    async def _shake(self, connection: socket) -> None:
        # What goes wrong is the client's: it is gone, too slow, or speaks something else.
        # The loop closes what it was given.
        with suppress(OSError, asyncio.CancelledError):
            await self._loop.connect_accepted_socket(
                self._made,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )


class Handshake:
    """One that is under way."""

    def __init__(self, task: Task[None]) -> None:
        self.task = task

    def give_way(self) -> None:
        """Ends, for others to be let in."""
        self.task.cancel()
