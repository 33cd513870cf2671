"""How requests arrive on uvicorn: each has a head of a largest size, and is whole within a time."""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from models.deadlines import Deadlines

# Requests that one connection sends before the first of them is answered; each takes kilobytes.
MAX_PIPELINED = 20
# How long a connection stays that has been answered and asks nothing more: as long as with uvicorn alone.
IDLE_SECONDS = 5.0
# Headers that say how a body ends.
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


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
    """One connection. By itself uvicorn takes a head of any size, and waits for the rest of a request for ever.

    What is refused here is told behind the answers that are due; who offers to speak another protocol is answered in
    this one.
    """

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
        # The one that is being answered, or was last: uvicorn knows the newest, which may wait behind it.
        self._answered: RequestResponseCycle | None = None
        # The last that this connection sends, once all before it is answered.
        self._last_word: bytes | None = None
        # How the body ends of a request whose Upgrade is ignored, and whether its parser is being told.
        self._framing = b""
        self._is_told_framing = False

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
        if self._is_answering and self._answered is not None:
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or several requests."""
        if self._last_word is not None:
            return
        self._came += len(data)
        try:
            while data:
                data = self._read(data)
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._came > self._limits.header_bytes:
            self._refuse(431)
        elif self._whole:
            self._stop_waiting()
        elif self._arrival is None and self._last_word is None:
            self._wait_for_the_rest()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is another protocol's."""
        self._whole = True
        self._waiting.remove(self)
        self._waiting.idle.end(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What the parser did not take."""
        self._refuse(400, msg.encode())

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._is_told_framing:
            return
        self._whole = False
        self._waiting.idle.end(self)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is read. Raises TooLong."""
        if self._is_told_framing:
            return
        if self._came > self._limits.header_bytes:
            # It may be that the body came with it.
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self._limits.header_bytes:
                self._refuse(431)
                raise TooLong
        if len(self.pipeline) >= MAX_PIPELINED:
            self._refuse(503)
            raise TooLong
        # It raises what is wrong with the URL.
        super().on_headers_complete()
        self._in_head, self._came = False, 0
        # Trailers are not for whoever reads the head.
        self.headers = [*self.headers]
        if self.parser.should_upgrade():
            if self._should_upgrade():
                return
            self._framing = b"".join([b"%s: %s\r\n" % pair for pair in self.headers if pair[0] in _FRAMING])
        if self.pipeline:
            # There are so many at most. Who reads nothing does not hear that the client is gone.
            self.flow.resume_reading()
        else:
            self._answered = self.cycle
        self.on_request(self.cycle)

    def on_request(self, cycle: RequestResponseCycle) -> None:
        """It will be answered; the application is not called yet."""

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._came = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._framing:
            # So the parser says of all that have an Upgrade.
            return
        self._in_head, self._came, self._whole = True, 0, True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_complete:
            self._waiting.remove(self)
        else:
            self._waiting.idle.begin(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent."""
        if self.pipeline:
            self._answered, _ = self.pipeline[-1]
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self._last_word is not None:
            self.transport.write(self._last_word)
            self.transport.close()
            return
        self._waiting.add(self)
        if self._whole:
            self._waiting.idle.begin(self)
        self.flow.resume_reading()

    def give_way(self) -> None:
        """Ends, for others to be let in."""
        self._end(503)

    @property
    def _is_answering(self) -> bool:
        return self._answered is not None and not self._answered.response_complete

    def _should_upgrade(self) -> bool:
        return self.scope["method"] == "GET" and super()._should_upgrade()

    def _read(self, data: bytes) -> bytes:
        """Has it parsed; gives what is behind a head whose Upgrade is ignored. Raises HttpParserError."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._ignore_upgrade()
                return data[upgrade.args[0] :]
        return b""

    def _ignore_upgrade(self) -> None:
        """To the parser, what is behind such a head is no body: a new one is told how that ends."""
        framing, self._framing = self._framing, b""
        if framing:
            self.parser = HttpRequestParser(self)
            self._is_told_framing = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % framing)
            self._is_told_framing = False

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
            self._end_with(b"")

    def _refuse(self, status: int, why: bytes = b"") -> None:
        lines = [b"%s: %s\r\n" % pair for pair in self.server_state.default_headers]
        if why:
            lines.append(b"content-type: text/plain; charset=utf-8\r\n")
        lines.append(b"content-length: %d\r\nconnection: close\r\n\r\n" % len(why))
        self._end_with(STATUS_LINE[status] + b"".join(lines) + why)

    def _end_with(self, last_word: bytes) -> None:
        """Says it when all is answered that came before, and closes. What comes meanwhile is nothing."""
        if self.transport.is_closing() or self._last_word is not None:
            return
        self._stop_waiting()
        if not self._in_head:
            # It is the answer to the newest request.
            if self.pipeline:
                self.pipeline.popleft()
            else:
                self.transport.write(b"" if self.cycle.response_started else last_word)
                self.transport.close()
                return
        if self._is_answering:
            self._last_word = last_word
        else:
            self.transport.write(last_word)
            self.transport.close()
