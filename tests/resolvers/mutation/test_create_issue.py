"""CreateIssue: one issue for what is one problem, every report kept, repeats without effect."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from models import Issue, Label, Link, Occurrence, Relation, Run, Scope
from models.values import now
from resolvers.errors import Invalid
from resolvers.mutation import (
    DeleteIssue,
    LabelValue,
    LinkValue,
    PartValue,
    ReopenIssue,
    ResolveIssue,
    UpdateIssue,
)
from tests.resolvers.mutation.house import TEKTON, changes, kinds, later, report, success
from tests.resolvers.mutation.house import house as open_house

LOGS = LinkValue("Logs", "https://ci.example/1")
TRACE = LinkValue("Trace", "https://ci.example/2")


async def test_a_first_report_makes_an_issue_with_all_that_came(house):
    before = now()
    outcome = await house.do(
        report(
            links=(LOGS, TRACE),
            labels=(LabelValue("team", "Blue"), LabelValue("cve", "1"), LabelValue("team", "Blue")),
            source="tekton",
            run_id="run-1",
            fingerprint=(PartValue("kind", "nightly"),),
            detected_at="2026-01-02T03:04:05.000000Z",
            resource_namespace="shared",
        ),
        TEKTON,
    )
    assert (outcome.action, outcome.position, outcome.errors) == ("CREATED", 1, ())
    issue = await house.row(Issue)
    scope = await house.row(Scope)
    assert outcome.issue_ids == (issue["id"],)
    assert before <= issue["created_at"] == issue["updated_at"] <= now()
    at = issue["created_at"]
    assert issue == {
        "id": issue["id"],
        "namespace": "team",
        "namespace_folded": "team",
        "scope_id": scope["id"],
        "title": "Build failed: api",
        "title_folded": "build failed: api",
        "description": "exit code 1",
        "description_folded": "exit code 1",
        "severity": "major",
        "severity_rank": 2,
        "issue_type": "build",
        "state": "ACTIVE",
        "source": "tekton",
        "source_folded": "tekton",
        "fingerprint": issue["fingerprint"],
        "fingerprint_parts": issue["fingerprint_parts"],
        "edited_fields": "[]",
        "detected_at": "2026-01-02T03:04:05.000000Z",
        "last_detected_at": "2026-01-02T03:04:05.000000Z",
        "occurrence_count": 1,
        "resolved_at": None,
        "resolved_by_kind": None,
        "resolved_by_id": None,
        "resolved_by_name": None,
        "acknowledged_at": None,
        "acknowledged_by_kind": None,
        "acknowledged_by_id": None,
        "acknowledged_by_name": None,
        "created_at": at,
        "updated_at": at,
    }
    assert [(part["name"], part["value"]) for part in json.loads(issue["fingerprint_parts"])] == [
        ("namespace", "team"),
        ("issueType", "build"),
        ("resourceType", "component"),
        ("resourceName", "api"),
        ("resourceNamespace", "shared"),
        ("kind", "nightly"),
    ]
    links = sorted(await house.rows(Link), key=lambda row: row["ordinal"])
    assert [(link["ordinal"], link["title"], link["url"]) for link in links] == [
        (0, "Logs", "https://ci.example/1"),
        (1, "Trace", "https://ci.example/2"),
    ]
    assert [(label["name"], label["value"], label["value_folded"]) for label in await house.rows(Label)] == [
        ("cve", "1", "1"),
        ("team", "Blue", "blue"),
    ]
    occurrence = await house.row(Occurrence)
    assert [link["url"] for link in json.loads(occurrence.pop("links"))] == [LOGS.url, TRACE.url]
    assert occurrence == {
        "id": occurrence["id"],
        "issue_id": issue["id"],
        "at": "2026-01-02T03:04:05.000000Z",
        "received_at": at,
        "run_id": "run-1",
        "title": "Build failed: api",
        "description": "exit code 1",
        "severity": "major",
        "actor_kind": "WEBHOOK",
        "actor_id": "tekton",
        "actor_name": "Tekton",
    }
    run = await house.row(Run)
    assert (run["fingerprint"], run["at"]) == (issue["fingerprint"], at)


async def test_a_new_run_is_another_occurrence_of_the_active_issue(house):
    first = await house.do(report(run_id="1", links=(LOGS, TRACE), labels=(LabelValue("a", "1"),)))
    (old_logs, old_trace) = sorted(await house.rows(Link), key=lambda row: row["ordinal"])
    at = later(now(), minutes=4)
    second = await house.do(
        report(run_id="2", title="Build broke: api", severity="critical", links=(TRACE,), detected_at=at)
    )
    assert (second.action, second.issue_ids, second.position) == ("UPDATED", first.issue_ids, 2)
    issue = await house.row(Issue)
    assert (issue["title"], issue["severity"], issue["severity_rank"]) == ("Build broke: api", "critical", 3)
    assert (issue["occurrence_count"], issue["last_detected_at"]) == (2, at)
    assert issue["detected_at"] == issue["created_at"] < issue["updated_at"]
    # A list that is not sent stays, one that is sent takes the rows that are there.
    assert len(await house.rows(Label)) == 1
    assert await house.rows(Link) == [old_logs | {"title": "Trace", "url": TRACE.url}]
    line = (await house.log(after=1))[0]
    assert line["kind"] == "OCCURRED"
    told = changes(line)
    occurrence = told.pop("occurrences")[1]
    assert occurrence["runId"] == "2"
    assert told == {
        "title": ("Build failed: api", "Build broke: api"),
        "severity": ("MAJOR", "CRITICAL"),
        "lastDetectedAt": (issue["detected_at"], at),
        "occurrenceCount": (1, 2),
        "links": (
            [{"id": row["id"], "title": row["title"], "url": row["url"]} for row in (old_logs, old_trace)],
            [{"id": old_logs["id"], "title": "Trace", "url": TRACE.url}],
        ),
    }


async def test_empty_lists_clear(house):
    await house.do(report(links=(LOGS,), labels=(LabelValue("a", "1"),)))
    await house.do(report(links=(), labels=()))
    assert await house.rows(Link) == []
    assert await house.rows(Label) == []


WORDS = ("title", "description", "severity", "last_detected_at", "occurrence_count")


async def test_a_late_report_counts_and_leaves_what_the_newer_one_told(house):
    at = later(now(), minutes=-5)
    labels = (LabelValue("try", "2"),)
    await house.do(report(description="newest", severity="minor", links=(LOGS,), labels=labels, detected_at=at))
    before = later(at, minutes=-1)
    late = report(title="Late", description="late", severity="critical", links=(TRACE,), labels=(), detected_at=before)
    assert (await house.do(late)).action == "UPDATED"
    issue = await house.row(Issue)
    assert tuple(issue[name] for name in WORDS) == ("Build failed: api", "newest", "minor", at, 2)
    assert [row["url"] for row in await house.rows(Link)] == [LOGS.url]
    assert [row["value"] for row in await house.rows(Label)] == ["2"]
    occurrence = (await house.rows(Occurrence))[1]
    assert (occurrence["title"], occurrence["severity"], occurrence["at"]) == ("Late", "critical", before)
    told = changes((await house.log(after=1))[0])
    assert told.keys() == {"occurrenceCount", "occurrences"}


async def test_of_reports_in_one_batch_the_newest_tells_in_whatever_order_they_come(house):
    start = later(now(), minutes=-9)
    moments = [later(start, minutes=minute) for minute in (1, 3, 2, 0)]
    await asyncio.gather(*(house.do(report(description=at, detected_at=at)) for at in moments))
    issue = await house.row(Issue)
    assert (issue["description"], issue["last_detected_at"], issue["occurrence_count"]) == (moments[1], moments[1], 4)


async def test_a_report_as_old_as_the_last_or_without_a_time_tells_anew(house):
    at = later(now(), minutes=4)
    await house.do(report(detected_at=at))
    for told in ({"description": "the same time", "detected_at": at}, {"description": "no time"}):
        await house.do(report(**told))
        issue = await house.row(Issue)
        assert (issue["description"], issue["last_detected_at"]) == (told["description"], at)


async def test_a_late_report_is_late_also_to_a_process_that_has_to_read_the_issue(house, database_url):
    await house.do(report(description="newest"))
    await house.writer.close()
    async with open_house(database_url) as other:
        await other.do(report(description="late", detected_at="2020-01-01T00:00:00.000000Z"))
        assert (await other.row(Issue))["description"] == "newest"


async def test_every_part_of_the_fingerprint_tells_issues_apart(house):
    variations: tuple[dict[str, Any], ...] = (
        {},
        {"namespace": "other", "resource_namespace": "team"},
        {"issue_type": "test"},
        {"resource_type": "application"},
        {"resource_name": "web"},
        {"resource_namespace": "shared"},
        {"fingerprint": (PartValue("kind", "deployment"),)},
        {"fingerprint": (PartValue("kind", "scan"),)},
        {"fingerprint": (PartValue("kind", "scan"), PartValue("arch", "arm"))},
    )
    for values in variations:
        assert (await house.do(report(**values))).action == "CREATED"
    for values in variations:
        assert (await house.do(report(**values))).action == "UPDATED"
    other_order = (PartValue("arch", "arm"), PartValue("kind", "scan"))
    assert (await house.do(report(fingerprint=other_order))).action == "UPDATED"


async def test_one_scope_is_shared(house):
    await house.do(report())
    await house.do(report(issue_type="test"))
    await house.do(report(namespace="other", resource_namespace="team"))
    assert len(await house.rows(Scope)) == 1


async def test_reports_without_a_run_always_count(house):
    for _ in range(3):
        await house.do(report())
    assert (await house.row(Issue))["occurrence_count"] == 3


async def test_a_repeated_run_changes_nothing_while_active_and_after(house):
    first = await house.do(report(run_id="1"))
    again = await house.do(report(run_id="1", title="another"))
    assert (again.action, again.issue_ids, again.position) == ("UNCHANGED", first.issue_ids, 1)
    await house.do(success())
    again = await house.do(report(run_id="1", title="another"))
    assert (again.action, again.issue_ids, again.position) == ("UNCHANGED", first.issue_ids, 2)
    second = await house.do(report(run_id="2"))
    assert second.action == "CREATED"
    # Once there is an active issue, that is the answer.
    again = await house.do(report(run_id="1"))
    assert (again.action, again.issue_ids) == ("UNCHANGED", second.issue_ids)
    assert kinds(await house.log()) == ["CREATED", "RESOLVED", "CREATED", "RELATED", "RELATED"]


async def test_a_run_whose_issue_was_deleted_counts_as_new(house):
    first = await house.do(report(run_id="1"))
    await house.do(DeleteIssue(id=first.issue_ids[0]))
    assert (await house.do(report(run_id="1"))).action == "CREATED"
    assert (await house.do(report(run_id="1"))).action == "UNCHANGED"


async def test_a_failure_after_a_resolve_is_a_new_issue_that_recurs(house):
    first = await house.do(report(run_id="1"))
    await house.do(success())
    second = await house.do(report(run_id="2"), TEKTON)
    assert second.action == "CREATED"
    (old,), (new,) = first.issue_ids, second.issue_ids
    relation = await house.row(Relation)
    assert (relation["kind"], relation["source_id"], relation["target_id"]) == ("RECURRENCE_OF", new, old)
    assert (relation["created_by_id"], relation["reason"]) == ("tekton", None)
    created, out, back = (await house.log(after=2))[-3:]
    assert (created["kind"], out["kind"], back["kind"]) == ("CREATED", "RELATED", "RELATED")
    assert [line["issue_id"] for line in (out, back)] == [new, old]
    for line in (out, back):
        assert (line["relation_id"], line["relation_kind"]) == (relation["id"], "RECURRENCE_OF")
        assert (line["source_id"], line["target_id"], line["other_namespace"]) == (new, old, "team")
        assert (line["before"], line["after"]["id"]) == ({}, line["issue_id"])
    assert second.position == back["position"]
    await house.do(success())
    third = await house.do(report(run_id="3"))
    chain = {(row["source_id"], row["target_id"]) for row in await house.rows(Relation)}
    assert chain == {(new, old), (third.issue_ids[0], new)}


async def test_the_window_reopens_the_last_issue(house):
    first = await house.do(report(run_id="1"))
    await house.do(success())
    again = await house.do(report(run_id="2", title="again", reopen_within=timedelta(minutes=5)))
    assert (again.action, again.issue_ids) == ("REOPENED", first.issue_ids)
    issue = await house.row(Issue)
    assert (issue["state"], issue["resolved_at"], issue["resolved_by_id"]) == ("ACTIVE", None, None)
    assert (issue["title"], issue["occurrence_count"]) == ("again", 2)
    assert kinds(await house.log()) == ["CREATED", "RESOLVED", "REOPENED", "OCCURRED"]


async def test_the_window_closes(house):
    before = later(now(), minutes=-6)
    first = await house.do(report(detected_at=before))
    await house.do(ResolveIssue(id=first.issue_ids[0], at=before))
    assert (await house.do(report(reopen_within=timedelta(minutes=5)))).action == "CREATED"


async def test_a_report_older_than_the_resolve_changes_nothing(house):
    first = await house.do(report(run_id="1"))
    await house.do(success())
    resolved_at = (await house.row(Issue))["resolved_at"]
    late = await house.do(report(run_id="2", detected_at=later(resolved_at, seconds=-1)))
    assert (late.action, late.issue_ids, late.position) == ("UNCHANGED", first.issue_ids, 2)
    # It was not taken, so it is not known either.
    assert len(await house.rows(Run)) == 1
    again = await house.do(report(run_id="2", detected_at=resolved_at))
    assert again.action == "CREATED"
    # Nor is it a failure of the issue that came after the resolve.
    late = await house.do(report(run_id="3", detected_at=later(resolved_at, seconds=-1)))
    assert (late.action, late.issue_ids, late.position) == ("UNCHANGED", again.issue_ids, again.position)


@pytest.mark.parametrize("command", [report, success])
def test_a_time_far_in_the_future_is_refused(command):
    field = "detectedAt" if command is report else "at"
    at = {"detected_at" if command is report else "at": later(now(), days=1, minutes=1)}
    with pytest.raises(Invalid) as error:
        command(**at)
    assert [each.field for each in error.value.errors] == [(field,)]
    command(**{name: later(value, minutes=-2) for name, value in at.items()})


async def test_the_last_resolve_counts_not_the_last_creation(house):
    first = await house.do(report())
    await house.do(success())
    await house.do(report())
    await house.do(success())
    await house.do(ReopenIssue(id=first.issue_ids[0]))
    before = now()
    await house.do(ResolveIssue(id=first.issue_ids[0]))
    late = await house.do(report(detected_at=before))
    assert (late.action, late.issue_ids) == ("UNCHANGED", first.issue_ids)


async def test_resolved_on_creation(house):
    outcome = await house.do(report(state="RESOLVED"), TEKTON)
    issue = await house.row(Issue)
    assert outcome.action == "CREATED"
    assert (issue["state"], issue["resolved_at"]) == ("RESOLVED", issue["created_at"])
    assert (issue["resolved_by_kind"], issue["resolved_by_id"]) == ("WEBHOOK", "tekton")
    assert kinds(await house.log()) == ["CREATED", "RESOLVED"]
    assert (await house.log())[0]["after"]["state"] == "ACTIVE"


async def test_a_resolved_report_of_an_active_issue_updates_and_resolves_it(house):
    first = await house.do(report())
    second = await house.do(report(state="RESOLVED", title="done"))
    assert (second.action, second.issue_ids) == ("UPDATED", first.issue_ids)
    issue = await house.row(Issue)
    assert (issue["state"], issue["title"], issue["occurrence_count"]) == ("RESOLVED", "done", 2)
    assert kinds(await house.log()) == ["CREATED", "OCCURRED", "RESOLVED"]


async def test_reports_leave_alone_what_somebody_edited(house):
    await house.do(report(links=(LOGS,), labels=(LabelValue("a", "1"),)))
    id = (await house.row(Issue))["id"]
    await house.do(UpdateIssue(id=id, title="mine", severity="info", links=(TRACE,), labels=()))
    again = report(title="theirs", description="new", links=(LOGS,), labels=(LabelValue("b", "2"),))
    await house.do(again)
    issue = await house.row(Issue)
    assert (issue["title"], issue["severity"], issue["description"]) == ("mine", "info", "new")
    assert [link["url"] for link in await house.rows(Link)] == [TRACE.url]
    assert await house.rows(Label) == []
    # The occurrence keeps the reporter's words.
    assert [row["title"] for row in await house.rows(Occurrence)] == ["Build failed: api", "theirs"]
    # Reopened it is still the same issue; a new one starts afresh.
    await house.do(success())
    await house.do(ReopenIssue(id=id))
    await house.do(again)
    assert (await house.row(Issue))["title"] == "mine"
    await house.do(success())
    await house.do(again)
    assert [row["title"] for row in await house.rows(Issue, Issue.state == "ACTIVE")] == ["theirs"]


async def test_only_the_newest_occurrences_are_kept(database_url):
    async with open_house(database_url, occurrences_kept=3) as house:
        await asyncio.gather(*(house.do(report(run_id=str(number))) for number in range(7)))
        await house.do(report(run_id="7"))
        assert [row["run_id"] for row in await house.rows(Occurrence)] == ["5", "6", "7"]
        assert (await house.row(Issue))["occurrence_count"] == 8
        assert len(await house.rows(Run)) == 8
        assert (await house.do(report(run_id="0"))).action == "UNCHANGED"


async def test_the_window_goes_by_the_time_of_the_failure_and_opens_no_resolved_report(house):
    await house.do(report())
    await house.do(success())
    resolved_at = (await house.row(Issue))["resolved_at"]
    window = timedelta(minutes=2)
    at = later(resolved_at, minutes=3)
    assert (await house.do(report(detected_at=at, reopen_within=window))).action == "CREATED"
    await house.do(success())
    assert (await house.do(report(state="RESOLVED", reopen_within=window))).action == "CREATED"


async def test_what_is_resolved_on_creation_is_not_resolved_before_it_was_detected(house):
    at = later(now(), minutes=4)
    await house.do(report(state="RESOLVED", detected_at=at))
    issue = await house.row(Issue)
    assert (issue["detected_at"], issue["resolved_at"]) == (at, at)


async def test_the_one_before_the_last_is_found_when_the_last_goes_in_the_same_batch(house):
    first = await house.do(report())
    await house.do(success())
    second = await house.do(report())
    await house.do(success())
    _, third = await asyncio.gather(house.do(DeleteIssue(id=second.issue_ids[0])), house.do(report()))
    assert third.action == "CREATED"
    relation = await house.row(Relation)
    assert (relation["source_id"], relation["target_id"]) == (third.issue_ids[0], first.issue_ids[0])
