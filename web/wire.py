"""What lies under a WebSocket on uvicorn: finds clients that are dead or take nothing, ends connections for good."""

from asyncio import TimerHandle
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from web.direct import DirectProtocol
from web.sockets import CloseCode

# How long the last words of a connection may take to arrive; then it is cut.
LAST_WORDS_SECONDS = 5.0


class Wires:
    """Makes the wire of each WebSocket, for `uvicorn.Config(ws=...)`; `stalled` counts those that took nothing."""

    def __init__(self, *, stall_seconds: float = 30.0) -> None:
        self.stall_seconds = stall_seconds
        self.stalled = 0

    def __call__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> "Wire":
        return Wire(self, config, server_state, app_state)


class Wire(DirectProtocol):
    """One connection. By itself uvicorn keeps one that was closed as long as its client leaves something unread."""

    def __init__(self, wires: Wires, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._wires = wires
        self._patience: TimerHandle | None = None
        self._untaken = 0

    def pause_writing(self) -> None:
        """The client takes nothing more for now."""
        super().pause_writing()
        self._wait_for_the_client()

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._stop_patience()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop_patience()
        super().connection_lost(exc)

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

    def _wait_for_the_client(self) -> None:
        self._untaken = self.transport.get_write_buffer_size()
        self._patience = self.loop.call_later(self._wires.stall_seconds, self._stalled)

    def _stalled(self) -> None:
        if self.transport.get_write_buffer_size() < self._untaken:
            # Slow, but it reads.
            self._wait_for_the_client()
            return
        self._patience = None
        if not self.close_sent:
            self._wires.stalled += 1
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

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
