"""Wake-ups between the processes of one database: 'there is something newer than N'.

broadcaster carries them. Its backends do not reconnect, and some die without a word, so a connection here is only
believed in while it brings back what is sent into it. Losing a wake-up is harmless: the tailer also looks by itself.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from broadcaster import Broadcast
from broadcaster._base import Subscriber
from sqlalchemy import make_url

logger = logging.getLogger(__name__)

ECHO_SECONDS = 5.0  # how often a message of our own is sent to see it come back
CONNECT_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 2.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
# NOTIFY takes a lock of the whole PostgreSQL server at commit, so a busy writer does not send one a commit.
SECONDS_BETWEEN_MESSAGES = 0.01

NOT_YET = "not connected yet"
# What is sent when tokens changed.
TOKENS = "tokens"
SCHEMES = ("memory", "redis", "rediss", "postgres", "postgresql")


@dataclass(frozen=True, slots=True)
class WakeupsStatus:
    """Whether wake-ups of other processes arrive; `problem` says why not."""

    connected: bool
    problem: str | None = None


def broadcaster_url(url: str) -> str:
    """The URL as broadcaster takes it: `postgresql+asyncpg://`, as the database setting has it, is understood too.

    Raises ValueError for a scheme that wake-ups cannot use, and for what is no URL.
    """
    scheme = url.partition(":")[0]
    backend, _, _driver = scheme.partition("+")
    if backend not in SCHEMES or (scheme != backend and backend != "postgresql"):
        raise ValueError(f"wake-ups go over {', '.join(f'{name}://' for name in SCHEMES)}, not {scheme}://")
    try:
        _ = urlsplit(url).port
    except ValueError:
        # What urllib says of it may hold the password.
        raise ValueError("is not a URL: its host or port is not as URLs have them") from None
    if backend != "postgresql":
        return url
    parsed = make_url(url)
    options = dict(parsed.query)
    if "ssl" in options:  # as SQLAlchemy spells it for asyncpg; in asyncpg's own URLs it is `sslmode`
        options["sslmode"] = options.pop("ssl")
    return parsed.set(drivername=backend, query=options).render_as_string(hide_password=False)


class Wakeups:
    """One process's end of the channel: connects at start, reconnects for ever, never holds anybody up."""

    def __init__(self, url: str, *, channel: str = "issuegraph", echo_seconds: float = ECHO_SECONDS) -> None:
        self._url = broadcaster_url(url)
        # Within one process the tailer hears of commits from the writer itself.
        self._is_alone = self._url.startswith("memory:")
        self._channel = channel
        self._echo_seconds = echo_seconds
        self._on_wakeup: Callable[[int], None] = lambda position: None
        self.on_tokens: Callable[[], None] = lambda: None
        self._newest = 0
        self._tokens_changed = False
        self._something_to_send = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.status = WakeupsStatus(connected=False, problem=NOT_YET)

    def start(self, on_wakeup: Callable[[int], None]) -> None:
        """Connects in the background; `on_wakeup(position)` is called for what any process (this one too) sent."""
        self._on_wakeup = on_wakeup
        self._running = asyncio.create_task(self._stay_connected(), name="wakeups")

    async def close(self) -> None:
        """Sends nothing more and disconnects."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self.status = WakeupsStatus(connected=False, problem="closed")

    def send(self, position: int) -> None:
        """Tells the others that the log now reaches `position`. Returns at once; only the newest one is sent."""
        if self._is_alone:
            return
        self._newest = max(self._newest, position)
        self._something_to_send.set()

    def send_tokens(self) -> None:
        """Tells the others that tokens changed: `on_tokens` is called there (and here). Returns at once."""
        self._tokens_changed = True
        self._something_to_send.set()

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._live_through_one_connection()
            except* Exception as errors:
                pause = FIRST_PAUSE_SECONDS if self.status.connected else min(2 * pause, LONGEST_PAUSE_SECONDS)
                self._lost(errors.exceptions[0])
            await asyncio.sleep(pause)

    async def _live_through_one_connection(self) -> None:
        """Ends with the exception that ended the connection."""
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                broadcast = await self._connect(stack)
                messages = await stack.enter_async_context(broadcast.subscribe(self._channel))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(messages))
                tasks.create_task(self._keep_sending(broadcast))
        finally:
            # A dead connection may not let itself be closed, and what broadcaster raises then says nothing new.
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                    await stack.aclose()

    async def _connect(self, stack: AsyncExitStack) -> Broadcast:
        broadcast = Broadcast(self._url)
        try:
            await broadcast.connect()
        except BaseException:
            # A Broadcast that never connected cannot disconnect, but its backend has a task running by now.
            with suppress(Exception):
                await broadcast._backend.disconnect()
            raise
        stack.push_async_callback(broadcast.disconnect)
        return broadcast

    async def _listen(self, messages: Subscriber) -> None:
        while True:
            async with asyncio.timeout(2 * self._echo_seconds):
                event = await messages.get()
            self._believe()
            if event.message.isdecimal():
                self._on_wakeup(int(event.message))
            elif event.message == TOKENS:
                self.on_tokens()

    async def _keep_sending(self, broadcast: Broadcast) -> None:
        while True:
            self._something_to_send.clear()
            if self._tokens_changed:
                self._tokens_changed = False
                try:
                    await broadcast.publish(self._channel, TOKENS)
                except BaseException:
                    # The next connection tells it.
                    self._tokens_changed = True
                    raise
            await broadcast.publish(self._channel, str(self._newest))
            await asyncio.sleep(SECONDS_BETWEEN_MESSAGES)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._echo_seconds):
                    await self._something_to_send.wait()

    def _believe(self) -> None:
        if not self.status.connected:
            logger.info("wake-ups: connected")
            self.status = WakeupsStatus(connected=True)

    def _lost(self, error: Exception) -> None:
        # If subscribing fails, broadcaster's own clean-up fails with a KeyError on top of the reason.
        reason = error.__context__ if isinstance(error, KeyError) and error.__context__ else error
        problem = f"{type(reason).__name__}: {reason}" if str(reason) else type(reason).__name__
        if self.status.connected or self.status.problem == NOT_YET:
            logger.warning("wake-ups: no connection (%s); changes of other processes arrive a little later", problem)
        self.status = WakeupsStatus(connected=False, problem=problem)
