"""Kite's issues over REST: lists, edits, resolving, deleting, relations; numbers as in the contract's differences."""

import itertools
import json
from typing import Any

import pytest

from models.values import new_id
from resolvers.mutation import PartValue, RelateIssues
from tests.resolvers.mutation.house import caller, report
from tests.webhooks.test_kite_house import NO_ACCESS, NO_ISSUE, client


@pytest.fixture
async def kite(database_url):
    async with client(database_url) as kite:
        yield kite


@pytest.fixture
async def three(kite):
    """Three issues, as titles and ids."""
    one = await kite.report("api", title="one", severity="critical", description="50% of Disk_A\n")
    two = await kite.report("web", title="two", issueType="test", namespace="other")
    scope = {"resourceType": "pipelinerun"}
    three = await kite.report("api", title="three", state="RESOLVED", scope=scope, description="ÉTAT")
    return {issue["title"]: issue["id"] for issue in (one, two, three)}


FILTERS: list[tuple[dict[str, Any], list[str] | None]] = [
    ({}, ["three", "two", "one"]),
    ({"severity": "critical"}, ["one"]),
    ({"severity": "Critical"}, []),
    ({"severity": "high"}, []),
    ({"issueType": "test"}, ["two"]),
    ({"issueType": "nope"}, []),
    ({"state": "ACTIVE"}, ["two", "one"]),
    ({"state": "RESOLVED"}, ["three"]),
    ({"state": "active"}, []),
    ({"namespace": "other"}, ["two"]),
    ({"namespace": "Other"}, []),
    ({"resourceType": "component"}, ["two", "one"]),
    ({"resourceType": "COMPONENT"}, []),
    ({"resourceName": "api"}, ["three", "one"]),
    ({"resourceName": "ap"}, []),
    ({"resourceName": "api", "resourceType": "pipelinerun"}, ["three"]),
    ({"severity": ["critical", "major"]}, ["one"]),
    ({"namespace": ["other", "team"]}, ["two"]),
    ({"severity": "", "issueType": "", "state": "", "search": "", "resourceType": "", "offset": ""}, None),
    ({"search": "TWO"}, ["two"]),
    ({"search": "e"}, ["three", "two", "one"]),
    ({"search": "% of disk"}, ["one"]),
    ({"search": "état"}, ["three"]),
    ({"search": "of 50%"}, []),
    ({"search": "severity:critical"}, []),
    ({"search": "exit", "state": "ACTIVE"}, ["two"]),
    ({"search": "a\0"}, []),
    ({"resourceName": "\0"}, []),
    ({"unknown": "x"}, None),
]


async def test_filters_are_exact_and_anded(kite, three):
    for query, titles in FILTERS:
        expected = ["three", "two", "one"] if titles is None else titles
        assert await kite.listed(**query) == (expected, len(expected)), query


async def test_0_10_percent_and_underscore_are_plain_characters(kite, three):
    assert await kite.listed(search="_") == (["one"], 1)
    assert await kite.listed(search="%") == (["one"], 1)
    assert await kite.listed(search="disk_a") == (["one"], 1)
    assert await kite.listed(search="\\") == ([], 0)


LIMITS: list[tuple[str | list[str], int]] = [
    *(("0", 50), ("-1", 50), ("abc", 50), ("", 50), (" 2", 50), ("1_0", 50), ("٣", 50), ("1.0", 50)),
    *(("9" * 19, 50), ("9" * 5_000, 50), ("2", 2), ("+2", 2), ("1000", 1_000), ("1001", 1_000)),
    *((str(2**63 - 1), 1_000), (["1", "2"], 1)),
]


async def test_0_10_a_limit_is_1000_at_most_and_50_when_it_is_none(kite, three):
    for limit, used in LIMITS:
        status, page = await kite.get(limit=limit)
        assert (status, list(page)) == (200, ["data", "total", "limit", "offset"])
        assert (page["limit"], page["total"], len(page["data"])) == (used, 3, min(used, 3)), limit


OFFSETS = [("1", 1), ("0", 0), ("-1", 0), ("x", 0), ("", 0), ("3", 3), (str(2**40), 2**31 - 1), (str(2**63), 0)]


async def test_an_offset_is_0_when_it_is_none(kite, three):
    for offset, used in OFFSETS:
        page = (await kite.get(offset=offset))[1]
        assert (page["offset"], page["total"]) == (used, 3), offset
        assert [issue["title"] for issue in page["data"]] == ["three", "two", "one"][used:]


async def test_0_10_equal_times_are_ordered_by_id(kite):
    for number in range(7):
        await kite.house.do(report(resource_name=str(number), detected_at="2026-01-01T00:00:00.000000Z"))
    whole = [issue["id"] for issue in (await kite.get())[1]["data"]]
    assert whole in (sorted(whole), sorted(whole, reverse=True))
    paged = [(await kite.get(limit=1, offset=number))[1]["data"][0]["id"] for number in range(7)]
    assert paged == whole


async def test_an_empty_list_is_a_list(kite):
    assert await kite.get() == (200, {"data": [], "total": 0, "limit": 50, "offset": 0})
    assert (await kite.get(severity="nope"))[1]["data"] == []


async def test_put_changes_what_is_given(kite):
    issue = await kite.report(links=[{"title": "1", "url": "https://1"}])
    change = {"title": "New", "description": "d", "severity": "info", "issueType": "pipelinerun"}
    status, now = await kite.put(f"/{issue['id']}", {**change, "links": [{"title": "2", "url": "https://2"}]})
    assert status == 200
    assert {name: now[name] for name in change} == {**change, "issueType": "pipeline"}
    assert [link["url"] for link in now["links"]] == ["https://2"]
    assert now["updatedAt"] > issue["updatedAt"]
    assert (now["scopeId"], now["createdAt"]) == (issue["scopeId"], issue["createdAt"])
    assert await kite.get(f"/{issue['id']}") == (200, now)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"title": "", "description": "", "severity": "", "issueType": "", "state": "", "namespace": ""},
        {"links": [], "scope": {"resourceType": "", "resourceName": "", "resourceNamespace": ""}},
        {"title": None, "links": None, "scope": None, "resolvedAt": None},
        {"resolvedAt": "0001-01-01T00:00:00Z"},
        {"resolvedAt": "2026-01-01T00:00:00Z"},
        {"id": "x", "scopeId": 1, "unknown": []},
    ],
)
async def test_put_of_nothing_changes_nothing(kite, payload):
    issue = await kite.report(links=[{"title": "1", "url": "https://1"}])
    status, now = await kite.put(f"/{issue['id']}", payload)
    assert (status, {**now, "updatedAt": issue["updatedAt"]}) == (200, issue)


async def test_put_may_move_an_issue(kite):
    issue = await kite.report()
    path = f"/{issue['id']}"
    status, now = await kite.put(path, {"scope": {"resourceName": "web"}}, namespace="team")
    assert (status, now["scope"]["resourceName"], now["scope"]["resourceType"]) == (200, "web", "component")
    status, now = await kite.put(path, {"namespace": "other"}, namespace="team")
    assert (status, now["namespace"], now["scope"]["resourceNamespace"]) == (200, "other", "team")
    assert await kite.put(path, {"title": "x"}, namespace="team") == NO_ACCESS
    kite.who = caller(other=["READ", "RESPOND"])
    assert await kite.put(path, {"namespace": "third"}) == NO_ACCESS


async def test_0_8_a_fingerprint_of_another_active_issue_is_409(kite):
    there, issue = await kite.report("api"), await kite.report("web")
    conflict = (409, {"error": "another active issue has this scope and type"})
    assert await kite.put(f"/{issue['id']}", {"scope": {"resourceName": "api"}}) == conflict
    assert await kite.shown(issue) == issue
    await kite.post(f"/{there['id']}/resolve")
    assert (await kite.put(f"/{issue['id']}", {"scope": {"resourceName": "api"}}))[0] == 200
    assert await kite.put(f"/{there['id']}", {"state": "ACTIVE"}) == conflict


async def test_0_8_active_clears_resolved_at(kite):
    issue = await kite.report(state="RESOLVED")
    status, now = await kite.put(f"/{issue['id']}", {"state": "ACTIVE"})
    assert (status, now["state"], now["resolvedAt"]) == (200, "ACTIVE", None)


async def test_put_resolves_now_and_only_then_takes_a_time(kite):
    issue = await kite.report()
    path, given = f"/{issue['id']}", {"state": "RESOLVED", "resolvedAt": "2026-01-01T01:00:00.5+01:00"}
    first = (await kite.put(path, given))[1]
    assert (first["state"], first["resolvedAt"] >= issue["createdAt"]) == ("RESOLVED", True)
    assert (await kite.put(path, {"state": "RESOLVED"}))[1]["resolvedAt"] == first["resolvedAt"]
    assert (await kite.put(path, {"resolvedAt": given["resolvedAt"]}))[1]["resolvedAt"] == first["resolvedAt"]
    assert (await kite.put(path, given))[1]["resolvedAt"] == "2026-01-01T00:00:00.5Z"


@pytest.mark.parametrize("field", ["severity", "issueType", "state"])
async def test_0_5_put_checks_the_words_too(kite, field):
    issue = await kite.report()
    for word in ("bogus", "MEDIUM", "x" * 30):
        refused = await kite.put(f"/{issue['id']}", {field: word, "title": "New"})
        assert refused == (400, {"error": "Validation failed", "details": f"invalid {field} value"})
    assert await kite.shown(issue) == issue


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ("", "EOF"),
        ("[]", "json: cannot unmarshal array into Go value of type UpdateIssueRequest"),
        ('{"title": 1}', "json: cannot unmarshal number into Go struct field UpdateIssueRequest.title of type string"),
        ('{"resolvedAt": "yesterday"}', 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse'),
        ('{"resolvedAt": ""}', 'parsing time "" as'),
        ('{"resolvedAt": 1}', "json: cannot unmarshal number"),
    ],
)
async def test_put_looks_at_the_body_before_the_issue(kite, body, details):
    for id in (new_id(), "malformed", (await kite.report())["id"]):
        status, refused = await kite.put(f"/{id}", body=body)
        assert (status, refused["error"]) == (400, "Invalid request body")
        assert refused["details"].startswith(details)


async def test_put_names_the_field_that_cannot_be_kept(kite):
    issue = await kite.report()
    status, refused = await kite.put(f"/{issue['id']}", {"title": "t" * 501})
    assert (status, refused["error"]) == (400, "Validation failed")
    assert refused["details"] == "title may have 500 characters at most"


async def test_0_8_resolving_again_changes_nothing(kite):
    issue = await kite.report()
    status, first = await kite.post(f"/{issue['id']}/resolve", namespace="team")
    assert (status, first["state"]) == (200, "RESOLVED")
    assert first["resolvedAt"] >= issue["createdAt"]
    assert await kite.post(f"/{issue['id']}/resolve", body=b"not even JSON") == (200, first)
    assert await kite.post(f"/{new_id()}/resolve") == NO_ISSUE


async def test_delete_takes_the_relations_along(kite):
    issue, other = await kite.report("api"), await kite.report("web")
    await kite.post(f"/{issue['id']}/related", {"relatedId": other["id"]})
    assert await kite.delete(f"/{issue['id']}", namespace="team") == (204, None)
    assert await kite.get(f"/{issue['id']}") == NO_ISSUE
    assert await kite.delete(f"/{issue['id']}") == NO_ISSUE
    assert await kite.delete(f"/{issue['id']}", namespace="other") == NO_ISSUE
    assert (await kite.shown(other))["relatedTo"] == []


async def test_who_may_read_only_is_told_so(kite):
    one, two = await kite.report("api"), await kite.report("web")
    kite.who = caller(team=["READ", "REPORT"])
    path = f"/{one['id']}"
    assert await kite.put(path, {"title": "x"}) == NO_ACCESS
    assert await kite.post(f"{path}/resolve") == NO_ACCESS
    assert await kite.delete(path) == NO_ACCESS
    assert await kite.post(f"{path}/related", {"relatedId": two["id"]}) == NO_ACCESS
    assert await kite.delete(f"{path}/related/{two['id']}") == NO_ACCESS
    kite.who = caller(team=["RESPOND"])
    status, now = await kite.put(path, {"title": "x"}, namespace="team")
    assert (status, now["title"]) == (200, "x")
    assert (await kite.post(f"{path}/resolve"))[1]["state"] == "RESOLVED"
    assert await kite.delete(path) == NO_ISSUE
    kite.who = caller(team=["MANAGE"])
    assert await kite.delete(path, namespace="team") == (204, None)


async def test_0_7_relations_hold_both_issues_and_no_zero_values(kite):
    one = await kite.report("api", links=[{"title": "Log", "url": "https://log"}])
    two = await kite.report("web")
    assert await kite.post(f"/{one['id']}/related", {"relatedId": two["id"]}) == (
        201,
        {"message": "Relationship created"},
    )
    one_alone = {**one, "relatedFrom": None, "relatedTo": None}
    two_alone = {**two, "relatedFrom": None, "relatedTo": None}
    one, two = await kite.shown(one), await kite.shown(two)
    (relation,) = one["relatedFrom"]
    assert list(relation) == ["id", "sourceId", "targetId", "source", "target"]
    assert (relation["sourceId"], relation["targetId"]) == (one["id"], two["id"])
    assert (relation["source"], relation["target"]) == (one_alone, two_alone)
    assert relation["source"]["links"][0]["issueId"] == one["id"]
    assert relation["target"]["links"] == []
    assert (one["relatedTo"], two["relatedFrom"], two["relatedTo"]) == ([], [], [relation])
    assert (await kite.get())[1]["data"] == [two, one]


async def test_0_7_related_routes_speak_of_related_and_lists_of_every_kind(kite):
    one, two = await kite.report("api"), await kite.report("web", namespace="other")
    caused = RelateIssues(source_id=one["id"], target_id=two["id"], kind="CAUSED_BY")
    await kite.house.do(caused)
    path = f"/{one['id']}/related"
    assert len((await kite.shown(one))["relatedFrom"]) == 1
    assert await kite.delete(f"{path}/{two['id']}") == (404, {"error": "relationship not found"})
    assert (await kite.post(path, {"relatedId": two["id"]}))[0] == 201
    assert len((await kite.shown(one))["relatedFrom"]) == 2
    assert await kite.delete(f"{path}/{two['id']}") == (204, None)
    assert len((await kite.shown(one))["relatedFrom"]) == 1


async def test_a_relation_is_there_once_whatever_its_direction(kite):
    one, two = await kite.report("api"), await kite.report("web")
    there = (409, {"error": "relationship already exists"})
    assert (await kite.post(f"/{one['id']}/related", {"RELATEDID": two["id"].upper()}))[0] == 201
    assert await kite.post(f"/{one['id']}/related", {"relatedId": two["id"]}) == there
    assert await kite.post(f"/{two['id']}/related", {"relatedId": one["id"]}) == there
    assert await kite.delete(f"/{two['id']}/related/{one['id']}") == (204, None)
    assert await kite.delete(f"/{one['id']}/related/{two['id']}") == (404, {"error": "relationship not found"})


async def test_a_relation_to_nothing_is_refused_in_kites_words(kite):
    bodies = ["", "{", "[]", "{}", "null", '{"relatedId": ""}', '{"relatedId": 1}', '"x"']
    ids = (new_id(), "malformed", (await kite.report())["id"])
    for id, body in itertools.product(ids, bodies):
        assert await kite.post(f"/{id}/related", body=body) == (400, {"error": "Missing relatdId field"})


async def test_an_issue_is_not_related_to_itself(kite):
    issue = await kite.report()
    details = "relatedId: an issue cannot be related to itself"
    refused = await kite.post(f"/{issue['id']}/related", {"relatedId": issue["id"]})
    assert refused == (400, {"error": "Validation failed", "details": details})


async def test_neighbours_that_the_caller_may_not_read_are_left_out(kite):
    one, two = await kite.report("api"), await kite.report("web", namespace="other")
    await kite.post(f"/{one['id']}/related", {"relatedId": two["id"]})
    kite.who = caller(team=["READ", "RESPOND"])
    assert (await kite.shown(one))["relatedFrom"] == []
    assert await kite.delete(f"/{one['id']}/related/{two['id']}") == (404, {"error": "relationship not found"})
    missing = (404, {"error": "one or both issues not found"})
    assert await kite.post(f"/{one['id']}/related", {"relatedId": two["id"]}) == missing


async def test_0_3_extra_parts_make_other_issues(kite):
    await kite.house.do(report(fingerprint=(PartValue("task", "build"),)))
    plain = await kite.report()
    assert (await kite.get())[1]["total"] == 2
    assert (await kite.put(f"/{plain['id']}", json.loads('{"title": "<&>\u2028"}')))[1]["title"] == "<&>\u2028"
