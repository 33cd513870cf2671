"""A network that swallows packets: PostgreSQL is given up when its system does not even say that it has them."""

import asyncio
import ctypes
import socket
import sys
import time
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url

from models.database import Database, Unavailable
from tests.models.test_database import adding, names, scope

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of what is not acknowledged")

SO_ATTACH_FILTER = 26


class Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(Filter)))


def swallow_all(wire):
    """From now on packets to this socket are lost before its system acknowledges them."""
    returns_nothing = Filter(6, 0, 0, 0)
    wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(Program(1, ctypes.pointer(returns_nothing))))


class Way:
    """The way to a PostgreSQL over TCP. `url` leads there."""

    def __init__(self, url):
        self.url = ""
        self._to = make_url(url)
        self._wires = []
        self._running = set()

    async def take(self, reader, writer):
        task = asyncio.current_task()
        self._running.add(task)
        self._wires.append(writer.get_extra_info("socket"))
        host, port = str(self._to.query.get("host", self._to.host)), self._to.port or 5432
        there = (
            await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else await asyncio.open_connection(host, port)
        )
        try:
            await asyncio.gather(self.carry(reader, there[1]), self.carry(there[0], writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            there[1].close()
            writer.close()
            self._running.discard(task)

    @staticmethod
    async def carry(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    def swallow(self):
        """What is sent on all that are open is lost."""
        for wire in self._wires:
            swallow_all(wire)

    async def close(self):
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def way_to(url):
    way = Way(url)
    server = await asyncio.start_server(way.take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    over_tcp = make_url(url).set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
    way.url = over_tcp.render_as_string(hide_password=False)
    try:
        yield way
    finally:
        server.close()
        await way.close()


async def test_a_server_that_the_network_no_longer_reaches_holds_nobody_up_for_a_minute(postgresql_url, monkeypatch):
    monkeypatch.setattr("models.received.UNHEARD_SECONDS", 2)
    async with way_to(postgresql_url) as way:
        database = Database(way.url)
        await database.transact(adding(database, scope("before")))
        assert await names(database) == ["before"]
        way.swallow()
        for work in (lambda: database.transact(adding(database, scope("lost"))), lambda: names(database)):
            begun = time.monotonic()
            with pytest.raises(Unavailable):
                await asyncio.wait_for(work(), 30)
            assert 1 < time.monotonic() - begun < 10
        # The next ones go over new connections, which are not swallowed.
        await database.transact(adding(database, scope("after")))
        assert await names(database) == ["after", "before"]
        await database.close()
