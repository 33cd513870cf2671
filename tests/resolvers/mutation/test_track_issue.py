"""Issues of other trackers: told whole each time, known by their own ids, shown by issues of ours."""

import pytest

from models import Issue, TrackedIssue
from models.values import now
from resolvers.caller import Permission
from resolvers.errors import Forbidden, Invalid
from resolvers.mutation import (
    CloseTrackedIssue,
    DeleteIssue,
    LabelValue,
    PartValue,
    ReopenIssue,
    ResolveIssue,
    TrackIssue,
    UpdateIssue,
)
from resolvers.mutation.record_delivery import RecordDelivery
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import ADA, caller, changes, kinds, later, report
from tests.resolvers.mutation.house import house as open_house

AT = "2026-01-31T08:15:00.000000Z"
SINCE = "2026-01-31T09:15:00.000000Z"
REPAIRED = "2026-01-31T10:15:00.000000Z"


@pytest.fixture
async def house(database_url):
    async with open_house(database_url) as house:
        yield house


def incident(key="DLK-1", *, look=None, **values):
    """An incident that is open since AT; `look`: what is told of how it looks."""
    shown = report(
        title="Shop is down",
        issue_type="incident",
        detected_at=AT,
        fingerprint=(PartValue("issueKey", key),),
        **(look or {}),
    )
    told = {"namespace": "team", "source": "devlake", "system": "1", "external_id": key, "kind": "INCIDENT"}
    return TrackIssue(**{**told, "state": "ACTIVE", "report": shown, **values})


def closing(key="DLK-1", **values):
    told = {"namespace": "team", "source": "devlake", "system": "1", "external_id": key}
    return CloseTrackedIssue(**{**told, **values})


async def test_it_is_told_whole_each_time_and_the_same_again_changes_nothing(house):
    made = await house.do(incident())
    assert made.action == "CREATED"
    for _ in range(3):
        again = await house.do(incident())
        assert (again.action, again.issue_ids) == ("UNCHANGED", made.issue_ids)
    row = await house.row(Issue)
    assert (row["occurrence_count"], row["detected_at"]) == (1, AT)
    told = await house.do(incident(look={"severity": "critical", "labels": (LabelValue("assignee", "ada"),)}))
    assert (told.action, told.issue_ids) == ("UPDATED", made.issue_ids)
    assert [line["kind"] for line in await house.log()] == ["CREATED", "UPDATED"]
    assert (await house.row(Issue))["severity"] == "critical"


async def test_it_is_resolved_and_reopened_there_and_here_at_its_own_times(house):
    (id,) = (await house.do(incident())).issue_ids
    assert (await house.do(incident(state="RESOLVED", resolved_at=REPAIRED))).action == "RESOLVED"
    row = await house.row(Issue)
    assert (row["state"], row["resolved_at"]) == ("RESOLVED", REPAIRED)
    assert (await house.do(incident(state="RESOLVED", resolved_at=REPAIRED))).action == "UNCHANGED"
    # It was open before it was resolved, and that comes late.
    late = await house.do(incident(changed_at=SINCE))
    assert (late.action, (await house.row(Issue))["state"]) == ("UNCHANGED", "RESOLVED")
    await house.do(incident(state="RESOLVED", resolved_at=REPAIRED))
    again = await house.do(incident(changed_at=later(REPAIRED, minutes=1)))
    assert (again.action, again.issue_ids) == ("REOPENED", (id,))
    assert kinds(await house.log()) == ["CREATED", "RESOLVED", "REOPENED"]


@pytest.mark.parametrize("changed_at", [None, AT])
async def test_what_was_open_before_the_resolution_comes_late_though_that_was_no_change(house, changed_at):
    await house.do(incident(changed_at=AT))
    await house.do(incident(state="RESOLVED", changed_at=changed_at, resolved_at=REPAIRED))
    late = await house.do(incident(changed_at=SINCE, look={"severity": "critical"}))
    row = await house.row(Issue)
    assert (late.action, row["state"], row["severity"]) == ("UNCHANGED", "RESOLVED", "major")
    again = await house.do(incident(changed_at=later(REPAIRED, minutes=1)))
    assert again.action == "REOPENED"


async def test_one_that_was_late_keeps_no_later_one_from_reopening_it(house):
    await house.do(incident(changed_at=AT))
    # It tells no time of its own, so what comes late is told by the time of the resolve alone.
    assert (await house.do(closing())).action == "RESOLVED"
    for _ in range(2):
        assert (await house.do(incident(changed_at=SINCE))).action == "UNCHANGED"
        assert (await house.row(TrackedIssue))["state"] == "RESOLVED"
    again = await house.do(incident(changed_at=now()))
    assert (again.action, (await house.row(Issue))["state"]) == ("REOPENED", "ACTIVE")


async def test_what_was_told_before_comes_late_and_changes_nothing(house):
    await house.do(incident(changed_at=REPAIRED, look={"severity": "critical"}))
    assert (await house.do(incident(changed_at=SINCE))).action == "UNCHANGED"
    assert (await house.row(Issue))["severity"] == "critical"


async def test_history_is_made_and_resolved_at_once_and_does_not_look_new(house):
    outcome = await house.do(incident(state="RESOLVED", resolved_at=SINCE))
    assert outcome.action == "CREATED"
    row = await house.row(Issue)
    assert (row["state"], row["detected_at"], row["resolved_at"]) == ("RESOLVED", AT, SINCE)
    # Repaired before it was broken: as soon as that.
    await house.do(incident("DLK-2", state="RESOLVED", resolved_at=later(AT, minutes=-5)))
    assert (await house.row(Issue, Issue.resolved_at == AT))["state"] == "RESOLVED"


async def test_what_people_did_here_stays_until_something_else_is_told(house):
    (id,) = (await house.do(incident())).issue_ids
    await house.do(UpdateIssue(id=id, title="Ours"))
    await house.do(ResolveIssue(id=id))
    assert (await house.do(incident())).action == "UNCHANGED"
    assert (await house.do(incident(look={"severity": "minor"}))).action == "UPDATED"
    row = await house.row(Issue)
    assert (row["state"], row["title"], row["severity"]) == ("RESOLVED", "Ours", "minor")
    await house.do(ReopenIssue(id=id))
    assert (await house.do(incident(state="RESOLVED"))).action == "RESOLVED"
    await house.do(ReopenIssue(id=id))
    assert (await house.do(incident(state="RESOLVED"))).action == "UNCHANGED"
    assert (await house.row(Issue))["state"] == "ACTIVE"


async def test_another_active_issue_of_the_fingerprint_keeps_it_resolved(house):
    (id,) = (await house.do(incident(state="RESOLVED", resolved_at=SINCE))).issue_ids
    rival = incident().report
    assert rival
    other = await house.do(report(title="another", issue_type="incident", fingerprint=rival.fingerprint))
    assert other.action == "CREATED"
    outcome = await house.do(incident())
    assert (outcome.action, outcome.issue_ids) == ("UNCHANGED", (id,))
    assert [row["state"] for row in await house.rows(Issue)] == ["RESOLVED", "ACTIVE"]


async def test_one_that_was_deleted_or_moved_away_is_made_again(house):
    (first,) = (await house.do(incident())).issue_ids
    await house.do(DeleteIssue(id=first))
    (second,) = (await house.do(incident())).issue_ids
    assert second != first
    await house.do(UpdateIssue(id=second, namespace="rival"))
    third = await house.do(incident(look={"severity": "minor"}))
    assert (third.action, third.issue_ids != (second,)) == ("CREATED", True)
    assert (await house.row(Issue, Issue.namespace == "rival"))["severity"] == "major"


async def test_what_is_no_failure_is_remembered_and_can_be_closed(house):
    assert (await house.do(incident(kind="TASK", report=None))).action == "IGNORED"
    assert (await house.do(closing())).action == "IGNORED"
    assert await house.rows(Issue) == []
    assert (await house.row(TrackedIssue))["state"] == "RESOLVED"
    # It turns out to be one, and then not.
    assert (await house.do(incident())).action == "CREATED"
    outcome = await house.do(incident(kind="TASK", report=None))
    row = await house.row(Issue)
    assert (outcome.action, outcome.issue_ids, row["state"]) == ("RESOLVED", (row["id"],), "RESOLVED")
    assert outcome.message == "it is no failure any more, but TASK"
    assert changes((await house.log())[-1])["reason"] == (None, outcome.message)
    again = await house.do(incident(kind="TASK", report=None))
    assert (again.action, again.issue_ids) == ("IGNORED", ())


@pytest.mark.parametrize("times", [(None,) * 3, (AT, AT, AT), (AT, SINCE, REPAIRED)], ids=["none", "one", "later"])
async def test_what_is_a_failure_again_is_brought_back(house, times):
    first, second, third = times
    (id,) = (await house.do(incident(changed_at=first))).issue_ids
    assert (await house.do(incident(kind="TASK", report=None, changed_at=second))).action == "RESOLVED"
    if second:
        assert (await house.row(Issue))["resolved_at"] == second
    again = await house.do(incident(kind="BUG", changed_at=third))
    assert (again.action, again.issue_ids, (await house.row(Issue))["state"]) == ("REOPENED", (id,), "ACTIVE")


async def test_what_was_resolved_while_it_was_no_failure_is_brought_back_only_by_something_newer(house):
    await house.do(incident(changed_at=AT))
    await house.do(incident(kind="TASK", report=None, changed_at=REPAIRED))
    assert (await house.do(incident(changed_at=SINCE))).action == "UNCHANGED"
    done = await house.do(incident(state="RESOLVED", changed_at=later(REPAIRED, minutes=1)))
    assert (done.action, (await house.row(Issue))["state"]) == ("UNCHANGED", "RESOLVED")


async def test_closing_resolves_it_once_and_one_that_nobody_told_of_is_not_found(house):
    unknown = await house.do(closing())
    assert [error.code for error in unknown.errors] == ["NOT_FOUND"]
    (id,) = (await house.do(incident())).issue_ids
    closed = await house.do(closing(at=REPAIRED))
    assert (closed.action, closed.issue_ids) == ("RESOLVED", (id,))
    assert (await house.row(Issue))["resolved_at"] == REPAIRED
    assert (await house.do(closing())).action == "UNCHANGED"
    for other in ({"namespace": "rival"}, {"system": "2"}, {"external_id": "DLK-2"}):
        assert [error.code for error in (await house.do(closing(**other))).errors] == ["NOT_FOUND"]
    # What is told after it was closed counts, were it what was told before.
    assert (await house.do(incident())).action == "REOPENED"


async def test_a_child_is_related_to_its_parent_once(house):
    await house.do(incident("DLK-2", parent_id="DLK-1"))
    (parent,) = (await house.do(incident("DLK-1"))).issue_ids
    # Its parent was not known at first.
    assert "RELATED" not in kinds(await house.log())
    (child,) = (await house.do(incident("DLK-2", parent_id="DLK-1", look={"severity": "minor"}))).issue_ids
    await house.do(incident("DLK-2", parent_id="DLK-1", look={"severity": "info"}))
    await house.do(incident("DLK-3", parent_id="DLK-3"))
    related = [line for line in await house.log() if line["kind"] == "RELATED"]
    assert [(line["source_id"], line["target_id"]) for line in related] == [(child, parent)] * 2


async def test_who_may_not_report_tracks_nothing(house):
    for command in (incident(), closing()):
        with pytest.raises(Forbidden):
            await house.do(command, caller(rival=[Permission.REPORT], team=[Permission.READ]))
    elsewhere = incident(look={"resource_namespace": "rival"})
    with pytest.raises(Forbidden):
        await house.do(elsewhere, caller(team=[Permission.REPORT]))
    assert await house.rows(TrackedIssue) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"external_id": ""}, ("externalId",)),
        ({"state": "OPEN"}, ("state",)),
        ({"namespace": "rival"}, ("report", "namespace")),
        ({"parent_id": "x" * 254}, ("parentId",)),
        ({"resolved_at": "9999-01-01T00:00:00.000000Z"}, ("resolvedAt",)),
    ],
)
def test_what_cannot_be_kept_is_refused(values, field):
    with pytest.raises(Invalid) as invalid:
        incident(**values)
    assert [error.field for error in invalid.value.errors] == [field]


async def test_a_close_that_is_told_late_does_not_close_what_was_opened_since(house):
    await house.do(incident(changed_at=REPAIRED))
    late = await house.do(closing(at=SINCE))
    assert (late.action, (await house.row(Issue))["state"]) == ("UNCHANGED", "ACTIVE")
    assert (await house.do(closing(at=later(REPAIRED, minutes=1)))).action == "RESOLVED"


async def test_a_close_that_is_delivered_again_after_its_issue_was_deleted_is_answered_as_before(house):
    made = await house.do(incident())
    again = RecordDelivery(plans=(Plan(index=0, command=closing(idempotency_key="k")),), sender=ADA, concerns=("team",))
    before = (await house.do(again)).results
    await house.do(DeleteIssue(id=made.issue_ids[0]))
    after = (await house.do(again)).results
    assert [(each.action, each.issue_ids) for each in after] == [(each.action, each.issue_ids) for each in before]
