"""The duplicate rule over several processes: at most one active issue a fingerprint, every run counted once."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import count

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models import Issue, IssueEvent, Occurrence, Relation, Run
from models.database import Database
from tests.resolvers.mutation.house import House, report, success
from tests.resolvers.mutation.house import house as open_house
from tests.resolvers.mutation.processes import writers
from tests.resolvers.mutation.replay import Replay, read_row

PROCESSES = 3
# Two fingerprints; a run may be reported of both, by several processes, any number of times.
TYPES = ("build", "test")
RUNS = st.integers(1, 6)
WINDOW = timedelta(hours=1)

failures = st.builds(
    lambda issue_type, run: {"issue_type": issue_type, "run_id": str(run)}, st.sampled_from(TYPES), RUNS
)
reopening = failures.map(lambda values: values | {"reopen_within": WINDOW})
successes = st.sampled_from(TYPES).map(lambda issue_type: {"issue_type": issue_type})
# What each process does: pieces whose commands wait together.
programs = st.lists(
    st.lists(st.one_of(failures, failures, reopening, successes), min_size=1, max_size=6), min_size=1, max_size=4
)
schedules = st.lists(programs, min_size=PROCESSES, max_size=PROCESSES)


def command(values, namespace):
    make = report if "run_id" in values else success
    return make(namespace=namespace, **values)


def test_any_interleaving_leaves_one_active_issue_and_counts_each_run_once(database_url):
    namespaces = (f"team-{number}" for number in count())

    # Nothing is shrunk: the same schedule may interleave differently the next time.
    @settings(max_examples=20, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(schedules)
    def check(schedule):
        # A database for all examples, a namespace for each: other fingerprints.
        namespace = next(namespaces)
        for process, program in zip(processes, schedule, strict=True):
            process.send([[command(values, namespace) for values in piece] for piece in program])
        outcomes = [process.answers() for process in processes]
        sent = [[values for piece in program for values in piece] for program in schedule]
        runner.run(check_all(house, namespace, sent, outcomes))

    with writers(database_url, PROCESSES) as processes, asyncio.Runner() as runner:
        # No writer here: this loop stands still while the processes write, and would keep a transaction open.
        house = House(Database(database_url))
        try:
            check()
        finally:
            runner.run(house.database.close())


async def check_all(house, namespace, sent, outcomes):
    """The rule, in every line of the log and in the tables at the end."""
    replay = Replay()
    lines = [line for line in await house.log() if line["namespace"] == namespace]
    for line in lines:
        replay.take(line)
        assert max(active(replay.issue.values()).values(), default=0) <= 1
    issues = await house.rows(Issue, Issue.namespace == namespace)
    assert {row["id"]: read_row(row) for row in issues} == replay.issue
    assert max(active(issues).values(), default=0) <= 1

    issue_ids = {row["id"] for row in issues}
    occurrences = [row for row in await house.rows(Occurrence) if row["issue_id"] in issue_ids]
    types = {row["id"]: row["issue_type"] for row in issues}
    reported = [(values["issue_type"], values["run_id"]) for each in sent for values in each if "run_id" in values]
    counted = Counter((types[row["issue_id"]], row["run_id"]) for row in occurrences)
    assert counted == dict.fromkeys(reported, 1)
    assert sum(row["occurrence_count"] for row in issues) == len(counted)
    fingerprints = {row["fingerprint"] for row in issues}
    runs = [row for row in await house.rows(Run) if row["fingerprint"] in fingerprints]
    assert len(runs) == len(counted)

    # The answers agree: one of all that reported a run was told that it counted.
    told = Counter(
        (values["issue_type"], values["run_id"])
        for values, outcome in zip(flat(sent), flat(outcomes), strict=True)
        if outcome.action in ("CREATED", "UPDATED", "REOPENED")
    )
    assert told == counted
    # Each issue but the first of its fingerprint recurs exactly one, and no two the same.
    relations = [row for row in await house.rows(Relation) if row["source_id"] in issue_ids]
    assert {row["kind"] for row in relations} <= {"RECURRENCE_OF"}
    assert len(relations) == len(issues) - len(fingerprints)
    assert len({row["target_id"] for row in relations}) == len(relations)


def active(issues):
    """How many active issues each fingerprint has."""
    return Counter(row["fingerprint"] for row in issues if row["state"] == "ACTIVE")


def flat(lists):
    return [item for each in lists for item in each]


def test_one_problem_reported_by_all_processes_at_once_is_one_issue(database_url):
    runs = 100
    commands = [[[report(run_id=f"{process}-{number}") for number in range(runs)]] for process in range(PROCESSES)]

    def play():
        for process, pieces in zip(processes, commands, strict=True):
            process.send(pieces)
        return Counter(outcome.action for process in processes for outcome in process.answers())

    async def look():
        async with open_house(database_url) as house:
            issue = await house.row(Issue)
            positions = [row["position"] for row in await house.rows(IssueEvent)]
            return issue["occurrence_count"], issue["state"], positions == list(range(1, len(positions) + 1))

    with writers(database_url, PROCESSES) as processes:
        assert play() == {"CREATED": 1, "UPDATED": PROCESSES * runs - 1}
        assert asyncio.run(look()) == (PROCESSES * runs, "ACTIVE", True)
        assert play() == {"UNCHANGED": PROCESSES * runs}
        processes[0].send([[success()]])
        assert [outcome.count for outcome in processes[0].answers()] == [1]
        # After the resolve they are known as well.
        assert play() == {"UNCHANGED": PROCESSES * runs}
        assert asyncio.run(look()) == (PROCESSES * runs, "RESOLVED", True)
