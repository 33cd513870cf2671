"""What PostgreSQL sends, counted as it comes: asyncpg gives rows when it has all of them."""

import asyncio
import socket
from typing import Any

import asyncpg

from models.database import Count

# A server whose system does not say for so long that it has what was sent is gone: one that is slow says so at once.
UNHEARD_SECONDS = 15
# Linux has it.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's, which counts what it receives, and notices when the server is gone that it waits for."""

    __slots__ = ("received",)

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.received = Received(protocol, transport)
        transport.set_protocol(self.received)
        wire = transport.get_extra_info("socket")
        if _USER_TIMEOUT is not None and wire is not None and wire.family in (socket.AF_INET, socket.AF_INET6):
            wire.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, UNHEARD_SECONDS * 1000)


class Received(asyncio.Protocol):
    """Stands before the protocol of a connection. While there is a `count`, it is told of all bytes.

    What it raises cuts the connection and is the `end`: a server that is sending has no other.
    """

    def __init__(self, protocol: Any, transport: Any) -> None:
        self._transport = transport
        self._take = protocol.data_received
        self.count: Count | None = None
        # Why we cut the connection, if we did.
        self.end: Exception | None = None
        for name in ("connection_lost", "eof_received", "pause_writing", "resume_writing"):
            setattr(self, name, getattr(protocol, name))

    def data_received(self, data: bytes) -> None:
        """A piece of what it sends."""
        if self.count is not None:
            try:
                self.count(len(data))
            except Exception as error:
                self.cut(error)
                return
        self._take(data)

    def cut(self, end: Exception) -> None:
        """Ends the connection for that."""
        self.count, self.end = None, end
        self._transport.abort()
