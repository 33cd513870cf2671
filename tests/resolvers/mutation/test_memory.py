"""What the writer knows without reading: only as long as it is true."""

from unittest.mock import patch

import pytest
from sqlalchemy import delete, update

from models import Batch, EventLog, Issue
from models.database import Fetch, Refused, Write
from models.values import new_id
from resolvers.mutation import (
    CreateIssue,
    DeleteIssue,
    LabelValue,
    LinkValue,
    RelateIssues,
    UpdateIssue,
    memory,
    reading,
)
from resolvers.mutation.memory import Memory
from resolvers.mutation.rows import IssueRow, RelationRow
from resolvers.mutation.working_set import WorkingSet
from tests.resolvers.mutation.house import House, made, report, success
from tests.resolvers.mutation.house import house as open_house


@pytest.fixture
async def houses(database_url):
    """Two writers on one database, as two replicas are."""
    async with open_house(database_url) as one, open_house(database_url) as other:
        yield one, other


async def behind_its_back(house: House, statement):
    """A change without a line in the log."""

    def work():
        yield Write(house.database.compile(statement), [{}])

    await house.database.transact(work)


def statements_read(house):
    """A list that gets each statement which a batch reads with."""
    read = []

    class Watched(Fetch):
        def __new__(cls, statement, *values):
            read.append(statement)
            return super().__new__(cls, statement, *values)

    return read, patch.object(reading, "Fetch", Watched)


async def test_what_another_writer_did_is_seen(houses):
    one, other = houses
    first = await made(one, links=(LinkValue("log", "https://ci.example.com/1"),))
    assert (await other.do(report())).issue_ids == (first,)
    assert (await one.do(report())).action == "UPDATED"
    assert (await one.row(Issue))["occurrence_count"] == 3

    assert (await other.do(success())).count == 1
    again = await one.do(report())
    assert again.action == "CREATED"
    await other.do(DeleteIssue(id=again.issue_ids[0]))
    assert (await one.do(report())).action == "CREATED"


async def test_what_the_writer_itself_did_by_other_commands_is_known(house):
    id = await made(house, labels=(LabelValue("team", "a"),))
    await house.do(UpdateIssue(id=id, title="Edited", labels=()))
    await house.do(report(labels=(LabelValue("team", "a"),)))
    row = await house.row(Issue)
    assert (row["title"], row["occurrence_count"]) == ("Edited", 2)

    await house.do(UpdateIssue(id=id, resource_name="web"))
    moved = await made(house)
    await house.do(DeleteIssue(id=moved))
    assert (await house.do(report())).issue_ids != (moved,)
    assert (await house.do(report(resource_name="web"))).issue_ids == (id,)


async def test_a_known_issue_and_its_scope_are_not_read_again(house):
    await made(house)
    read, watching = statements_read(house)
    with watching:
        assert (await house.do(report())).action == "UPDATED"
    statements = house.writer._statements
    assert read == [statements.log_end]


@pytest.mark.parametrize("lost", ["the batch", "the identity"])
async def test_a_log_of_the_same_length_that_is_not_the_same_is_not_believed(house, lost):
    first = await made(house)
    # As in a database that was restored, or lost its last commits and got others.
    await behind_its_back(house, update(Issue).values(state="RESOLVED", resolved_at="2026-01-01T00:00:00.000000Z"))
    if lost == "the batch":
        await behind_its_back(house, delete(Batch))
    else:
        await behind_its_back(house, update(EventLog).values(identity="0123456789ab"))
    again = await house.do(report())
    assert (again.action, again.issue_ids == (first,)) == ("CREATED", False)


async def test_a_batch_that_is_rolled_back_leaves_nothing_to_remember(house):
    id = await made(house)
    decide = CreateIssue.decide

    def breaking(self, found, caller):
        outcome = decide(self, found, caller)
        found.issues[id] = found.issues[id]._replace(state="BROKEN")
        return outcome

    with patch.object(CreateIssue, "decide", breaking), pytest.raises(Refused):
        await house.do(report())
    assert (await house.do(report())).action == "UPDATED"
    assert (await house.row(Issue))["occurrence_count"] == 2


def test_it_has_bounds(monkeypatch):
    monkeypatch.setattr(memory, "MAX_FINGERPRINTS", 2)

    def found(fingerprint):
        found = WorkingSet(at="", end=1)
        found.take_issues((), [fingerprint])
        return found

    kept = Memory()
    kept.believe("log", 0, batch_is_there=False)
    for fingerprint in "abac":
        kept.keep(found(fingerprint), new_id())
    assert set(kept.pairs("abc")) == {"a", "c"}


def test_an_issue_with_much_text_is_not_kept(monkeypatch):
    monkeypatch.setattr(memory, "MAX_CHARACTERS", 100)
    kept = Memory()
    kept.believe("log", 0, batch_is_there=False)
    small = IssueRow._make(["small"] * len(IssueRow._fields))._replace(links=(), labels=())
    found = WorkingSet(at="", end=1)
    found.issues = {"small": small, "large": small._replace(description="x" * 200)}
    kept.keep(found, new_id())
    assert list(kept.issues(["small", "large"])) == ["small"]


def test_issues_and_relations_with_much_text_are_fewer(monkeypatch):
    monkeypatch.setattr(memory, "MAX_ISSUES_CHARACTERS", 10_000)
    monkeypatch.setattr(memory, "MAX_RELATIONS_CHARACTERS", 10_000)
    kept = Memory()
    kept.believe("log", 0, batch_is_there=False)
    plain = IssueRow._make(["x"] * len(IssueRow._fields))._replace(links=(), labels=())
    related = RelationRow._make(["r"] * len(RelationRow._fields))
    for length, issues, relations in ((0, 9, 5), (3_000, 2, 2), (0, 9, 5)):
        ids = [f"{length}-{number}" for number in range(20)]
        for id in ids:
            found = WorkingSet(at="", end=1)
            found.issues = {id: plain._replace(id=id, description="x" * length)}
            about = related._replace(id=id, source_id=id, target_id=f"{id} other", reason="r" * length)
            found.take_relations([about], [id])
            kept.keep(found, new_id())
        assert list(kept.issues(ids)) == ids[-issues:]
        assert list(kept.relations(ids)) == ids[-relations:]


async def test_issues_that_are_related_do_not_throw_each_other_out(house):
    one, other = await made(house), await made(house, resource_name="web")
    await house.do(RelateIssues(source_id=one, target_id=other))
    for name in ("api", "web"):
        await house.do(report(resource_name=name))
    read, watching = statements_read(house)
    with watching:
        for name in ("api", "web"):
            assert (await house.do(report(resource_name=name))).action == "UPDATED"
    assert read == [house.writer._statements.log_end] * 2
