"""The live list: who applies ENTERED, STAYED and LEFT to the list it asked for holds what the same filter returns."""

import asyncio
import random

import orjson
import pytest

from resolvers.errors import Invalid, Unavailable
from resolvers.subscription import patience, tailer
from tests.resolvers.mutation.house import ADA, BOB, caller
from tests.resolvers.mutation.random_commands import RandomCommands
from tests.resolvers.query.random_where import RandomWhere
from tests.resolvers.subscription.watching import SECONDS, watching

LIST = """query ($where: IssueWhere, $search: String) {
  issues(where: $where, search: $search, first: 100) { position totalCount nodes { id title } } }"""
WATCH = """subscription ($where: IssueWhere, $search: String, $after: LogPosition, $maxBatch: Int!) {
  issueEvents(where: {issue: $where, search: $search}, after: $after, maxBatch: $maxBatch) {
    position caughtUp events { match event { position issueId title } } } }"""

TEAM_ONLY = caller(team=["READ"])
ROUNDS = 3
COMMANDS_A_ROUND = 25
# Filters that random commands go into and out of all the time; others are random.
FILTERS = (
    {},
    {"search": "zwei -label:a"},
    {"where": {"state": {"eq": "ACTIVE"}}},
    {"where": {"namespace": {"eq": "team"}, "severity": {"gte": "MAJOR"}}},
    {"where": {"not": {"scope": {"resourceName": {"contains": "strasse"}}}}},
    {"where": {"or": [{"label": {"name": "B"}}, {"acknowledgedAt": {"isNull": False}}]}},
    {"where": {"occurrenceCount": {"gt": 1}, "issueType": {"eq": "BUILD"}}},
)


class LiveList:
    """A client that comes and goes, is slow at times, and applies every event once."""

    def __init__(self, house, dice, who, variables):
        self.house, self.dice, self.who, self.variables = house, dice, who, variables
        self.issues: set[str] = set()
        self.position = ""
        self.moved = asyncio.Event()

    async def list(self):
        """The ids and the titles that the filter returns now, and the moment."""
        page = (await self.house.ask(LIST, self.who, **self.variables))["issues"]
        assert page["totalCount"] == len(page["nodes"])
        return {node["id"] for node in page["nodes"]}, page["position"]

    async def live(self):
        """Asks, then follows for ever, over connections that break at any moment."""
        while True:
            # Others that follow the same filter go on meanwhile, and may be behind what is asked for here.
            if not self.position or self.dice.random() < 0.3:
                self.issues, self.position = await self.list()
                self.moved.set()
            try:
                async with asyncio.timeout(self.dice.random() ** 2):
                    await self.follow()
            except (TimeoutError, Unavailable):
                await asyncio.sleep(self.dice.choice((0, 0, 0.01, 0.1)))

    async def follow(self):
        """One connection, begun where the last one ended."""
        variables = {**self.variables, "after": self.position, "maxBatch": self.dice.choice((1, 2, 7, 100, 1000))}
        async with self.house.watch(WATCH, self.who, **variables) as watcher:
            if self.dice.random() < 0.5:
                watcher.stream.outlet.sink = lambda frame: self.dice.random() < 0.7 and self.apply(frame)
            async for frame in watcher.stream.frames:
                self.apply(frame)
                await asyncio.sleep(self.dice.choice((0, 0, 0, 0.02)))

    def apply(self, frame):
        """What a frontend does with a batch."""
        batch = orjson.loads(frame.text)["data"]["issueEvents"]
        for item in batch["events"]:
            event = item["event"]
            assert self.position < event["position"] <= batch["position"]
            self.position = event["position"]
            if item["match"] == "ENTERED":
                assert event["issueId"] not in self.issues
                self.issues.add(event["issueId"])
            elif item["match"] == "STAYED":
                assert event["issueId"] in self.issues
            else:
                self.issues.remove(event["issueId"])
        assert self.position <= batch["position"]
        self.position = batch["position"]
        self.moved.set()
        return True

    async def reached(self, position):
        """When everything up to a position was applied."""
        while self.position < position:
            self.moved.clear()
            await self.moved.wait()


async def keep_changing(house, dice, made):
    """One of several who change things at the same time."""
    commands = RandomCommands(dice)
    for _ in range(COMMANDS_A_ROUND):
        try:
            outcome = await house.do(commands.next(list(made)))
        except Invalid:
            continue
        made.update(dict.fromkeys(outcome.issue_ids))
        if dice.random() < 0.2:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(2))
async def test_a_list_kept_by_events_is_the_list_that_is_asked_for(database_url, seed, monkeypatch):
    dice = random.Random(seed)
    # Everything is small, so that every way through is taken: pages, the window, the buffer.
    monkeypatch.setattr(tailer, "PAGE_LINES", 7)
    monkeypatch.setattr(tailer, "WINDOW_LINES", 10)
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.01)
    async with watching(database_url, max_buffered_batches=2) as house:
        wheres = RandomWhere(dice)
        filters = [*FILTERS, *({"where": wheres.issues()} for _ in range(3))]
        lists = [
            LiveList(house, random.Random(f"{seed} {number} {who}"), who, variables)
            for number, variables in enumerate(filters)
            for who in (ADA, BOB, TEAM_ONLY)
        ]
        made: dict[str, None] = {}
        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(each.live()) for each in lists]
            for number in range(ROUNDS):
                await asyncio.gather(
                    *(keep_changing(house, random.Random(f"{seed}{number}{who}"), made) for who in range(3))
                )
                end = await house.position()
                async with asyncio.timeout(SECONDS):
                    await asyncio.gather(*(each.reached(end) for each in lists))
                for each in lists:
                    assert (await each.list())[0] == each.issues, each.variables
            for client in clients:
                client.cancel()
        assert any(0 < len(each.issues) < len(lists[0].issues) for each in lists)
        assert house.streams.groups == 0
