"""A real `issuegraph serve` in a process of its own, and plain clients for it."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from email.message import Message
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.servers import free_port

START_SECONDS = 90
ISSUEGRAPH = Path(sys.executable).parent / "issuegraph"


class Server:
    """`issuegraph serve` on a free port; start, kill and start again keep port and database."""

    def __init__(
        self, database_url: str, directory: Path, *, program: Sequence[str | Path] = (ISSUEGRAPH,), **settings: str
    ) -> None:
        self.program = program
        self.port = free_port()
        self.directory = directory
        self.environment = {
            **os.environ,
            "ISSUEGRAPH_DATABASE_URL": database_url,
            "ISSUEGRAPH_PORT": str(self.port),
            "ISSUEGRAPH_DEV": "1",
            **{f"ISSUEGRAPH_{name}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        output = (self.directory / f"server-{self.port}.log").open("ab")
        self.process = subprocess.Popen(
            [*self.program, "serve"], env=self.environment, cwd=self.directory, stdout=output, stderr=output
        )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                if self.get("/api/v1/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log()}")

    def kill(self) -> None:
        """As a power cut would: no chance to finish anything."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal that it lives through."""
        assert self.process
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            # One that was stopped by a signal would not hear.
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(20)

    def memory(self) -> int:
        """The bytes that the server holds."""
        assert self.process
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def log(self) -> str:
        return (self.directory / f"server-{self.port}.log").read_text()

    def get(self, path: str) -> tuple[int, Any]:
        return request(self.port, "GET", path)

    def post(self, path: str, body: Any, **query: str) -> tuple[int, Any]:
        return request(self.port, "POST", f"{path}?{urlencode(query)}" if query else path, body)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer that must have no errors."""
        status, answer = self.post("/graphql", {"query": query, "variables": variables})
        assert status == 200, answer
        assert "errors" not in answer, answer
        return answer["data"]

    async def subscribe(self, query: str, **variables: Any) -> AsyncGenerator[Any]:
        """Each `data` of a subscription over graphql-transport-ws."""
        uri = f"ws://127.0.0.1:{self.port}/graphql"
        async with connect(uri, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as client:
            await client.send('{"type": "connection_init"}')
            payload = {"query": query, "variables": variables}
            await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for text in client:
                message = json.loads(text)
                if message["type"] == "next":
                    assert "errors" not in message["payload"], message
                    yield message["payload"]["data"]
                elif message["type"] != "connection_ack":
                    raise AssertionError(message)


def request(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and decoded answer; raises OSError when the server goes away."""
    status, _, answer = exchange(port, method, path, body)
    return status, answer


def exchange(port: int, method: str, path: str, body: Any = None) -> tuple[int, Message, Any]:
    """Status, headers and decoded answer; raises OSError when the server goes away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        raw = response.read()
        return response.status, response.headers, json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


async def first(stream: AsyncIterator[Any], seconds: float = 20) -> Any:
    """The next item of a stream, or a failure."""
    return await asyncio.wait_for(anext(stream), seconds)
