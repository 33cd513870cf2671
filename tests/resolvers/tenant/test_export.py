"""What a tenant takes with it: all of its namespace, of one moment, and nothing of its neighbours but ids."""

import asyncio
import io
import json
from dataclasses import asdict
from typing import Any

import pytest

from models import AuditEvent
from models.values import new_id
from resolvers.access import AuditLog
from resolvers.mutation import (
    DeleteIssue,
    DeployedChange,
    LabelValue,
    RecordChange,
    RecordDeployment,
    RelateIssues,
    TrackIssue,
    UpdateIssue,
)
from resolvers.tenant import Export, export, records
from tests.resolvers.mutation.house import ADA, made, report
from tests.resolvers.mutation.house import house as open_house


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house


async def exported(house, namespace="team"):
    """The lines by what they are, without their `__typename`."""
    file = io.BytesIO(b"what was written before the database had to begin anew")
    counts = await Export(house.database, AuditLog(house.database)).write(namespace, file, ADA.actor)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    kinds = ("Issue", "Relation", "IssueEvent", "Deployment", "Change", "TrackedIssue")
    of_kind = {kind: [] for kind in ("Export", *kinds, "ExportEnd")}
    for line in lines:
        of_kind[line.pop("__typename")].append(line)
    assert (lines[0], lines[-1]) == (of_kind["Export"][0], of_kind["ExportEnd"][0])
    assert of_kind["ExportEnd"] == [asdict(counts)]
    assert [len(of_kind[kind]) for kind in kinds] == [*of_kind["ExportEnd"][0].values()]
    return of_kind, file.getvalue().decode()


async def test_of_a_neighbour_nothing_is_told_but_its_id(house):
    hidden = {"title": "SECRET", "description": "SECRET", "labels": (LabelValue("SECRET", "SECRET"),)}
    neighbour = await made(house, namespace="rival-SECRET", **hidden)
    ours = await made(house)
    alike = await made(house, namespace="team-a", **hidden)
    await house.do(RelateIssues(source_id=ours, target_id=neighbour, kind="CAUSED_BY"))
    await house.do(RelateIssues(source_id=alike, target_id=ours, kind="DUPLICATE_OF"))
    # It came from elsewhere, and went elsewhere.
    guest = await made(house, resource_name="guest", namespace="rival-SECRET", **hidden)
    await house.do(UpdateIssue(id=guest, title="fine", description="fine", labels=()))
    await house.do(UpdateIssue(id=guest, namespace="team"))
    await house.do(UpdateIssue(id=guest, namespace="rival-SECRET", title="SECRET"))

    told, text = await exported(house)
    assert "SECRET" not in text.replace('"resourceNamespace":"rival-SECRET"', "").replace(
        '{"name":"resourceNamespace","value":"rival-SECRET"}', ""
    )
    assert "team-a" not in text
    assert [issue["id"] for issue in told["Issue"]] == [ours]
    ends = {(line["source"]["id"], line["target"]["id"]) for line in told["Relation"]}
    assert ends == {(ours, neighbour), (alike, ours)}
    assert all([*line["source"]] == [*line["target"]] == ["id"] for line in told["Relation"])
    assert [(line["kind"], line["issueId"]) for line in told["IssueEvent"]] == [
        ("CREATED", ours),
        ("RELATED", ours),
        ("RELATED", ours),
        ("UPDATED", guest),
        ("UPDATED", guest),
    ]


async def test_pages_are_of_one_moment_whoever_reports_meanwhile(house, monkeypatch):
    monkeypatch.setattr(export, "ISSUES_AT_ONCE", 2)
    monkeypatch.setattr(export, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(export, "ISSUES_WITH_OCCURRENCES_AT_ONCE", 1)
    # Two of them at the very same time, so that only their ids tell them apart.
    at = "2026-01-31T08:15:00.000000Z"
    for number in range(9):
        await made(house, resource_name=f"before-{number}", detected_at=at, run_id="1")
        await house.do(report(resource_name=f"before-{number}", detected_at=at, run_id="2"))
    over = False

    async def reporting():
        while not over:
            await made(house, resource_name=f"meanwhile-{new_id()}")

    running = asyncio.create_task(reporting())
    try:
        for _ in range(3):
            told, _ = await exported(house)
            created = [line["issueId"] for line in told["IssueEvent"] if line["kind"] == "CREATED"]
            ids = [issue["id"] for issue in told["Issue"]]
            assert len(ids) == len(set(ids)) >= 9
            assert sorted(ids) == sorted(created)
            assert all(len(issue["occurrences"]) == issue["occurrenceCount"] for issue in told["Issue"])
            assert max(line["position"] for line in told["IssueEvent"]) == told["Export"][0]["position"]
    finally:
        over = True
        await running


async def test_a_relation_is_told_once_and_what_was_deleted_is_in_the_log(house, monkeypatch):
    monkeypatch.setattr(export, "ISSUES_AT_ONCE", 1)
    one, other, gone = [await made(house, resource_name=name) for name in ("one", "other", "gone")]
    await house.do(RelateIssues(source_id=one, target_id=other, kind="RELATED", reason="same night"))
    await house.do(DeleteIssue(id=gone))
    told, _ = await exported(house)
    assert {issue["id"] for issue in told["Issue"]} == {one, other}
    ((relation),) = told["Relation"]
    assert (relation["reason"], relation["createdBy"]) == ("same night", {"kind": "PERSON", "id": "ada", "name": "Ada"})
    assert [line["kind"] for line in told["IssueEvent"] if line["issueId"] == gone] == ["CREATED", "DELETED"]


async def test_what_tools_told_beside_issues_is_told(house, monkeypatch):
    monkeypatch.setattr(records, "RECORDS_AT_ONCE", 2)
    at = "2026-01-31T08:15:00.000000Z"
    deployed = (DeployedChange(sha="aaa", repository="https://git/shop"), DeployedChange(sha="bbb"))
    for namespace in ("team", "rival"):
        own: dict[str, Any] = {"namespace": namespace, "source": "devlake"}
        for number in range(3):
            labels = (LabelValue("team", "mercury"),)
            await house.do(RecordDeployment(**own, external_id=f"{number}", labels=labels, changes=deployed))
            await house.do(RecordChange(**own, kind="commit", external_id=f"{number}", authored_at=at))
        incident = report(namespace=namespace)
        tracked = {**own, "kind": "INCIDENT", "state": "ACTIVE"}
        await house.do(TrackIssue(**tracked, external_id="DLK-1", report=incident))
        await house.do(TrackIssue(**tracked, external_id="DLK-2", report=None))
    told, _ = await exported(house)
    assert [each["externalId"] for each in told["Deployment"]] == ["0", "1", "2"]
    shown = told["Deployment"][2]
    assert shown["namespace"] == "team"
    assert shown["labels"] == [{"name": "team", "value": "mercury"}]
    assert [(each["sha"], each["repository"]) for each in shown["changes"]] == [
        ("aaa", "https://git/shop"),
        ("bbb", ""),
    ]
    assert [(each["externalId"], each["authoredAt"]) for each in told["Change"]] == [(f"{n}", at) for n in range(3)]
    (issue,) = told["Issue"]
    assert [(each["externalId"], each["issueId"]) for each in told["TrackedIssue"]] == [
        ("DLK-1", issue["id"]),
        ("DLK-2", None),
    ]


async def test_the_audit_tells_who_had_it_and_how_much(house):
    await made(house)
    await exported(house)
    entry = await house.row(AuditEvent)
    assert (entry["kind"], entry["actor_id"]) == ("ISSUES_EXPORTED", "ada")
    assert entry["namespace"] == entry["subject"] == "team"
    others = dict.fromkeys(("relations", "deployments", "changes", "tracked"), 0)
    assert json.loads(entry["details"]) == {"issues": 1, "events": 1, **others}
