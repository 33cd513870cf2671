"""What lies under a WebSocket on uvicorn: ends it for good, and sends no more than its client takes."""

import asyncio
from asyncio import Transport
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sys import getsizeof
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.frames import Frame
from websockets.http11 import Request

from web.direct import DirectProtocol
from web.reading import Clients, Reading
from web.socket_messages import CloseCode
from web.sockets import BYTES_BEFORE_INIT, KNOWN
from web.unread import ROOM, SMALL_BYTES

# How long the last words of a connection may take to arrive; then it is cut.
LAST_WORDS_SECONDS = 5.0
# How long a client that sends too much may go on, unheard, before it is cut: at once, it would not learn why.
UNHEARD_SECONDS = 1.0
# Of one message.
MAX_FRAMES = 10_000
# A message of more characters goes in pieces.
LARGE_MESSAGE = 262_144
PIECE_CHARACTERS = 65_536


class Wire(Reading, DirectProtocol):
    """One connection. By itself uvicorn keeps one that was closed as long as its client leaves something unread."""

    def __init__(self, clients: Clients, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._clients = clients
        # How much came since the handshake, as long as nobody knows from whom.
        self._unknown_bytes: int | None = 0
        # Whoever sends a message of which it is not sure that it goes at once.
        self._turn = asyncio.Lock()
        # Whether the application has said its last word.
        self._ends = False
        self._pongs = b""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client is there, whom nobody knows yet."""
        super().connection_made(transport)
        self._clients.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._clients.waiting.remove(self)
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Ends, for others to be let in."""
        self.transport.abort()

    def has_turn(self, size: int) -> bool:
        """Not while a large one is on its way, nor for what would have to wait in memory of its own."""
        has_room = size <= SMALL_BYTES or not self._clients.unread.is_half_full
        return has_room and size <= LARGE_MESSAGE and not self._turn.locked()

    async def send(self, message: ASGISendEvent) -> None:
        """As ASGI has it. One message at a time waits for the client to take what came before; a large one is cut."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is not None and len(text) > LARGE_MESSAGE:
            # Counted at once: who comes next looks whether there is room.
            size = getsizeof(text)
            self._holds(size)
            # Who asked for it may leave, but a message that has begun must end.
            sending = asyncio.ensure_future(self._send_large(text))
            sending.add_done_callback(_ended)
            sending.add_done_callback(lambda _: self._holds(-size))
            await asyncio.shield(sending)
        elif message["type"] == "websocket.close":
            # Between the pieces of a large one, of which then nothing more comes.
            self._ends = True
            await self._taken()
            await self._send_whole(message)
        elif self.writable.is_set() and not self._turn.locked():
            await self._send_whole(message)
        else:
            async with self._in_turn(getsizeof(text)):
                await self._taken()
                await self._send_whole(message)

    async def _send_whole(self, message: ASGISendEvent) -> None:
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    async def _send_large(self, text: str) -> None:
        """In fragments, between which pings are answered. Over TLS a transport does not tell what lies below it, so it
        is not given more than a piece before it has taken the last one."""
        async with self._in_turn(0):
            for start in range(0, len(text), PIECE_CHARACTERS):
                await self._taken()
                if self._ends or self.disconnected or self.close_sent or not self.handshake_complete:
                    raise ClientDisconnected
                end = start + PIECE_CHARACTERS
                send = self.conn.send_continuation if start else self.conn.send_text
                send(text[start:end].encode(), fin=end >= len(text))
                self.transport.write(b"".join(self.conn.data_to_send()))

    @asynccontextmanager
    async def _in_turn(self, size: int) -> AsyncIterator[None]:
        """Nobody else sends meanwhile; so many bytes are held from when it waits for that."""
        self._holds(size)
        try:
            async with self._turn:
                self.is_busy = True
                yield
        finally:
            self.is_busy = self._turn.locked()
            self._holds(-size)

    async def _taken(self) -> None:
        while not self.writable.is_set():
            await self.writable.wait()

    def handle_ping(self) -> None:
        """Answers the pings that have just come; while the client takes nothing, those that came before are no more."""
        pongs = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pongs)
        elif pongs:
            self._pongs = pongs

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        if self._pongs and not self.transport.is_closing():
            self.transport.write(self._pongs)
        self._pongs = b""

    def handle_connect(self, event: Request) -> None:
        """The handshake: the application tells when it knows the client."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[KNOWN] = self._known
            extensions[ROOM] = self._clients.unread.room

    def data_received(self, data: bytes) -> None:
        """A piece of what the client sends."""
        if self._unknown_bytes is not None and self.handshake_initiated:
            self._unknown_bytes += len(data)
            if self._unknown_bytes > BYTES_BEFORE_INIT:
                self._fail(f"Before connection_ack there are at most {BYTES_BEFORE_INIT} bytes")
                return
        super().data_received(data)

    def handle_cont(self, event: Frame) -> None:
        """A further frame of a message."""
        if len(self.frames) < MAX_FRAMES:
            super().handle_cont(event)
        else:
            self._fail(f"A message has at most {MAX_FRAMES} frames")

    def handle_parser_exception(self) -> None:
        """What came is too long, or no WebSocket. What still comes is not looked at."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        closed = self.conn.close_sent
        assert closed is not None
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        self.loop.call_later(UNHEARD_SECONDS, self.transport.close)
        self._cut_soon()

    def keepalive_timeout(self) -> None:
        """A ping was not answered: the client is dead, or has not read that far."""
        if not self.writable.is_set():
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
            return
        self.pong_timer = None
        # Not uvicorn's 1011: npm's graphql-ws takes that for final, and a laptop may wake up again.
        self._close(CloseCode.TRY_AGAIN_LATER, "No answer to a ping")

    def on_task_complete(self, task: Any) -> None:
        """The application is through with the connection."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._cut_soon()

    def shutdown(self) -> None:
        """The server stops."""
        if self.transport.is_closing():
            # uvicorn would say goodbye once more, which is an error, and close no other connection after that.
            self.stop_keepalive()
            if self.writable.is_set():
                self._cut_soon()
            else:
                self.transport.abort()
            return
        super().shutdown()
        if self.writable.is_set():
            self._cut_soon()
        else:
            self.transport.abort()

    def _known(self) -> None:
        self._unknown_bytes = None
        self._clients.waiting.remove(self)

    def _fail(self, why: str) -> None:
        if not self.close_sent:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, why)
            self.handle_parser_exception()

    def cut(self) -> None:
        """Ends at once, for the memory that it holds."""
        self._clients.stalled += not (self.close_sent or self.transport.is_closing())
        self.transport.abort()

    def _stalled(self) -> None:
        self._clients.stalled += not self.close_sent
        self._close(CloseCode.TRY_AGAIN_LATER, "Nothing was read for too long")

    def _close(self, code: CloseCode, reason: str) -> None:
        self.stop_keepalive()
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()
        self.disconnected = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self._cut_soon()

    def _cut_soon(self) -> None:
        self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)


def _ended(sending: "asyncio.Future[None]") -> None:
    """What became of it is told whoever waits for it, if anybody does."""
    if not sending.cancelled():
        sending.exception()
