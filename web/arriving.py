"""How requests arrive on uvicorn: each has a head of a largest size, and is whole within a time."""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from models.deadlines import Deadlines

# Requests that one connection sends before the first of them is answered; each takes kilobytes.
MAX_PIPELINED = 20
# How long a connection stays that has been answered and asks nothing more: as long as with uvicorn alone.
IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The longest head of a request, its URL and headers, and how long a request may take to arrive whole."""

    header_bytes: int = 32_000
    seconds: float = 30.0


class GivesWay(Protocol):
    """A connection that waits."""

    def give_way(self) -> None:
        """Ends, for others to be let in."""
        ...


class Waiting:
    """The connections that have yet to send a whole request, or on a socket to say who they are; of more than `most`,
    whoever waits longest is ended.

    So those who open connections and say nothing use up no more files than that, and keep nobody out who speaks.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        # Those that were answered. uvicorn has a timer for each answer, which costs as much as sending it.
        self.idle: Deadlines[Arriving] = Deadlines(IDLE_SECONDS, Arriving.timeout_keep_alive_handler)
        self._all: dict[GivesWay, None] = {}

    def add(self, connection: GivesWay) -> None:
        """From now on it waits."""
        self._all.pop(connection, None)
        self._all[connection] = None
        if len(self._all) > self.most:
            longest = next(iter(self._all))
            self.remove(longest)
            longest.give_way()

    def remove(self, connection: GivesWay) -> None:
        """A request of it is being answered, or it is gone."""
        self._all.pop(connection, None)


class TooLong(Exception):
    """The head of a request is longer than the limit, or too many requests wait behind one."""


class Arriving(HttpToolsProtocol):
    """One connection. By itself uvicorn takes a head of any size, and waits for the rest of a request for ever."""

    def __init__(
        self,
        limits: RequestLimits,
        waiting: Waiting,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._limits = limits
        self._waiting = waiting
        self._arrival: TimerHandle | None = None
        # Of the request that is arriving: whether its head is still to be read, how much came of it, or since the last
        # of the body, which may be trailers; and whether all of it is here.
        self._in_head = True
        self._came = 0
        self._whole = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        self._waiting.add(self)
        self._wait_for_the_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._waiting.remove(self)
        self._waiting.idle.end(self)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or several requests."""
        self._waiting.idle.end(self)
        self._came += len(data)
        super().data_received(data)
        if self._came > self._limits.header_bytes:
            self._refuse(431)
        elif self._whole:
            self._stop_waiting()
        elif self._arrival is None:
            self._wait_for_the_rest()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is another protocol's."""
        self._whole = True
        self._waiting.remove(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What the parser did not take."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is read. Raises TooLong."""
        if self._came > self._limits.header_bytes:
            # It may be that the body came with it.
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self._limits.header_bytes:
                self._refuse(431)
                raise TooLong
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
            raise TooLong
        self._in_head, self._came = False, 0
        super().on_headers_complete()
        # Trailers are not for whoever reads the head.
        self.headers = [*self.headers]

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._came = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_head, self._came, self._whole = True, 0, True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_complete:
            self._waiting.remove(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self._waiting.add(self)
        self._waiting.idle.begin(self)
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def give_way(self) -> None:
        """Ends, for others to be let in."""
        self._end(503)

    def _wait_for_the_rest(self) -> None:
        self._arrival = self.loop.call_later(self._limits.seconds, self._not_whole)

    def _stop_waiting(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _not_whole(self) -> None:
        self._arrival = None
        if self.flow.read_paused:
            # It is we who do not take it.
            self._wait_for_the_rest()
        else:
            self._end(408)

    def _end(self, status: int) -> None:
        if self._in_head and self._came:
            self._refuse(status)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        if self._in_head or not self.cycle.response_started:
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
