"""What waits: bounded by number and by bytes, and whoever floods the queue makes nobody else wait behind all of it."""

import asyncio
from dataclasses import replace
from unittest.mock import patch

import pytest

from models import Issue, Occurrence
from resolvers.caller import Actor, ActorKind, everywhere
from resolvers.errors import Overloaded
from resolvers.mutation import writer
from resolvers.mutation.queue import Queue, Waiting
from tests.resolvers.mutation.house import ADA, BOB, report, success
from tests.resolvers.mutation.house import house as open_house

EVE = everywhere(Actor(ActorKind.PERSON, "eve", "Eve"))


def names(who, *numbers):
    return [f"{who.actor.id} {number}" for number in numbers]


class Door:
    """A queue whose items are called `ada 0`, `ada 1` and so on."""

    def __init__(self, *, max_commands=1_000, max_bytes=1_000_000):
        self.queue = Queue(max_commands=max_commands, max_bytes=max_bytes)
        self.came: dict[str, int] = {}

    def put(self, who, times=1, size=1):
        """How many were let in until one was not."""
        for done in range(times):
            number = self.came.get(who.actor.id, 0)
            try:
                self.queue.put(Waiting(f"{who.actor.id} {number}", who, None, size))  # type: ignore[arg-type]
            except Overloaded:
                return done
            self.came[who.actor.id] = number + 1
        return times

    def take(self, most):
        return [item.command for item in self.queue.take(most)]


def test_one_caller_is_served_in_order():
    door = Door()
    door.put(ADA, 5)
    assert len(door.queue) == 5
    assert (door.take(3), door.take(3), door.take(3)) == (names(ADA, 0, 1, 2), names(ADA, 3, 4), [])
    assert len(door.queue) == 0


def test_callers_take_turns_and_each_keeps_its_order():
    door = Door()
    door.put(ADA, 6)
    door.put(BOB, 2)
    door.put(EVE)
    assert door.take(4) == ["ada 0", "bob 0", "eve 0", "ada 1"]
    # Who comes again waits for one turn of each, not for all that Ada has.
    door.put(EVE)
    assert door.take(9) == ["bob 1", "ada 2", "eve 1", "ada 3", "ada 4", "ada 5"]


def test_the_addresses_of_one_tool_are_one_line_so_that_a_success_never_overtakes_its_failure():
    door = Door()
    failing = everywhere(Actor(ActorKind.WEBHOOK, "pipeline-failure", "pipeline-failure"))
    passing = everywhere(Actor(ActorKind.WEBHOOK, "pipeline-success", "pipeline-success"))
    failing, passing = replace(failing, tool="pipeline"), replace(passing, tool="pipeline")
    other = replace(failing, tool="build")
    door.put(failing, 2)
    door.put(passing)
    door.put(other)
    assert door.take(4) == ["pipeline-failure 0", "pipeline-failure 2", "pipeline-failure 1", "pipeline-success 0"]


@pytest.mark.parametrize(("limits", "size"), [({"max_commands": 60}, 1), ({"max_bytes": 6_000}, 100)])
def test_one_caller_fills_half_and_the_other_half_is_for_others(limits, size):
    door = Door(**limits)
    assert door.put(ADA, 99, size) == 30
    # Two have a third each, and a third is kept for who comes next.
    assert door.put(BOB, 99, size) == 20
    assert door.put(EVE, 99, size) == 10
    assert len(door.queue) == 60
    # What was taken makes room for those who have less than their share.
    assert len(door.take(30)) == 30
    assert door.put(ADA, 99, size) == 0
    assert door.put(BOB, 99, size) == 10
    door.take(60)
    assert door.put(ADA, 99, size) == 30


def test_many_callers_share_what_there_is():
    door = Door(max_commands=100)
    callers = [everywhere(Actor(ActorKind.TOKEN, str(number), "")) for number in range(200)]
    assert [door.put(who) for who in callers] == [1] * 100 + [0] * 100
    assert door.take(3) == ["0 0", "1 0", "2 0"]


def test_a_body_larger_than_the_limit_is_let_in_where_there_is_room():
    door = Door(max_bytes=10)
    assert door.put(ADA, 2, size=50) == 1
    assert door.put(BOB) == 0
    assert door.take(1) == ["ada 0"]
    assert door.put(BOB) == 1


def test_the_smallest_queue_holds_one():
    door = Door(max_commands=1, max_bytes=1)
    assert door.put(ADA, 2) == 1
    assert door.take(2) == ["ada 0"]
    assert door.put(BOB, 2) == 1


async def test_who_floods_the_writer_makes_nobody_wait_behind_all_of_it(database_url):
    async with open_house(database_url, queue_limit=200) as house:
        with patch.object(writer, "MAX_BATCH_COMMANDS", 10):
            flood = [asyncio.create_task(house.do(report(run_id=str(number)))) for number in range(150)]
            await asyncio.sleep(0)
            other = await asyncio.gather(*(house.do(success(resource_name="web"), BOB) for _ in range(3)))
            # The batch that was taken already, and the one with theirs.
            assert max(outcome.position for outcome in other) <= 20
            assert sum(task.done() for task in flood) <= 50 + 20
            outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[100:]] == [Overloaded] * 50
    assert [outcome.position for outcome in outcomes[:100]] == list(range(1, 101))


@pytest.mark.parametrize("limits", [{"queue_limit": 20}, {"queue_bytes": 20 * len(repr(report(run_id="10")))}])
async def test_more_than_may_wait_is_overloaded_and_leaves_nothing_behind(database_url, limits):
    async with open_house(database_url, **limits) as house:
        commands = [report(run_id=str(number)) for number in range(10, 25)]
        outcomes = await asyncio.gather(*map(house.do, commands), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[10:]] == [Overloaded] * 5
        assert [outcome.position for outcome in outcomes[:10]] == list(range(1, 11))
        # There is room again.
        assert (await house.do(commands[14])).position == 11
        assert (await house.row(Issue))["occurrence_count"] == 11
        assert len(await house.rows(Occurrence)) == 11


async def test_a_request_counts_with_its_body(database_url):
    async with open_house(database_url, queue_bytes=1_000) as house:
        commands = [house.writer.submit(report(run_id=str(number)), ADA, body_bytes=400) for number in range(3)]
        outcomes = await asyncio.gather(*commands, return_exceptions=True)
    assert [getattr(outcome, "action", None) for outcome in outcomes] == ["CREATED", "UPDATED", None]
    assert isinstance(outcomes[2], Overloaded)
