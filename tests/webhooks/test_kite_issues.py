"""Kite's issues over REST: reporting them, one of them, lists; the numbers are those of the contract's differences."""

import asyncio
import json
from typing import Any
from unittest.mock import patch

import pytest

from models.values import new_id
from resolvers.errors import Unavailable
from resolvers.mutation import AcknowledgeIssue, LabelValue, RelateIssues, ResolveScope
from tests.resolvers.mutation.house import caller, report
from tests.webhooks.test_kite_house import ISSUE, NO_ACCESS, NO_ISSUE, client

KEYS = [
    *("id", "title", "description", "severity", "issueType", "state", "detectedAt", "resolvedAt", "namespace"),
    *("scopeId", "scope", "links", "relatedFrom", "relatedTo", "createdAt", "updatedAt"),
    *("occurrenceCount", "lastDetectedAt", "acknowledgedAt", "labels", "url"),
]


@pytest.fixture
async def kite(database_url):
    async with client(database_url) as kite:
        yield kite


async def test_post_answers_the_issue_in_kites_order_and_0_14_with_more_keys(kite):
    links = [{"title": "Log", "url": "https://logs/1"}, {"url": "http://logs/2"}]
    status, issue = await kite.post(payload={**ISSUE, "links": links, "unknown": 1})
    assert status == 201
    assert list(issue) == KEYS
    for name in ("title", "description", "severity", "issueType", "namespace"):
        assert issue[name] == ISSUE[name]
    assert (issue["state"], issue["resolvedAt"], issue["acknowledgedAt"]) == ("ACTIVE", None, None)
    assert (issue["occurrenceCount"], issue["labels"]) == (1, [])
    assert issue["url"] == f"http://issuegraph.test/issues/{issue['id']}"
    assert issue["lastDetectedAt"] == issue["detectedAt"]
    assert list(issue["scope"]) == ["id", "resourceType", "resourceName", "resourceNamespace"]
    place = {"resourceType": "component", "resourceName": "api", "resourceNamespace": "team"}
    assert issue["scope"] == {"id": issue["scopeId"], **place}
    assert [list(link) for link in issue["links"]] == [["id", "title", "url", "issueId"]] * 2
    assert [(link["title"], link["url"]) for link in issue["links"]] == [
        ("Log", links[0]["url"]),
        ("", "http://logs/2"),
    ]
    assert {link["issueId"] for link in issue["links"]} == {issue["id"]}
    assert (issue["relatedFrom"], issue["relatedTo"]) == ([], [])
    assert await kite.get(f"/{issue['id']}") == (200, issue)
    assert await kite.get(f"/{issue['id'].upper()}", namespace="team") == (200, issue)
    assert (await kite.get())[1]["data"] == [issue]


async def test_labels_and_acknowledgements_are_shown(kite):
    await kite.house.do(report(labels=(LabelValue("branch", "main"),)))
    issue = (await kite.get())[1]["data"][0]
    await kite.house.do(AcknowledgeIssue(id=issue["id"]))
    issue = await kite.shown(issue)
    assert issue["labels"] == [{"name": "branch", "value": "main"}]
    assert issue["acknowledgedAt"] > issue["createdAt"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-21T02:03:56.766400Z", "2026-11-21T02:03:56.7664Z"),
        ("2026-11-21T02:03:50.000000Z", "2026-11-21T02:03:50Z"),
        ("2026-11-21T02:03:56.000001Z", "2026-11-21T02:03:56.000001Z"),
    ],
)
async def test_times_end_without_zeros(kite, given, shown):
    await kite.house.do(report(detected_at=given))
    issue = (await kite.get())[1]["data"][0]
    assert (issue["detectedAt"], issue["lastDetectedAt"]) == (shown, shown)


async def test_0_1_a_duplicate_is_counted_and_after_a_resolve_it_is_a_new_issue(kite):
    first = await kite.report()
    again = await kite.report(title="Again", severity="critical")
    assert (again["id"], again["title"], again["severity"]) == (first["id"], "Again", "critical")
    assert (again["occurrenceCount"], again["detectedAt"]) == (2, first["detectedAt"])
    await kite.post(f"/{first['id']}/resolve")
    new = await kite.report()
    assert new["id"] != first["id"]
    (relation,) = new["relatedFrom"]
    assert (relation["sourceId"], relation["targetId"]) == (new["id"], first["id"])
    assert relation["target"]["state"] == "RESOLVED"


async def test_0_1_sixteen_posts_at_once_make_one_issue(kite):
    issues = await asyncio.gather(*(kite.report() for _ in range(16)))
    assert len({issue["id"] for issue in issues}) == 1
    assert (await kite.shown(issues[0]))["occurrenceCount"] == 16


async def test_0_3_the_key_has_the_namespace_of_the_resource_and_links_are_replaced_when_some_come(kite):
    first = await kite.report(scope={"resourceNamespace": "cluster"}, links=[{"title": "1", "url": "https://1"}])
    other = await kite.report()
    assert other["id"] != first["id"]
    nones: tuple[dict[str, Any], ...] = ({"links": []}, {"links": None}, {})
    for none in nones:
        again = await kite.report(scope={"resourceNamespace": "cluster"}, **none)
        assert (again["id"], again["links"]) == (first["id"], first["links"])
    again = await kite.report(scope={"resourceNamespace": "cluster"}, links=[{"title": "2", "url": "https://2"}])
    assert [link["url"] for link in again["links"]] == ["https://2"]


async def test_0_4_issues_of_one_scope_share_its_row(kite):
    build, test = await kite.report(), await kite.report(issueType="test")
    assert build["id"] != test["id"]
    assert build["scopeId"] == test["scopeId"] == test["scope"]["id"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("severity", ["MAJOR", "medium", "high", "urgent", " "]),
        ("issueType", ["Build", "pipelineRun", "other"]),
        ("state", ["active", "OPEN", "RESOLVED "]),
    ],
)
async def test_0_5_words_are_checked_in_kites_order(kite, field, words):
    for word in words:
        refused = await kite.post(payload={**ISSUE, field: word})
        assert refused == (400, {"error": "Validation failed", "details": f"invalid {field} value"})
    wrong = {"severity": "x", "issueType": "x", "state": "x"}
    for name in ("severity", "issueType", "state"):
        refused = await kite.post(payload={**ISSUE, **wrong})
        assert refused[1]["details"] == f"invalid {name} value"
        del wrong[name]
    assert (await kite.get())[1]["total"] == 0


async def test_0_5_pipelinerun_is_pipeline(kite):
    issue = await kite.report(issueType="pipelinerun")
    assert issue["issueType"] == "pipeline"
    assert (await kite.report(issueType="pipeline"))["id"] == issue["id"]
    for word in ("pipelinerun", "pipeline"):
        assert (await kite.listed(issueType=word))[1] == 1


async def test_an_issue_may_come_resolved(kite):
    issue = await kite.report(state="RESOLVED")
    assert issue["state"] == "RESOLVED"
    assert issue["resolvedAt"] >= issue["detectedAt"]
    assert (await kite.report(name="web", state=""))["state"] == "ACTIVE"


REQUIRED = "Key: 'CreateIssueRequest.{}' Error:Field validation for '{}' failed on the 'required' tag"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"", "EOF"),
        (b'{"title": "a', "unexpected EOF"),
        (b"{]", "invalid character ']' looking for beginning of object key string"),
        (b"[]", "json: cannot unmarshal array into Go value of type CreateIssueRequest"),
        (
            b'{"title": 1}',
            "json: cannot unmarshal number into Go struct field CreateIssueRequest.title of type string",
        ),
        (
            b'{"scope": {"resourceType": true}}',
            "json: cannot unmarshal bool into Go struct field CreateIssueRequest.scope.resourceType of type string",
        ),
        (
            b'{"links": [{"url": 1}]}',
            "json: cannot unmarshal number into Go struct field CreateIssueRequest.links.url of type string",
        ),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_in_gos_words(kite, body, details):
    refused = await kite.post(body=body, namespace="team")
    assert refused == (400, {"error": "Invalid request body", "details": details})


async def test_what_is_missing_is_told_in_gos_grammar_with_the_keys_of_the_scope(kite):
    names = ["Title", "Description", "Severity", "IssueType", "Namespace", "Scope.ResourceType", "Scope.ResourceName"]
    lines = [REQUIRED.format(name, name.split(".")[-1]) for name in names]
    for body in (b"{}", b"null", b'{"scope": null, "title": ""}', b'{"scope": {}}'):
        refused = await kite.post(body=body, namespace="team")
        assert refused == (400, {"error": "Invalid request body", "details": "\n".join(lines)})
    scope = {"resourceType": "component", "resourceName": ""}
    refused = await kite.post(payload={**ISSUE, "scope": scope})
    assert refused[1]["details"] == lines[-1]
    assert refused[1]["details"].startswith(
        "Key: 'CreateIssueRequest.Scope.ResourceName' Error:Field validation for 'Re"
    )


async def test_keys_are_matched_without_case_and_what_follows_the_object_is_ignored(kite):
    scope = {"RESOURCETYPE": "component", "resourcename": "api"}
    body = {**{name.upper(): value for name, value in ISSUE.items()}, "SCOPE": scope}
    status, issue = await kite.post(body=json.dumps(body).encode() + b"} trailing")
    assert (status, issue["scope"]["resourceName"]) == (201, "api")


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"title": "t" * 501}, "title may have 500 characters at most"),
        ({"description": "a\0b"}, "description contains a NUL character"),
        ({"scope": {"resourceType": "t" * 101, "resourceName": "n"}}, "scope.resourceType may have 100 characters"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_the_name_of_its_field(kite, change, details):
    status, refused = await kite.post(payload={**ISSUE, **change})
    assert (status, refused["error"]) == (400, "Validation failed")
    assert refused["details"].startswith(details)
    assert (await kite.get())[1]["total"] == 0


async def test_links_that_no_page_can_show_are_dropped_and_the_answer_says_so(kite):
    good = {"title": "good", "url": "https://x/1"}
    bad = [
        {"title": "script", "url": "javascript:alert(1)"},
        {"title": "none"},
        {"title": "long", "url": "https://x/" + "y" * 2_048},
    ]
    status, issue = await kite.post(payload={**ISSUE, "links": [*bad, good]})
    assert status == 201
    assert [(link["title"], link["url"]) for link in issue["links"]] == [("good", "https://x/1")]
    assert issue["notices"] == [
        "link 'none' was dropped: it has no address",
        "link 'script' was dropped: its address is no http or https URL",
        "link 'long' was dropped: its address has more than 2,048 characters",
    ]
    # Nothing usable: as if none had come.
    status, again = await kite.put(f"/{issue['id']}", {"links": bad})
    assert (status, again["links"], len(again["notices"])) == (200, issue["links"], 3)
    assert "notices" not in (await kite.get(f"/{issue['id']}"))[1]


async def test_0_9_the_namespace_comes_from_the_query_or_the_body(kite):
    without = {name: value for name, value in ISSUE.items() if name != "namespace"}
    assert (await kite.post(payload=without, namespace="one"))[1]["namespace"] == "one"
    assert (await kite.post(payload={**without, "namespace": "two"}))[1]["namespace"] == "two"
    assert (await kite.post(payload={**without, "namespace": "two"}, namespace="two"))[0] == 201
    assert (await kite.post(payload=ISSUE, namespace="two")) == (400, {"error": "Namespace mismatch"})
    for body in (b"", b"{", json.dumps(without).encode()):
        assert await kite.post(body=body) == (400, {"error": "Missing namespace"})


async def test_0_9_a_list_without_a_namespace_is_what_the_caller_may_read(kite):
    for namespace in ("a", "b", "c"):
        await kite.report(namespace=namespace, title=namespace)
    kite.who = caller(a=["READ"], c=["READ"])
    assert await kite.listed() == (["c", "a"], 2)
    assert await kite.listed(namespace="") == (["c", "a"], 2)
    assert await kite.listed(namespace="a") == (["a"], 1)
    assert await kite.get(namespace="b") == NO_ACCESS
    kite.who = caller()
    assert await kite.listed() == ([], 0)


async def test_0_9_an_issue_of_another_namespace_than_the_querys(kite):
    issue = await kite.report()
    for method, path in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/resolve")]:
        refused = await kite.request(method, f"/{issue['id']}{path}", {"namespace": "other"}, json={})
        assert refused == NO_ACCESS
    assert await kite.shown(issue) == issue


async def test_an_issue_that_the_caller_may_not_see_is_not_there(kite):
    issue = await kite.report()
    kite.who = caller(other=["READ", "REPORT", "RESPOND", "MANAGE"])
    for method, path in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/resolve")]:
        assert await kite.request(method, f"/{issue['id']}{path}", json={}) == NO_ISSUE


async def test_without_report_permission_nothing_is_said_of_the_body(kite):
    kite.who = caller(team=["READ", "RESPOND", "MANAGE"])
    for payload in (ISSUE, {"namespace": "team"}):
        assert await kite.post(payload=payload) == NO_ACCESS
    assert await kite.post(body=b"{", namespace="team") == NO_ACCESS


async def test_who_may_only_report_sees_what_it_reported_and_not_its_neighbours(kite):
    first, second = await kite.report(), await kite.report("web")
    await kite.house.do(RelateIssues(source_id=first["id"], target_id=second["id"]))
    kite.who = caller(team=["REPORT"])
    issue = await kite.report()
    assert (issue["id"], issue["relatedFrom"], issue["occurrenceCount"]) == (first["id"], [], 2)
    assert await kite.get(f"/{first['id']}") == NO_ISSUE


async def test_show_issue_is_the_json_of_one_issue(kite):
    issue = await kite.report()
    assert await kite.kite.show_issue(issue["id"], kite.who) == issue
    with pytest.raises(LookupError):
        await kite.kite.show_issue(new_id(), kite.who)
    with pytest.raises(LookupError):
        await kite.kite.show_issue(issue["id"], caller(other=["READ"]))


async def test_a_report_that_cannot_be_shown_is_answered_as_done(kite, caplog):
    # The writer knows the issue, but not how much of it this caller may see.
    who, kite.who = kite.who, caller(team=["REPORT"])
    with patch.object(kite.house.planner, "execute", side_effect=Unavailable("no database")):
        status, issue = await kite.post(payload=ISSUE)
    kite.who = who
    assert (status, list(issue)) == (201, ["id"])
    assert "no database" in caplog.text
    assert "Traceback" not in caplog.text
    assert (await kite.shown(issue))["title"] == ISSUE["title"]


async def test_0_6_a_malformed_id_is_404(kite):
    there = (await kite.report())["id"]
    for id in ("1", "nope", "0" * 36, "a%00b", "%C3%A9", "{" + new_id() + "}", new_id()):
        for method, path in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/resolve")]:
            assert await kite.request(method, f"/{id}{path}", json={}) == NO_ISSUE
        missing = (404, {"error": "one or both issues not found"})
        assert await kite.post(f"/{id}/related", {"relatedId": there}) == missing
        assert await kite.post(f"/{there}/related", {"relatedId": id}) == missing
        missing = (404, {"error": "relationship not found"})
        assert await kite.delete(f"/{id}/related/{there}") == missing
        assert await kite.delete(f"/{there}/related/{id}") == missing


async def test_what_a_webhook_resolved_is_shown(kite):
    issue = await kite.report()
    command = ResolveScope(namespace="team", resource_type="component", resource_name="api")
    await kite.house.do(command)
    assert (await kite.shown(issue))["state"] == "RESOLVED"


async def test_no_more_links_are_read_than_anybody_shows_and_no_more_notices_written_than_anybody_reads(kite):
    links = [{"title": f"{number}"} for number in range(20_000)]
    status, issue = await kite.post(payload={**ISSUE, "links": links})
    assert status == 201
    assert issue["notices"][0] == "links past the first 1,000 were dropped"
    assert len(issue["notices"]) == 100
