"""What is left of a tenant that has left: nothing; of its neighbours: everything."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models import Base, DevlakeConnection, Issue, IssueEvent, Occurrence, Run, Scope
from models.database import Database, Unavailable, Write
from models.vacuum import vacuum
from models.values import now
from resolvers.access import AuditLog, NewToken, Tokens
from resolvers.access.storage import insert_row
from resolvers.caller import Grant, Permission
from resolvers.errors import PositionExpired, Problem
from resolvers.mutation import (
    DeleteIssue,
    DeployedChange,
    LabelValue,
    LinkValue,
    RecordChange,
    RecordDeployment,
    RelateIssues,
    TrackIssue,
    UpdateIssue,
    Writer,
)
from resolvers.tenant import Counted, Erase, count, erase, erasing
from resolvers.webhooks.deliveries import Deliveries
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import ADA, made, report, success
from tests.resolvers.mutation.house import house as open_house
from tests.resolvers.subscription.watching import events, watching
from tests.resolvers.webhooks.post import received, tool

# In every text that the tenant has.
MARK = "quetzal"
OURS = {
    "namespace": MARK,
    "title": f"{MARK} failed",
    "description": f"{MARK} is broken",
    "source": f"ci of {MARK}",
    "labels": (LabelValue(MARK, MARK),),
    "links": (LinkValue(MARK, f"https://{MARK}.example.com"),),
}
TOLD = {"audit_event", "token_grant"}
# These change with every command.
COUNTERS = {"event_log", "batch", *TOLD}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(erase, "SECONDS_TO_HEAR", 0)
    monkeypatch.setattr(erase, "PAUSE_SECONDS", 0)


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house


@asynccontextmanager
async def eraser(url, kind=Erase):
    """As the command has it: a database and a writer of its own, beside those of the house."""
    database = Database(url)
    writer = Writer(database)
    await writer.start()
    try:
        yield kind(database, writer, AuditLog(database))
    finally:
        await writer.close()
        await database.close()


async def tables(house):
    """All rows there are, as text, by table."""
    found = {}
    for name, table in Base.metadata.tables.items():
        rows = await house.database.fetch(house.database.compile(select(*table.columns)))
        found[name] = {json.dumps([*row], default=str) for row in rows}
    return found


async def neighbours(house):
    """Those who stay: one with a name that begins alike, and one who has all that one can have."""
    plain = {"labels": (LabelValue("tier", "1"),), "links": (LinkValue("log", "https://ci.example.com"),)}
    rival = await made(house, namespace="rival", run_id="1", idempotency_key="theirs", **plain)
    await house.do(report(namespace="rival", run_id="2"))
    other = await made(house, namespace="rival", resource_name="other")
    await house.do(RelateIssues(source_id=rival, target_id=other, kind="CAUSED_BY"))
    gone = await made(house, namespace="rival", resource_name="gone")
    await house.do(DeleteIssue(id=gone))
    await recorded(house, "rival")
    # Not by its name, which would be found below.
    await made(house, namespace=MARK[:4] + "*")
    return rival


async def tenant(house, rival):
    """Everything in which a tenant's words can be."""
    one = await made(house, run_id="1", idempotency_key="ours", **OURS)
    await house.do(report(run_id="2", **OURS))
    two = await made(house, resource_name=f"{MARK}-two", **OURS)
    gone = await made(house, resource_name=f"{MARK}-gone", run_id="3", **OURS)
    await house.do(DeleteIssue(id=gone))
    await house.do(success(namespace=MARK, resource_name=f"{MARK}-two"))
    await house.do(UpdateIssue(id=one, resource_name=f"{MARK}-renamed", description=f"more of {MARK}"))
    await house.do(RelateIssues(source_id=one, target_id=two, kind="RELATED", reason=MARK))
    await house.do(RelateIssues(source_id=one, target_id=rival, kind="CAUSED_BY", reason=MARK))
    await house.do(RelateIssues(source_id=rival, target_id=two, kind="RELATED", reason=MARK))
    await recorded(house, MARK)
    await delivered(house, MARK, "rival")
    return one


async def delivered(house, *namespaces):
    """A webhook's delivery with an item for each."""
    items = [Plan(index=index, action="ignored", namespace=each) for index, each in enumerate(namespaces)]
    body = json.dumps(namespaces).encode()
    await Deliveries(house.writer).carry_out(received(body=body), items, tool(*namespaces))


async def recorded(house, namespace):
    """What tools tell beside issues, and a connection that they tell it to."""
    own = {"namespace": namespace, "source": "devlake", "system": namespace}
    for number in range(3):
        change = DeployedChange(sha=f"{namespace}-{number}")
        await house.do(RecordDeployment(**own, external_id=f"{number}", changes=(change,)))
    await house.do(RecordChange(**own, kind="commit", external_id="1"))
    incident = {**own, "external_id": "1", "kind": "INCIDENT", "state": "ACTIVE"}
    await house.do(TrackIssue(**incident, report=report(namespace=namespace, resource_name=f"{namespace}-3")))
    await house.do(success(namespace=namespace, resource_name=f"{namespace}-4", at=now()))
    await delivered(house, namespace)
    connection = {"id": len(namespace), "name": namespace, "namespace": namespace, "token_id": None}
    row = {**connection, "created_at": now(), "updated_at": now()}

    def work():
        yield Write(house.database.compile(insert_row(DevlakeConnection)), [row])

    await house.database.transact(work)


async def test_nothing_is_left_of_it_and_all_is_left_of_the_others(house, database_url, monkeypatch):
    monkeypatch.setattr(erasing, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(erasing, "ISSUES_AT_ONCE", 1)
    monkeypatch.setattr(erasing, "ANSWERS_AT_ONCE", 1)
    for module in (erase, erasing):
        monkeypatch.setattr(module, "RECORDS_AT_ONCE", 2)
    monkeypatch.setattr(erase, "RANGE_LINES", 4)
    grants = (Grant(Permission.READ, MARK),)
    await Tokens(house.database, AuditLog(house.database)).create(NewToken(name="reader", grants=grants), ADA)
    rival = await neighbours(house)
    before = await tables(house)
    await tenant(house, rival)
    there = await count(house.database, MARK)
    assert there.issues == len(await house.rows(Issue, Issue.namespace == MARK)) == 3
    assert there.events == len(await house.rows(IssueEvent, IssueEvent.namespace == MARK))

    async with eraser(database_url) as it:
        erased = await it.run(MARK, ADA)
    after = await tables(house)
    for name in before.keys() - COUNTERS:
        assert after[name] == before[name], name
    assert {name for name, rows in after.items() if any(MARK in row for row in rows)} == TOLD
    assert (erased.issues, erased.runs, erased.answers, erased.left) == (3, 3, 1, 0)
    assert erased.records == 7
    # Those that the deletion itself wrote: for each issue one, for the relation within two, and two halves.
    assert erased.events == there.events + 3 + 2 + 2
    assert erased.relation_events == 4
    assert erased.scopes == 5
    (begun, done) = [json.loads(row) for row in sorted(after["audit_event"]) if "NAMESPACE_ERASED" in row]
    told = [json.loads(entry[-1]) for entry in (begun, done)]
    assert told[0] == {"phase": "BEGUN", "issues": 3, "events": there.events}
    assert told[1] == {
        "phase": "DONE",
        "issues": 3,
        "events": erased.events,
        "relation_events": 4,
        "runs": 3,
        "scopes": 5,
        "records": 7,
        "answers": 1,
        "left": 0,
    }
    assert await count(house.database, MARK) == Counted(0, 0)


async def test_written_anew_the_file_has_nothing_of_it_either(sqlite_url):
    path = sqlite_url.removeprefix("sqlite+aiosqlite:///")
    words = [
        f"{MARK}{rest}".encode() for rest in (" failed", " is broken", ".example.com", "-two", "-renamed", "-gone")
    ]

    def found():
        raw = b"".join(Path(f"{path}{end}").read_bytes() for end in ("", "-wal"))
        return {word for word in words if word in raw}

    async with open_house(sqlite_url) as house:
        await tenant(house, await neighbours(house))
        async with eraser(sqlite_url) as it:
            await it.run(MARK, ADA)
        assert found() == {*words}
        # The writer of the house has it open.
        assert vacuum(sqlite_url)
        assert found() == set()
        assert (await house.do(report(**OURS))).action == "CREATED"


async def test_an_issue_that_moved_away_stays_with_what_happened_there(house, database_url):
    id = await made(house, namespace=MARK, resource_namespace="shared", run_id="1")
    await house.do(UpdateIssue(id=id, namespace="rival"))
    async with eraser(database_url) as it:
        erased = await it.run(MARK, ADA)
    assert (erased.issues, erased.events) == (0, 2)
    assert (await house.row(Issue))["id"] == id
    assert len(await house.rows(Scope)) == len(await house.rows(Occurrence)) == 1
    assert [(line["namespace"], line["before"]) for line in await house.log()] == [("rival", None)]
    assert (await house.do(report(namespace="rival", resource_namespace="shared"))).action == "UPDATED"


class Interrupted(Erase):
    """Somebody else does something between the deletion of the issues and that of the rest."""

    meanwhile: Any

    async def _delete_answers(self, namespace, erased):
        await self.meanwhile()
        await super()._delete_answers(namespace, erased)


async def test_who_knows_a_scope_by_heart_makes_it_anew(house, database_url):
    await made(house, run_id="1")

    async def meanwhile():
        # One batch, which leaves both scopes in the memory of the writer.
        await asyncio.gather(house.do(success()), house.do(report(namespace="rival")))
        assert len(await house.rows(Scope)) == 2

    async with eraser(database_url, Interrupted) as it:
        it.meanwhile = meanwhile
        assert (await it.run("team", ADA)).scopes == 1
    assert [row["resource_namespace"] for row in await house.rows(Scope)] == ["rival"]
    # The run is not known any more either.
    assert (await house.do(report(run_id="1"))).action == "CREATED"
    assert (await house.do(report(run_id="1"))).action == "UNCHANGED"
    assert len(await house.rows(Run)) == 1


async def test_what_is_reported_meanwhile_stays_whole(house, database_url):
    await made(house, run_id="1")

    async def meanwhile():
        assert (await house.do(report(run_id="2"))).action == "CREATED"

    async with eraser(database_url, Interrupted) as it:
        it.meanwhile = meanwhile
        assert (await it.run("team", ADA)).left == 1
    issue = await house.row(Issue)
    assert [(line["kind"], line["issue_id"]) for line in await house.log()] == [("CREATED", issue["id"])]
    assert len(await house.rows(Run)) >= 1
    assert (await house.do(report(run_id="2"))).action == "UNCHANGED"


async def test_ended_anywhere_it_can_be_run_again(house, database_url, monkeypatch):
    monkeypatch.setattr(erasing, "LINES_AT_ONCE", 4)
    monkeypatch.setattr(erasing, "ISSUES_AT_ONCE", 1)
    rival = await neighbours(house)
    before = await tables(house)
    await tenant(house, rival)
    ends = 0
    while True:
        async with eraser(database_url) as it:
            transact, left = it._database.transact, ends + 1

            async def failing(work, transact=transact):
                nonlocal left
                left -= 1
                if left < 0:
                    raise Unavailable("the power is out")
                return await transact(work)

            monkeypatch.setattr(it._database, "transact", failing)
            try:
                await it.run(MARK, ADA)
                break
            except Problem:
                ends += 1
    assert ends >= 3
    after = await tables(house)
    for name in before.keys() - COUNTERS:
        assert after[name] == before[name], name
    assert [name for name, rows in after.items() if any(MARK in row for row in rows)] == ["audit_event"]


async def test_who_watches_hears_of_each_and_goes_on_and_who_comes_back_begins_anew(database_url, monkeypatch):
    monkeypatch.setattr(erase, "SECONDS_TO_HEAR", 0.5)
    async with watching(database_url) as house:
        monkeypatch.setattr(house.tailer, "_poll_seconds", 0.05)
        ids = [await made(house, resource_name=f"{number}") for number in range(3)]
        start = await house.position()
        where = {"issue": {"namespace": {"eq": "team"}}}
        async with house.watch(where=where) as watcher, eraser(database_url) as it:
            await watcher.next()
            await it.run("team", ADA)
            again = await made(house, resource_name="0")
            told = events(*(await watcher.until(await house.position())))
            assert [tuple(event[-3:]) for event in told] == [
                *(("LEFT", "DELETED", id) for id in ids),
                ("ENTERED", "CREATED", again),
            ]
        await house.tailer.catch_up()
        with pytest.raises(PositionExpired):
            async with house.watch(after=start) as late:
                await late.next()
        async with house.watch(after=await house.position()) as watcher:
            assert (await watcher.next())["events"] == []


async def test_who_was_away_while_lines_went_is_told_so(sqlite_url, monkeypatch):
    async with watching(sqlite_url) as house:
        monkeypatch.setattr(house.tailer, "_poll_seconds", 0.05)
        await made(house)
        async with house.watch() as watcher, eraser(sqlite_url) as it:
            await watcher.next()
            read = house.database.read

            async def away(work, **more):
                raise Unavailable("away")

            monkeypatch.setattr(house.database, "read", away)
            while house.tailer.problem is None:
                await asyncio.sleep(0.01)
            await it.run("team", ADA)
            # It is not the end of the log that is missing.
            await made(house, namespace="rival")
            monkeypatch.setattr(house.database, "read", read)
            with pytest.raises(PositionExpired):
                await watcher.next()
