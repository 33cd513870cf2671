"""A whole house in this process, and watchers of it: each batch is the JSON of `issueEvents`."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import orjson

from resolvers.errors import Unavailable
from tests.resolvers.mutation.house import ADA
from web.house import open_house
from web.settings import Settings

SECONDS = 20  # nothing here takes so long unless it is broken
EVENTS = """subscription ($where: IssueEventWhere, $after: LogPosition, $maxBatch: Int! = 100) {
  issueEvents(where: $where, after: $after, maxBatch: $maxBatch) {
    position caughtUp events { match event { position kind issueId title } } } }"""


class Watching:
    """`do` carries out a command, `watch` is a subscription."""

    def __init__(self, house):
        self.house = house
        self.database, self.writer, self.tailer = house.database, house.writer, house.tailer
        self.streams, self.planner, self.log = house.streams, house.planner, house.log

    async def do(self, command, who=ADA):
        return await self.writer.submit(command, who)

    async def ask(self, text, who=ADA, **variables):
        """The data of an answer without errors. Raises Unavailable."""
        operation = self.planner.documents.operation(text, None, variables)
        answer = await self.house.executor.execute(operation, who)
        if any(error["extensions"]["code"] == "UNAVAILABLE" for error in answer.get("errors", ())):
            raise Unavailable("the database is away")
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def position(self):
        """The end of the log, as clients know it."""
        return self.log.text(await self.planner.end_of_log())

    @asynccontextmanager
    async def watch(self, text=EVENTS, who=ADA, last_event=None, name=None, **variables):
        """A subscription; ends with the block."""
        operation = self.planner.documents.operation(text, name, variables)
        async with self.streams.open(operation, who, after=last_event) as stream:
            watcher = Watcher(stream)
            try:
                yield watcher
            finally:
                await watcher.close()


class Watcher:
    """Reads when it is asked to."""

    def __init__(self, stream):
        self.stream = stream
        self._reading: asyncio.Task[Any] | None = None

    async def next(self, seconds=SECONDS):
        """The next result's root field; a TimeoutError leaves the stream as it is."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(anext(self.stream.frames))
        await asyncio.wait([self._reading], timeout=seconds)
        if not self._reading.done():
            raise TimeoutError
        frame = self._reading.result()
        self._reading = None
        (value,) = orjson.loads(frame.text)["data"].values()
        return value

    async def close(self):
        """Reads no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def until(self, position):
        """All batches up to the one that reaches a position."""
        batches = [await self.next()]
        while batches[-1]["position"] < position:
            batches.append(await self.next())
        return batches

    async def has_nothing(self):
        """Whether nothing comes, as far as half a second tells."""
        try:
            await self.next(0.5)
        except TimeoutError:
            return True
        return False


def events(*batches):
    """The events of batches, as (match, kind, issueId)."""
    items = [item for batch in batches for item in batch["events"]]
    return [(item["match"], item["event"]["kind"], item["event"]["issueId"]) for item in items]


@asynccontextmanager
async def watching(url, **settings):
    """All of it, as the server builds it."""
    async with open_house(Settings(database_url=url, **settings)) as house:
        yield Watching(house)
