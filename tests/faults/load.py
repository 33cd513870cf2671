"""The load: reporters that go on reporting whatever happens, and remember what they were told."""

import asyncio
import json
import random
import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

NAMESPACES = ("team-a", "team-b")
PIPELINES = 6
SUCCESSES = 0.1  # of all that is sent
GIVES_UP = 0.3  # of those without an answer; the others send the same again
# What a replica that stands still holds up is sent again, perhaps to another one.
ANSWER_SECONDS = 10.0
PAUSE_AFTER_A_FAILURE_SECONDS = 0.2

_RESOLVED = re.compile(r"Resolved (\d+) issue")


class Told(NamedTuple):
    """A report that was acknowledged: of which issue, as what, and when (of the monotonic clock)."""

    issue_id: str
    action: str
    at: float


class Load:
    """`reporters` at the servers on `ports`, each sending one request after the other with `pause` seconds between.

    Each report has a run of its own, its marker, which is also in its reason; `words` more characters make it long.
    """

    def __init__(
        self, ports: Sequence[int], *, name: str = "load", reporters: int = 8, pause: float = 0.005, words: int = 0
    ) -> None:
        self.acknowledged: dict[str, Told] = {}
        self.unanswered: set[str] = set()
        self.refused = 0  # answers 503
        self.resolved = 0
        self.unanswered_successes = 0
        self._ports = ports
        self._name = name
        self._pause = pause
        self._words = "x" * words
        self._ending = False
        self._tasks = [asyncio.create_task(self._go_on(number)) for number in range(reporters)]

    async def stop(self) -> None:
        """Returns when the last request has been answered, or given up. Raises what went wrong."""
        self._ending = True
        await asyncio.gather(*self._tasks)

    async def end(self) -> None:
        """Lets everything go, whatever state it is in."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def acknowledges(self, count: int, seconds: float = 60) -> None:
        """Returns when so many more reports were acknowledged. Raises what went wrong, TimeoutError."""
        enough = len(self.acknowledged) + count
        async with asyncio.timeout(seconds):
            while len(self.acknowledged) < enough:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.02)

    async def _go_on(self, number: int) -> None:
        dice = random.Random()
        line = _Line()
        count = 0
        while not self._ending:
            count += 1
            about = {
                "pipelineName": f"pipeline-{dice.randrange(PIPELINES)}",
                "namespace": dice.choice(NAMESPACES),
            }
            if dice.random() < SUCCESSES:
                await self._succeed(line, about, dice)
            else:
                await self._fail(line, about, f"{self._name}-{number}-{count}", dice)
            await asyncio.sleep(self._pause)
        line.close()

    async def _fail(self, line: "_Line", about: dict[str, str], marker: str, dice: random.Random) -> None:
        body = {**about, "failureReason": f"{marker} {self._words}", "runId": marker}
        while True:
            answer = await line.post(dice.choice(self._ports), "/api/v1/webhooks/pipeline-failure", body)
            if answer and answer[0] == 201:
                told = Told(answer[1]["issue"]["id"], answer[1]["action"], time.monotonic())
                # What was never sent before cannot be known.
                assert told.action != "unchanged" or marker in self.unanswered, marker
                self.acknowledged[marker] = told
                return
            self._note_failure(answer)
            self.unanswered.add(marker)
            if self._ending or dice.random() < GIVES_UP:
                return
            await asyncio.sleep(PAUSE_AFTER_A_FAILURE_SECONDS)

    async def _succeed(self, line: "_Line", about: dict[str, str], dice: random.Random) -> None:
        answer = await line.post(dice.choice(self._ports), "/api/v1/webhooks/pipeline-success", about)
        if answer and answer[0] == 200:
            said = _RESOLVED.match(answer[1]["message"])
            self.resolved += int(said[1]) if said else 0
            return
        self._note_failure(answer)
        self.unanswered_successes += 1
        await asyncio.sleep(PAUSE_AFTER_A_FAILURE_SECONDS)

    def _note_failure(self, answer: tuple[int, Any] | None) -> None:
        if answer:
            assert answer[0] == 503, answer
            self.refused += 1


class _Line:
    """A reporter's open connections, one a server."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def post(self, port: int, path: str, body: Any) -> tuple[int, Any] | None:
        """Status and decoded answer; None when none came."""
        text = json.dumps(body).encode()
        head = f"POST {path}?namespace={body['namespace']} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if port not in self._open:
                    self._open[port] = await asyncio.open_connection("127.0.0.1", port)
                reader, writer = self._open[port]
                writer.write(head.encode() + text)
                return await _answer(reader)
        except (OSError, EOFError, TimeoutError):
            if port in self._open:
                self._open.pop(port)[1].close()
            return None

    def close(self) -> None:
        """Closes all."""
        for _, writer in self._open.values():
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))
