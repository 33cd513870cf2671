"""UpdateIssue: people edit, reports leave that alone, and an issue may move where no other active one is."""

import asyncio
import json

import pytest

from models import Issue, Label, Link, Scope
from models.values import new_id, now
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation import LabelValue, LinkValue, PartValue, ResolveIssue, UpdateIssue
from tests.resolvers.mutation.house import BOB, caller, changes, count_transactions, kinds, later, made, report, success

LOGS = LinkValue("Logs", "https://ci.example/1")
TRACE = LinkValue("Trace", "https://ci.example/2")
NOTES = LinkValue("Notes", "https://ci.example/3")
AT = later(now(), hours=1)
RESOLVED_BY_BOB = {"resolved_by_kind": "PERSON", "resolved_by_id": "bob", "resolved_by_name": "Bob"}
ADA_IN_LOG = {"kind": "PERSON", "id": "ada", "name": "Ada"}


def conflict(field, id):
    message = "another active issue has this scope and type"
    return (UserError(code="CONFLICT", field=field, message=message, issue_id=id),)


async def test_every_field_that_is_sent_is_set_and_noted_as_edited(house):
    id = await made(house, links=(LOGS, TRACE), labels=(LabelValue("a", "1"), LabelValue("b", "2")))
    before = await house.row(Issue)
    logs, trace = sorted(await house.rows(Link), key=lambda row: row["ordinal"])
    outcome = await house.do(
        UpdateIssue(
            id=id,
            title="Straße",
            description="Known",
            severity="critical",
            links=(NOTES, TRACE, LOGS),
            labels=(LabelValue("b", "2"), LabelValue("c", "Ö")),
        ),
        BOB,
    )
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (id,), ())
    issue = await house.row(Issue)
    assert issue["updated_at"] > before["updated_at"]
    assert issue == before | {
        "title": "Straße",
        "title_folded": "strasse",
        "description": "Known",
        "description_folded": "known",
        "severity": "critical",
        "severity_rank": 3,
        "edited_fields": issue["edited_fields"],
        "updated_at": issue["updated_at"],
    }
    edited = ["description", "labels", "links", "severity", "title"]
    assert json.loads(issue["edited_fields"]) == edited
    # Rows that are there already take the new values, in their places.
    links = sorted(await house.rows(Link), key=lambda row: row["ordinal"])
    assert [(row["id"], row["ordinal"], row["title"], row["url"]) for row in links] == [
        (logs["id"], 0, *("Notes", NOTES.url)),
        (trace["id"], 1, *("Trace", TRACE.url)),
        (links[2]["id"], 2, *("Logs", LOGS.url)),
    ]
    assert await house.rows(Label) == [
        {"issue_id": id, "name": "b", "value": "2", "value_folded": "2"},
        {"issue_id": id, "name": "c", "value": "Ö", "value_folded": "ö"},
    ]
    (line,) = await house.log(after=1)
    assert (line["kind"], line["at"], line["actor_id"], line["title"]) == (
        "UPDATED",
        issue["updated_at"],
        "bob",
        "Straße",
    )
    assert changes(line) == {
        "title": ("Build failed: api", "Straße"),
        "description": ("exit code 1", "Known"),
        "severity": ("MAJOR", "CRITICAL"),
        "links": (
            [{"id": row["id"], "title": row["title"], "url": row["url"]} for row in (logs, trace)],
            [{"id": row["id"], "title": row["title"], "url": row["url"]} for row in links],
        ),
        "labels": (
            [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
            [{"name": "b", "value": "2"}, {"name": "c", "value": "Ö"}],
        ),
        "editedFields": (None, edited),
    }


async def test_values_that_are_there_already_change_nothing_and_log_nothing(house):
    id = await made(house, links=(LOGS,), labels=(LabelValue("a", "1"),))
    before = await house.row(Issue)
    same = UpdateIssue(
        id=id,
        title=before["title"],
        description=before["description"],
        severity="major",
        issue_type="build",
        links=(LOGS,),
        labels=(LabelValue("a", "1"), LabelValue("a", "1")),
        state="ACTIVE",
        namespace="team",
        resource_type="component",
        resource_name="api",
        resource_namespace="team",
    )
    for command in (same, UpdateIssue(id=id)):
        outcome = await house.do(command, BOB)
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (1, (id,), ())
    assert await house.row(Issue) == before


@pytest.mark.parametrize(
    ("field", "value"), [("title", "mine"), ("description", "mine"), ("severity", "info")], ids=lambda value: value
)
async def test_a_report_keeps_the_edited_field_and_takes_the_others(house, field, value):
    id = await made(house)
    await house.do(UpdateIssue(id=id, **{field: value}))
    theirs = {"title": "theirs", "description": "theirs", "severity": "critical"}
    await house.do(report(**theirs))
    issue = await house.row(Issue)
    assert {name: issue[name] for name in theirs} == theirs | {field: value}
    # A second edit adds to the first.
    await house.do(UpdateIssue(id=id, links=()))
    await house.do(UpdateIssue(id=id, labels=(LabelValue("a", "1"),)))
    assert json.loads((await house.row(Issue))["edited_fields"]) == sorted([field, "labels"])


async def test_a_changed_type_is_another_fingerprint(house):
    id = await made(house, fingerprint=(PartValue("kind", "nightly"),))
    assert (await house.do(UpdateIssue(id=id, issue_type="test"))).errors == ()
    assert (await house.do(report(issue_type="test", fingerprint=(PartValue("kind", "nightly"),)))).issue_ids == (id,)
    assert (await house.do(report(fingerprint=(PartValue("kind", "nightly"),)))).action == "CREATED"
    line = (await house.log())[1]
    assert [change["field"] for change in line["changes"]] == ["issueType", "fingerprint"]
    old, new = changes(line)["fingerprint"]
    assert old["key"] != new["key"]
    assert [part["value"] for part in new["parts"]] == ["team", "test", "component", "api", "team", "nightly"]


@pytest.mark.parametrize(
    ("there", "values", "field"),
    [
        ({"issue_type": "test"}, {"issue_type": "test"}, ("issueType",)),
        ({"resource_name": "web"}, {"resource_name": "web"}, ("scope",)),
        ({"namespace": "other", "resource_namespace": "team"}, {"namespace": "other"}, ("namespace",)),
    ],
)
async def test_a_fingerprint_that_another_active_issue_has_is_a_conflict(house, there, values, field):
    other, id = await made(house, **there), await made(house)
    before = await house.rows(Issue)
    outcome = await house.do(UpdateIssue(id=id, title="mine", **values))
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (2, (), conflict(field, other))
    assert await house.rows(Issue) == before
    # Two resolved ones may share it, and so may one that is resolved by the same command.
    assert (await house.do(UpdateIssue(id=id, state="RESOLVED", **values))).errors == ()
    by_id = {row["id"]: row for row in await house.rows(Issue)}
    assert by_id[id]["fingerprint"] == by_id[other]["fingerprint"]
    assert (await house.do(UpdateIssue(id=id, state="ACTIVE"))).errors == conflict(("state",), other)
    await house.do(ResolveIssue(id=other))
    assert (await house.do(UpdateIssue(id=id, state="ACTIVE"))).errors == ()


async def test_two_issues_can_change_places_through_a_third_type_in_one_batch(house):
    first, second = await made(house), await made(house, issue_type="test")
    steps = ((first, "release"), (second, "build"), (first, "test"))
    with count_transactions(house) as transactions:
        outcomes = await asyncio.gather(*(house.do(UpdateIssue(id=id, issue_type=word)) for id, word in steps))
    assert [outcome.errors for outcome in outcomes] == [(), (), ()]
    assert len(transactions) == 1
    assert {row["id"]: row["issue_type"] for row in await house.rows(Issue)} == {first: "test", second: "build"}


async def test_another_scope_is_made_or_found(house):
    id = await made(house)
    await house.do(UpdateIssue(id=id, resource_type="application", resource_name="Shop", resource_namespace="shared"))
    scopes = {row["id"]: row for row in await house.rows(Scope)}
    issue = await house.row(Issue)
    scope = scopes[issue["scope_id"]]
    assert len(scopes) == 2
    assert scope == {
        "id": scope["id"],
        "resource_type": "application",
        "resource_type_folded": "application",
        "resource_name": "Shop",
        "resource_name_folded": "shop",
        "resource_namespace": "shared",
        "resource_namespace_folded": "shared",
    }
    await house.do(UpdateIssue(id=id, resource_type="component", resource_name="api", resource_namespace="team"))
    assert len(await house.rows(Scope)) == 2
    old, new = changes((await house.log())[1])["scope"]
    assert (old["resourceName"], new) == (
        "api",
        {"id": scope["id"], "resourceType": "application", "resourceName": "Shop", "resourceNamespace": "shared"},
    )


async def test_a_move_is_a_line_in_each_namespace_and_the_old_one_never_tells_the_new_name(house):
    id = await made(house, links=(LOGS,), labels=(LabelValue("a", "1"),))
    before = await house.row(Issue)
    outcome = await house.do(UpdateIssue(id=id, namespace="secret", title="moved"))
    assert (outcome.position, outcome.issue_ids, outcome.errors) == (3, (id,), ())
    issue = await house.row(Issue)
    assert (issue["namespace"], issue["namespace_folded"], issue["title"]) == ("secret", "secret", "moved")
    # The scope stays where it is.
    assert issue["scope_id"] == before["scope_id"]
    gone, come = await house.log(after=1)
    assert [(line["kind"], line["issue_id"], line["namespace"]) for line in (gone, come)] == [
        ("UPDATED", id, "team"),
        ("UPDATED", id, "secret"),
    ]
    assert (gone["title"], gone["after"], gone["before"]["title"]) == ("Build failed: api", None, "Build failed: api")
    assert changes(gone) == {"namespace": ("team", None)}
    assert "secret" not in str(gone)
    assert "moved" not in str(gone)
    assert (come["before"], come["after"]["namespace"], come["after"]["title"]) == (None, "secret", "moved")
    told = changes(come)
    assert (told["title"], told["namespace"]) == ((None, "moved"), (None, "secret"))
    assert [link["url"] for link in told["links"][1]] == [LOGS.url]
    assert told["labels"] == (None, [{"name": "a", "value": "1"}])
    # There it is found by its new key only.
    again = report(namespace="secret", resource_namespace="team")
    assert (await house.do(again)).issue_ids == (id,)
    assert (await house.do(report())).action == "CREATED"


async def test_a_put_may_resolve_and_move_the_time_later_and_reopen(house):
    id = await made(house)
    # The time of an issue that is only now resolved is now, as Kite has it.
    outcome = await house.do(UpdateIssue(id=id, state="RESOLVED", resolved_at=AT, title="done"), BOB)
    assert outcome.position == 3
    issue = await house.row(Issue)
    at = issue["resolved_at"]
    assert issue["created_at"] < at <= now()
    expected = {"state": "RESOLVED", "resolved_at": at, "title": "done"} | RESOLVED_BY_BOB
    assert {name: issue[name] for name in expected} == expected
    resolved, updated = await house.log(after=1)
    assert (resolved["kind"], updated["kind"]) == ("RESOLVED", "UPDATED")
    # Again with RESOLVED alone: the time stays.
    assert (await house.do(UpdateIssue(id=id, state="RESOLVED"))).position == 3
    moved = AT
    await house.do(UpdateIssue(id=id, resolved_at=moved))
    issue = await house.row(Issue)
    assert {name: issue[name] for name in expected} == expected | {"resolved_at": moved}
    assert changes((await house.log(after=3))[0]) == {"resolvedAt": (at, moved)}

    outcome = await house.do(UpdateIssue(id=id, state="ACTIVE", title="not done"))
    issue = await house.row(Issue)
    assert (issue["state"], issue["resolved_at"], issue["resolved_by_id"]) == ("ACTIVE", None, None)
    lines = await house.log(after=4)
    assert kinds(lines) == ["UPDATED", "REOPENED"]
    assert changes(lines[1])["state"] == ("RESOLVED", "ACTIVE")
    assert outcome.position == 6


async def test_resolved_at_means_nothing_for_an_active_issue(house):
    id = await made(house)
    assert (await house.do(UpdateIssue(id=id, resolved_at=AT))).position == 1
    assert (await house.row(Issue))["resolved_at"] is None


async def test_a_resolved_issue_that_is_edited_goes_on_being_the_last_one(house):
    id = await made(house)
    await house.do(success())
    await house.do(UpdateIssue(id=id, title="known"))
    await house.do(report())
    assert kinds(await house.log()) == ["CREATED", "RESOLVED", "UPDATED", "CREATED", "RELATED", "RELATED"]


async def test_an_unknown_or_invisible_issue_is_not_found(house):
    id = await made(house)
    not_found = (UserError(code="NOT_FOUND", field=("id",), message="there is no such issue"),)
    for name in ("x", new_id()):
        outcome = await house.do(UpdateIssue(id=name, title="mine"))
        assert (outcome.position, outcome.issue_ids, outcome.errors) == (1, (), not_found)
    for who in (caller(team=["REPORT", "MANAGE"]), caller(other=["READ", "RESPOND"])):
        assert (await house.do(UpdateIssue(id=id, title="mine"), who)).errors == not_found
    assert kinds(await house.log()) == ["CREATED"]


async def test_editing_needs_respond_where_the_issue_is_and_where_it_goes(house):
    id = await made(house)
    with pytest.raises(Forbidden, match="respond in namespace team"):
        await house.do(UpdateIssue(id=id, title="mine"), caller(team=["READ", "REPORT", "MANAGE"]))
    responder = caller(team=["READ", "RESPOND"], other=["READ"])
    for command in (UpdateIssue(id=id, namespace="other"), UpdateIssue(id=id, resource_namespace="other")):
        with pytest.raises(Forbidden, match="respond in namespace other"):
            await house.do(command, responder)
    assert kinds(await house.log()) == ["CREATED"]
    assert (await house.do(UpdateIssue(id=id, title="mine"), responder)).errors == ()


async def test_sending_the_places_where_it_is_needs_no_permission_there(house):
    id = await made(house, resource_namespace="shared")
    command = UpdateIssue(id=id, title="mine", namespace="team", resource_namespace="shared")
    assert (await house.do(command, caller(team=["RESPOND"]))).errors == ()
    assert (await house.row(Issue))["title"] == "mine"


async def test_what_breaks_a_rule_is_told_all_at_once():
    with pytest.raises(Invalid) as raised:
        UpdateIssue(
            id="x",
            title="",
            description="x" * 65_537,
            severity="MAJOR",
            issue_type="other",
            links=(LinkValue("a", "ftp://x"), LinkValue("b", "")),
            labels=(LabelValue("", "x"),) * 101,
            state="OPEN",
            namespace="",
            resource_name="a\ud800",
        )
    assert [(error.code, error.field) for error in raised.value.errors] == [
        ("REQUIRED", ("title",)),
        ("TOO_LONG", ("description",)),
        ("INVALID", ("severity",)),
        ("INVALID", ("issueType",)),
        ("INVALID", ("links", "0", "url")),
        ("REQUIRED", ("links", "1", "url")),
        ("TOO_MANY", ("labels",)),
        ("INVALID", ("state",)),
        ("REQUIRED", ("namespace",)),
        ("INVALID", ("scope", "resourceName")),
    ]


async def test_an_issue_does_not_move_to_where_its_scope_lives_without_the_right_there(house):
    """A right to what an issue is about is none in that namespace."""
    id = await made(house, resource_namespace="other")
    with pytest.raises(Forbidden, match="respond in namespace other"):
        await house.do(UpdateIssue(id=id, namespace="other"), caller(team=["RESPOND"]))
    await house.do(UpdateIssue(id=id, title="still on it"), caller(team=["RESPOND"]))
    await house.do(UpdateIssue(id=id, resource_namespace="team"), caller(team=["RESPOND"]))
    assert (await house.row(Issue))["namespace"] == "team"
