"""A pooler as PgBouncer is one in transaction mode: what a client does in one transaction, one session does.

Whoever begins a transaction gets the session that has been free the longest, so that nothing a client leaves in a
session, a prepared statement or a setting, is there when it comes again.
"""

from __future__ import annotations

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from typing import NamedTuple

from sqlalchemy import make_url

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_VERSION_3 = 196608
# With what PostgreSQL ends its answer to a message, when the client wants it before it goes on.
_ENDS = {b"P": b"1E", b"B": b"2E", b"D": b"TnE", b"E": b"CsIE", b"C": b"3E"}


class _Session(NamedTuple):
    """A connection to PostgreSQL; `greeting` is what it says of itself."""

    reader: StreamReader
    writer: StreamWriter
    greeting: bytes


class Pooler:
    """`async with Pooler(url) as pooler`: `pooler.url` leads to the same database, by way of `sessions` sessions.

    Answers every client by itself, without a password. What clients set when they connect is forgotten. Raises
    PermissionError when PostgreSQL asks for a password.
    """

    def __init__(self, url: str, sessions: int = 3) -> None:
        self._target = make_url(url)
        self._sessions = sessions
        self._free: asyncio.Queue[_Session] = asyncio.Queue()
        self._clients: set[asyncio.Task[None]] = set()
        self.transactions = 0

    async def __aenter__(self) -> Pooler:
        for _ in range(self._sessions):
            self._free.put_nowait(await self._connect())
        self._listening = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port = self._listening.sockets[0].getsockname()[1]
        url = self._target.set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
        self.url = url.render_as_string(hide_password=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        while not self._free.empty():
            self._free.get_nowait().writer.close()

    @property
    def idle(self) -> bool:
        """Whether no client is in a transaction."""
        return self._free.qsize() == self._sessions

    async def _connect(self) -> _Session:
        host = str(self._target.query.get("host", self._target.host))
        port = self._target.port or 5432
        if host.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            reader, writer = await asyncio.open_connection(host, port)
        words = f"user\0{self._target.username}\0database\0{self._target.database}\0\0".encode()
        writer.write(struct.pack("!ii", len(words) + 8, _VERSION_3) + words)
        greeting = b""
        while True:
            kind, message = await _message(reader)
            if kind == b"R" and message[5:9] != bytes(4):
                raise PermissionError("this PostgreSQL asks for a password")
            greeting += message
            if kind == b"Z":
                return _Session(reader, writer, greeting)

    async def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._clients.add(task)
        try:
            if await self._greet(reader, writer):
                await self._serve(reader, writer)
        except (OSError, EOFError):
            pass  # the client has gone
        finally:
            self._clients.discard(task)
            writer.close()

    async def _greet(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """Whether a client begins, and not only cancels: asyncpg does so beside a connection that it closes."""
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            await reader.readexactly(length - 8)
            if code == _CANCEL_REQUEST:
                return False
            if code not in (_SSL_REQUEST, _GSS_REQUEST):
                session = await self._free.get()
                self._free.put_nowait(session)
                writer.write(session.greeting)
                return True
            writer.write(b"N")

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            first = await _message(reader)
            if first[0] == b"X":
                return
            session = await self._free.get()
            self.transactions += 1
            try:
                await self._transaction(first, session, reader, writer)
            except BaseException:
                # In the middle of something: nobody may have it after that.
                session.writer.close()
                self._free.put_nowait(await self._connect())
                raise
            self._free.put_nowait(session)

    async def _transaction(
        self, first: tuple[bytes, bytes], session: _Session, reader: StreamReader, writer: StreamWriter
    ) -> None:
        """Up to the end of a transaction, or of a statement that is one by itself."""
        kind, message = first
        before = b""
        while True:
            session.writer.write(message)
            if ends := b"Z" if kind in (b"Q", b"S") else _ENDS[before] if kind == b"H" else b"":
                answered, answer = await _message(session.reader)
                writer.write(answer)
                while answered not in ends:
                    answered, answer = await _message(session.reader)
                    writer.write(answer)
                await writer.drain()
                if answered == b"Z" and answer.endswith(b"I"):
                    return
            before = kind
            kind, message = await _message(reader)
            if kind == b"X":
                raise EOFError


async def _message(reader: StreamReader) -> tuple[bytes, bytes]:
    """The next message: its kind, and all of it."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)
