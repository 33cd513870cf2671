"""What trackers post as DevLake takes it: issues, told whole each time, and issues that are closed."""

import itertools

import pytest

from models import Issue, Label, Link, Relation, TrackedIssue
from models.values import now
from resolvers.caller import Permission
from tests.resolvers.mutation.house import caller
from webhooks.devlake.routes import PREFIXES
from webhooks.devlake.words import SEVERITY_WORDS, severity_of

SUCCESS = {"code": 0, "success": True, "message": "success", "causes": None}
# As DevLake's own page shows one.
SAMPLE = {
    "issueKey": "DLK-1234",
    "title": "an incident from DLK",
    "type": "INCIDENT",
    "originalStatus": "TODO",
    "status": "TODO",
    "createdDate": "2020-01-01T12:00:00+00:00",
    "updatedDate": "2020-01-01T12:00:00+00:00",
}
# An older guide's: names with underscores, and no original_status.
OLD_SAMPLE = {
    "issue_key": "DLK-1234",
    "title": "an incident from DLK",
    "type": "INCIDENT",
    "status": "TODO",
    "created_date": "2020-01-01T12:00:00+00:00",
    "updated_date": "2020-01-01T12:00:00+00:00",
}


def issues(devlake):
    return f"/rest/plugins/webhook/connections/{devlake.id}/issues"


def required(field):
    return f"Key: 'WebhookIssueRequest.{field}' Error:Field validation for '{field}' failed on the 'required' tag"


@pytest.mark.parametrize("sample", [SAMPLE, OLD_SAMPLE], ids=["of today", "of an older guide"])
async def test_an_incident_becomes_an_issue(devlake, sample):
    status, told = await devlake.post(issues(devlake), sample)
    assert status == 200
    data = told.pop("data")
    assert told == SUCCESS
    row = await devlake.row(Issue)
    (item,) = data["items"]
    assert (item["action"], item["issue"]["id"]) == ("created", row["id"])
    assert item["issue"]["url"] == f"https://issues.example/issues/{row['id']}"
    shown = {name: row[name] for name in ("namespace", "title", "severity", "issue_type", "state", "source")}
    assert shown == {
        "namespace": "team",
        "title": "an incident from DLK",
        "severity": "major",
        "issue_type": "incident",
        "state": "ACTIVE",
        "source": "devlake",
    }
    assert row["detected_at"] == "2020-01-01T12:00:00.000000Z"
    (received,) = devlake.deliveries.received
    assert (received.id, received.webhook, received.event) == (data["delivery"], "devlake", "issues")


async def test_each_answer_tells_the_parts_of_the_fingerprint(devlake):
    parts = {
        "namespace": "team",
        "issueType": "incident",
        "resourceType": "application",
        "resourceName": "shop",
        "resourceNamespace": "team",
        "connection": str(devlake.id),
        "issueKey": "DLK-1234",
    }
    close = f"/rest/plugins/webhook/{devlake.id}/issue/DLK-1234/close"
    for path, body in ((issues(devlake), SAMPLE), (issues(devlake), SAMPLE), (close, None), (close, None)):
        status, told = await devlake.post(path, body)
        assert (status, told["data"]["items"][0]["fingerprint"]) == (200, parts)
    _, told = await devlake.post(issues(devlake), {**SAMPLE, "issueKey": "2", "type": "TASK"})
    assert "fingerprint" not in told["data"]["items"][0]


async def test_the_same_again_changes_nothing_and_what_is_left_out_is_gone(devlake):
    whole = {**SAMPLE, "assigneeName": "Ada", "component": "cart", "storyPoint": 3, "url": "https://t.example/1"}
    await devlake.post(issues(devlake), whole)
    assert {row["name"]: row["value"] for row in await devlake.rows(Label)} == {
        "type": "INCIDENT",
        "originalStatus": "TODO",
        "assigneeName": "Ada",
        "component": "cart",
        "storyPoint": "3",
    }
    assert (await devlake.row(Link))["url"] == "https://t.example/1"
    _, told = await devlake.post(issues(devlake), whole)
    assert told["data"]["items"][0]["action"] == "unchanged"
    _, told = await devlake.post(issues(devlake), {**SAMPLE, "severity": "Blocker"})
    assert told["data"]["items"][0]["action"] == "updated"
    row = await devlake.row(Issue)
    assert (row["severity"], row["occurrence_count"]) == ("critical", 1)
    assert {row["name"] for row in await devlake.rows(Label)} == {"type", "originalStatus", "severity"}


async def test_it_is_done_and_opened_again_at_the_times_of_the_tracker(devlake):
    await devlake.post(issues(devlake), SAMPLE)
    done = {**SAMPLE, "status": "DONE", "resolutionDate": "2020-01-01T13:30:00.000+0000", "updatedDate": None}
    await devlake.post(issues(devlake), done)
    row = await devlake.row(Issue)
    assert (row["state"], row["resolved_at"]) == ("RESOLVED", "2020-01-01T13:30:00.000000Z")
    await devlake.post(issues(devlake), {**SAMPLE, "updatedDate": "2020-01-01T13:00:00Z"})
    assert (await devlake.row(Issue))["state"] == "RESOLVED"
    await devlake.post(issues(devlake), done)
    await devlake.post(issues(devlake), {**SAMPLE, "updatedDate": "2020-01-02 08:00", "status": "IN_PROGRESS"})
    assert (await devlake.row(Issue))["state"] == "ACTIVE"


async def test_one_that_comes_late_keeps_no_later_one_from_opening_it_again(devlake):
    await devlake.post(issues(devlake), SAMPLE)
    await devlake.post(f"/rest/plugins/webhook/connections/{devlake.id}/issue/DLK-1234/close")
    for at, action, state in (("2020-01-01T13:00:00Z", "unchanged", "RESOLVED"), (now(), "reopened", "ACTIVE")):
        _, told = await devlake.post(issues(devlake), {**SAMPLE, "status": "IN_PROGRESS", "updatedDate": at})
        assert (told["data"]["items"][0]["action"], (await devlake.row(Issue))["state"]) == (action, state)


async def test_it_is_closed_by_every_spelling_of_the_path(devlake):
    ways = (f"connections/{devlake.id}", f"{devlake.id}", "connections/by-name/shop")
    for number, (prefix, way) in enumerate(itertools.product(PREFIXES, ways)):
        key = f"DLK/{number}"
        status, _ = await devlake.post(f"{prefix}/{way}/issues", {**SAMPLE, "issueKey": key})
        assert status == 200
        status, told = await devlake.post(f"{prefix}/{way}/issue/{key}/close")
        assert (status, told["success"], told["data"]["items"][0]["action"]) == (200, True, "resolved")
    assert {row["state"] for row in await devlake.rows(Issue)} == {"RESOLVED"}


async def test_closing_what_nobody_told_of_is_404_in_its_words(devlake):
    status, told = await devlake.post(f"/plugins/webhook/connections/{devlake.id}/issue/DLK-9/close")
    assert (status, told) == (
        404,
        {"code": 404, "success": False, "message": "issue not found (404)", "causes": [], "data": None},
    )


async def test_what_is_no_failure_is_taken_and_can_be_closed_and_is_no_issue(devlake):
    for type in ("REQUIREMENT", "EPIC", "TASK", "Story", None):
        key = f"key of {type}"
        status, told = await devlake.post(issues(devlake), {**SAMPLE, "issueKey": key, "type": type})
        (item,) = told.pop("data")["items"]
        assert (status, told, item["action"]) == (200, SUCCESS, "ignored")
        assert "only its key is remembered" in item["message"]
        status, told = await devlake.post(f"/plugins/webhook/{devlake.id}/issue/{key}/close")
        (item,) = told["data"]["items"]
        assert (status, item["action"]) == (200, "ignored")
        assert "is no failure: there is no issue of it to resolve" in item["message"]
    assert await devlake.rows(Issue) == []
    kinds = {row["kind"] for row in await devlake.rows(TrackedIssue)}
    assert kinds == {"REQUIREMENT", "EPIC", "TASK", "STORY", ""}


async def test_a_failure_that_is_none_any_more_is_resolved_and_comes_back_when_it_is_one_again(devlake):
    await devlake.post(issues(devlake), {**SAMPLE, "type": "BUG"})
    (id,) = [row["id"] for row in await devlake.rows(Issue)]
    _, told = await devlake.post(issues(devlake), {**SAMPLE, "type": "TASK"})
    (item,) = told["data"]["items"]
    shown = (item["action"], item["issues"], item["message"], item["fingerprint"]["issueKey"])
    assert shown == ("resolved", [id], "it is no failure any more, but TASK", "DLK-1234")
    _, told = await devlake.post(issues(devlake), {**SAMPLE, "type": "BUG"})
    (item,) = told["data"]["items"]
    assert (item["action"], item["issue"]["id"]) == ("reopened", id)
    assert (await devlake.row(Issue))["state"] == "ACTIVE"


async def test_a_bug_is_an_issue_too_and_a_child_is_related_to_its_parent(devlake):
    await devlake.post(issues(devlake), SAMPLE)
    bug = {**SAMPLE, "issueKey": "DLK-2", "type": "bug", "parentIssueKey": "DLK-1234"}
    await devlake.post(issues(devlake), bug)
    parent, child = await devlake.rows(Issue)
    relation = await devlake.row(Relation)
    assert (relation["kind"], relation["source_id"], relation["target_id"]) == ("RELATED", child["id"], parent["id"])


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"issueKey": ""}, [required("IssueKey")]),
        ({"title": None, "createdDate": None}, [required("Title"), required("CreatedDate")]),
        ({"status": ""}, [required("Status")]),
        ({"status": "todo"}, [required("Status").replace("required' tag", "oneof' tag")]),
    ],
)
async def test_what_is_missing_is_said_in_the_words_of_its_validator_as_plain_text(devlake, change, problems):
    assert await devlake.post(issues(devlake), {**SAMPLE, **change}) == (400, "\n".join(problems))
    assert await devlake.rows(Issue) == []
    (received,) = devlake.deliveries.received
    assert received.refused == "\n".join(problems)


async def test_a_body_that_cannot_be_read_is_a_plain_text_too(devlake):
    for body in (b"{", b"[]", b'"text"', b'{"issueKey": {}}', b'{"createdDate": "yesterday"}'):
        status, told = await devlake.post(issues(devlake), body=body)
        assert (status, type(told)) == (400, str)


async def test_an_empty_body_is_read_and_then_lacks_everything(devlake):
    assert await devlake.post(issues(devlake), body=b"") == (
        400,
        "\n".join(map(required, ("IssueKey", "Title", "CreatedDate", "Status"))),
    )


async def test_names_are_read_whatever_their_case_and_numbers_as_texts(devlake):
    odd = {"ISSUEKEY": 17, "Title": 5, "Type": "incident", "Status": "TODO", "createddate": "2020-01-01 12:00:00"}
    status, _ = await devlake.post(issues(devlake), odd)
    row = await devlake.row(Issue)
    assert (status, row["title"], row["detected_at"]) == (200, "5", "2020-01-01T12:00:00.000000Z")


async def test_what_is_too_much_is_cut_and_that_is_said(devlake):
    status, told = await devlake.post(
        issues(devlake), {**SAMPLE, "title": "x" * 600, "createdDate": "9000-01-01T00:00:00Z"}
    )
    assert status == 200
    assert [notice.partition(" was ")[0] for notice in told["data"]["items"][0]["notices"]] == ["createdDate", "title"]


async def test_who_may_not_report_there_is_told_of_no_connection(devlake):
    for grants in ({"team": [Permission.READ, Permission.MANAGE]}, {"rival": [Permission.REPORT]}):
        devlake.who = caller(**grants)
        for way in (f"connections/{devlake.id}", "connections/by-name/shop"):
            status, told = await devlake.post(f"/plugins/webhook/{way}/issues", SAMPLE)
            assert (status, told["message"]) == (404, "record not found (404)")
    assert devlake.deliveries.received == []


def test_words_for_how_bad_it_is_are_read_whatever_their_case():
    for severity, words in SEVERITY_WORDS.items():
        for word in words:
            assert severity_of(word.upper()) == severity
    assert severity_of("Sev-1") == severity_of("", "P1") == severity_of("odd", "Highest") == "critical"
    assert severity_of("low", "critical") == "info"
    assert severity_of("", "odd") == "major"


async def test_a_token_that_an_issue_repeats_is_shown_nowhere(devlake):
    token = f"igt_{'a1B2' * 12}c"
    await devlake.post(issues(devlake), {**SAMPLE, "title": f"curl with {token}"})
    assert (await devlake.row(Issue))["title"] == "curl with [hidden]"
