"""What PostgreSQL sends, counted as it comes: asyncpg gives rows when it has all of them."""

import asyncio
from typing import Any

import asyncpg

from models.database import Count


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's, which counts what it receives."""

    __slots__ = ("received",)

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.received = Received(protocol, transport)
        transport.set_protocol(self.received)


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
