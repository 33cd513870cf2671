"""What lies under a WebSocket on uvicorn, with a way to send at once: a fan-out over ASGI costs half as much again."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

# In `scope["extensions"]`: a `SendNow`.
SEND_NOW = "issuegraph.send_now"


class DirectProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    # Whether somebody sends what does not go at once.
    is_busy = False

    def handle_connect(self, event: Request) -> None:
        """The handshake: the application is told how to send at once."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[SEND_NOW] = self.send_now

    def send_now(self, first: bytes, rest: bytes) -> bool:
        """Sends a text message, given in two parts, if the client has taken what came before; else sends nothing.

        Says whether it did. Only for once the connection was accepted.
        """
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        size = len(first) + len(rest)
        if (size > 65_535 or self.is_busy) and not self.has_turn(size):
            return False
        if size < 126:
            head = b"\x81%c" % size
        elif size < 65_536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        self.transport.write(head + first + rest)
        return True

    def has_turn(self, size: int) -> bool:
        """Whether a message of so many bytes may go now."""
        return True
