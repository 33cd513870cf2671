"""What mutations refuse: each code with its path, and who may do and see what."""

from models.values import new_id
from resolvers.mutation import ResolveIssue, limits
from tests.resolvers.mutation.house import caller, made, report
from tests.schema.test_mutations import REPORT, end, run

NOTHING = {"createIssue": "issue { id } action", "deleteIssue": "deletedId", "relateIssues": "relation { id }"}
NOTHING |= {"resolveIssues": "issues { id }", "acknowledgeIssues": "issues { id }"}
NOTHING |= {"resolveScope": "issues { id } resolvedCount", "unrelateIssues": "removedCount"}


async def refused(house, field, **input):
    """(code, path) of each user error of a mutation that did nothing."""
    before = await end(house)
    payload = await run(house, field, NOTHING.get(field, "issue { id }"), **input)
    errors = payload.pop("userErrors")
    assert all(error["message"] for error in errors)
    assert payload.pop("position") == before == await end(house)
    assert not any(payload.values()), "something was answered as done"
    return [(error["code"], ".".join(error["field"])) for error in errors]


SCOPE: dict = REPORT["scope"]
SUCCESS = {"namespace": "team", "scope": SCOPE}
LONG = "x" * 70_000
LINK = {"title": "log", "url": "https://ci/1"}
LABEL = {"name": "a", "value": "b"}
PART = {"name": "a", "value": "b"}


WRONG = [
    ("createIssue", REPORT | {"title": ""}, [("REQUIRED", "title")]),
    (
        "createIssue",
        REPORT | {"namespace": "", "description": ""},
        [("REQUIRED", "namespace"), ("REQUIRED", "description")],
    ),
    ("createIssue", REPORT | {"scope": SCOPE | {"resourceName": ""}}, [("REQUIRED", "scope.resourceName")]),
    (
        "createIssue",
        REPORT | {"scope": SCOPE | {"resourceNamespace": ""}},
        [("REQUIRED", "scope.resourceNamespace")],
    ),
    ("createIssue", REPORT | {"links": None}, [("REQUIRED", "links")]),
    (
        "createIssue",
        REPORT | {"labels": None, "fingerprint": None},
        [("REQUIRED", "labels"), ("REQUIRED", "fingerprint")],
    ),
    ("createIssue", REPORT | {"links": None, "title": ""}, [("REQUIRED", "links"), ("REQUIRED", "title")]),
    (
        "createIssue",
        REPORT | {"runId": "", "source": "", "idempotencyKey": ""},
        [("REQUIRED", "source"), ("REQUIRED", "runId"), ("REQUIRED", "idempotencyKey")],
    ),
    ("createIssue", REPORT | {"links": [LINK, {"title": "", "url": "ftp://x"}]}, [("INVALID", "links.1.url")]),
    ("createIssue", REPORT | {"links": [LINK, {"title": "", "url": ""}]}, [("REQUIRED", "links.1.url")]),
    ("createIssue", REPORT | {"labels": [{"name": "", "value": ""}]}, [("REQUIRED", "labels.0.name")]),
    ("createIssue", REPORT | {"title": "a\0b"}, [("INVALID", "title")]),
    ("createIssue", REPORT | {"description": "\ud800"}, [("INVALID", "description")]),
    ("createIssue", REPORT | {"fingerprint": [PART, PART]}, [("INVALID", "fingerprint.1.name")]),
    (
        "createIssue",
        REPORT | {"fingerprint": [{"name": "namespace", "value": ""}]},
        [("INVALID", "fingerprint.0.name")],
    ),
    (
        "createIssue",
        REPORT | {"title": LONG, "description": LONG},
        [("TOO_LONG", "title"), ("TOO_LONG", "description")],
    ),
    ("createIssue", REPORT | {"scope": SCOPE | {"resourceType": LONG}}, [("TOO_LONG", "scope.resourceType")]),
    ("createIssue", REPORT | {"links": [{"title": LONG, "url": "https://ci"}]}, [("TOO_LONG", "links.0.title")]),
    ("createIssue", REPORT | {"links": [LINK] * (limits.MAX_LINKS + 1)}, [("TOO_MANY", "links")]),
    ("createIssue", REPORT | {"labels": [LABEL] * (limits.MAX_LABELS + 1)}, [("TOO_MANY", "labels")]),
    (
        "createIssue",
        REPORT | {"fingerprint": [PART] * (limits.MAX_FINGERPRINT_PARTS + 1)},
        [("TOO_MANY", "fingerprint")],
    ),
    ("resolveScope", SUCCESS | {"namespace": ""}, [("REQUIRED", "namespace")]),
    ("resolveScope", SUCCESS | {"fingerprint": None}, [("REQUIRED", "fingerprint")]),
    ("resolveScope", SUCCESS | {"reason": LONG}, [("TOO_LONG", "reason")]),
    ("resolveScope", SUCCESS | {"fingerprint": [PART, PART]}, [("INVALID", "fingerprint.1.name")]),
    (
        "resolveScope",
        SUCCESS | {"fingerprint": [PART] * (limits.MAX_FINGERPRINT_PARTS + 1)},
        [("TOO_MANY", "fingerprint")],
    ),
    ("resolveIssues", {"ids": ["x"] * (limits.MAX_IDS + 1)}, [("TOO_MANY", "ids")]),
    ("acknowledgeIssues", {"ids": ["x"] * (limits.MAX_IDS + 1)}, [("TOO_MANY", "ids")]),
    ("resolveIssues", {"ids": ["x", new_id()], "reason": LONG}, [("TOO_LONG", "reason")]),
    ("resolveIssues", {"ids": ["x", new_id()]}, [("NOT_FOUND", "ids.0"), ("NOT_FOUND", "ids.1")]),
    ("acknowledgeIssues", {"ids": ["x", new_id()]}, [("NOT_FOUND", "ids.0"), ("NOT_FOUND", "ids.1")]),
    ("resolveIssue", {"id": "x", "reason": LONG}, [("TOO_LONG", "reason")]),
    (
        "relateIssues",
        {"sourceId": "x", "targetId": new_id()},
        [("NOT_FOUND", "sourceId"), ("NOT_FOUND", "targetId")],
    ),
    ("relateIssues", {"sourceId": "x", "targetId": "y", "reason": LONG}, [("TOO_LONG", "reason")]),
    (
        "unrelateIssues",
        {"sourceId": "x", "targetId": new_id()},
        [("NOT_FOUND", "sourceId"), ("NOT_FOUND", "targetId")],
    ),
    ("updateIssue", {"id": "x"}, [("NOT_FOUND", "id")]),
    ("resolveIssue", {"id": new_id()}, [("NOT_FOUND", "id")]),
    ("reopenIssue", {"id": ""}, [("NOT_FOUND", "id")]),
    ("acknowledgeIssue", {"id": "x"}, [("NOT_FOUND", "id")]),
    ("unacknowledgeIssue", {"id": "x"}, [("NOT_FOUND", "id")]),
    ("deleteIssue", {"id": "x"}, [("NOT_FOUND", "id")]),
]


async def test_what_is_wrong_is_told_with_its_path_and_nothing_is_done(house):
    for field, input, expected in WRONG:
        assert await refused(house, field, **input) == expected, (field, input)


async def test_an_explicit_null_does_not_clear_what_cannot_be_null(house):
    id = await made(house)
    for member in ("title", "description", "severity", "issueType", "links", "labels"):
        assert await refused(house, "updateIssue", id=id, **{member: None}) == [("REQUIRED", member)]


async def test_every_explicit_null_is_told_beside_what_else_is_wrong(house):
    id = await made(house)
    wrong = {"severity": None, "links": None, "title": "", "labels": [{"name": "", "value": ""}]}
    assert await refused(house, "updateIssue", id=id, **wrong) == [
        ("REQUIRED", "severity"),
        ("REQUIRED", "links"),
        ("REQUIRED", "title"),
        ("REQUIRED", "labels.0.name"),
    ]


async def test_null_is_absent_where_a_member_has_a_meaning_without_it(house):
    nulls: dict = dict.fromkeys(("detectedAt", "source", "runId", "idempotencyKey"))
    nulls["scope"] = SCOPE | {"resourceNamespace": None}
    done = await run(house, "createIssue", "issue { id source }", **REPORT | nulls)
    assert done["userErrors"] == []
    id = done["issue"]["id"]
    await run(house, "resolveIssue", "issue { id }", id=id, at=None, reason=None)
    nulls = dict.fromkeys(("issueType", "at", "reason", "idempotencyKey"))
    assert (await run(house, "resolveScope", "resolvedCount", **SUCCESS | nulls))["userErrors"] == []


async def test_a_conflict_names_the_issue_that_stands_in_the_way(house):
    old = await made(house)
    await house.do(ResolveIssue(id=old))
    new = await made(house)
    done = await run(house, "reopenIssue", "issue { id }", id=old)
    assert done["issue"] is None
    assert done["position"] == await end(house)
    assert [error | {"message": ""} for error in done["userErrors"]] == [
        {"code": "CONFLICT", "field": ["id"], "message": "", "issue": {"id": new}}
    ]
    test = await made(house, issue_type="test")
    done = await run(house, "updateIssue", "issue { id }", id=test, issueType="BUILD", title="not done either")
    assert done["issue"] is None
    assert [(error["code"], error["field"], error["issue"]) for error in done["userErrors"]] == [
        ("CONFLICT", ["issueType"], {"id": new})
    ]


async def test_the_issue_in_the_way_is_answered_as_deep_as_it_is_asked_for(house):
    old = await made(house)
    await house.do(ResolveIssue(id=old))
    new = await made(house)
    answer = await house.ask(
        "mutation ($id: ID!) { reopenIssue(input: {id: $id}) { userErrors { why: code issue { ...deep } } } }"
        "fragment deep on Issue { id previous { id } scope { resourceName } related { nodes { id } } }",
        id=old,
    )
    deep = {"id": new, "previous": {"id": old}, "scope": {"resourceName": "api"}, "related": {"nodes": [{"id": old}]}}
    assert answer["reopenIssue"]["userErrors"] == [{"why": "CONFLICT", "issue": deep}]


async def test_an_issue_is_not_related_to_itself(house):
    id = await made(house)
    assert await refused(house, "relateIssues", sourceId=id, targetId=id) == [("SELF_RELATION", "targetId")]


async def test_a_recurrence_is_only_drawn_to_an_earlier_issue_of_the_same_fingerprint(house):
    id, other = await made(house), await made(house, resource_name="web")
    given = {"sourceId": id, "targetId": other, "kind": "RECURRENCE_OF"}
    assert await refused(house, "relateIssues", **given) == [("INVALID", "kind")]


async def test_an_idempotency_key_is_for_one_command_only(house):
    await run(house, "createIssue", "issue { id }", **REPORT, idempotencyKey="k")
    mismatch = [("IDEMPOTENCY_MISMATCH", "idempotencyKey")]
    assert await refused(house, "createIssue", **REPORT | {"title": "other"}, idempotencyKey="k") == mismatch
    assert await refused(house, "resolveScope", **SUCCESS, idempotencyKey="k") == mismatch


async def test_who_may_act_on_an_issue_but_not_read_it_is_shown_what_it_did(house):
    id, web = await made(house), await made(house, resource_name="web")
    blind = caller(team=["RESPOND", "REPORT"])
    answer = await house.ask(
        """mutation ($id: ID!, $web: ID!, $report: CreateIssueInput!) {
            resolveIssue(input: {id: $id}) { issue { id } position userErrors { code } }
            acknowledgeIssues(input: {ids: [$web]}) { issues { id } userErrors { code } }
            relateIssues(input: {sourceId: $id, targetId: $web}) { relation { id } userErrors { code } }
            createIssue(input: $report) { issue { id } action userErrors { code } }
            reopenIssue(input: {id: $id}) { issue { id } userErrors { code issue { id } } }
        }""",
        who=blind,
        id=id,
        web=web,
        report=REPORT,
    )
    assert answer["resolveIssue"]["issue"] == {"id": id}
    assert answer["resolveIssue"]["userErrors"] == []
    assert answer["acknowledgeIssues"] == {"issues": [{"id": web}], "userErrors": []}
    assert answer["relateIssues"]["relation"]["id"]
    made_anew = answer["createIssue"]["issue"]
    assert answer["createIssue"] == {"issue": made_anew, "action": "CREATED", "userErrors": []}
    assert answer["reopenIssue"] == {"issue": None, "userErrors": [{"code": "CONFLICT", "issue": made_anew}]}
    text = "query ($id: ID!) { issue(id: $id) { id } }"
    assert await house.ask(text, who=blind, id=id) == {"issue": None}
    seen = await house.ask("query ($id: ID!) { issue(id: $id) { state related { totalCount } } }", id=id)
    assert seen["issue"] == {"state": "RESOLVED", "related": {"totalCount": 2}}


async def test_neighbours_that_the_caller_may_not_read_are_left_out_of_a_payload(house):
    id = await made(house)
    hidden = await made(house, namespace="secret", resource_name="vault")
    await run(house, "relateIssues", "relation { id }", sourceId=id, targetId=hidden)
    answer = await house.ask(
        "mutation ($id: ID!) { acknowledgeIssue(input: {id: $id}) {"
        " issue { id related { totalCount nodes { id } } } } }",
        who=caller(team=["READ", "RESPOND"]),
        id=id,
    )
    assert answer["acknowledgeIssue"]["issue"] == {"id": id, "related": {"totalCount": 0, "nodes": []}}


async def test_what_the_caller_may_not_do_is_an_error_beside_neighbours_that_are_done(house):
    id, other = await made(house), await made(house, namespace="other")
    reader = caller(team=["READ", "RESPOND"], other=["READ"])
    answer = await house.answer(
        """mutation ($id: ID!, $other: ID!, $report: CreateIssueInput!) {
            one: acknowledgeIssue(input: {id: $id}) { issue { id } }
            two: resolveIssue(input: {id: $other}) { issue { id } }
            three: createIssue(input: $report) { issue { id } }
            four: deleteIssue(input: {id: $id}) { deletedId }
            five: resolveIssue(input: {id: $id}) { issue { state } userErrors { code } }
        }""",
        {"id": id, "other": other, "report": REPORT},
        who=reader,
    )
    assert answer["data"] == {
        "one": {"issue": {"id": id}},
        "two": None,
        "three": None,
        "four": None,
        "five": {"issue": {"state": "RESOLVED"}, "userErrors": []},
    }
    assert list(answer["data"]) == ["one", "two", "three", "four", "five"]
    told = [(error["path"], error["extensions"]["code"], error["message"]) for error in answer["errors"]]
    assert told == [
        (["two"], "FORBIDDEN", "no permission to respond in namespace other"),
        (["three"], "FORBIDDEN", "no permission to report in namespace team"),
        (["four"], "FORBIDDEN", "no permission to manage in namespace team"),
    ]


async def test_an_issue_that_the_caller_may_not_know_of_is_not_found(house):
    outcome = await house.do(report(namespace="secret"))
    answer = await house.ask(
        "mutation ($id: ID!) { resolveIssue(input: {id: $id}) { issue { id } userErrors { code field } } }",
        who=caller(team=["READ", "RESPOND"]),
        id=outcome.issue_ids[0],
    )
    assert answer["resolveIssue"] == {"issue": None, "userErrors": [{"code": "NOT_FOUND", "field": ["id"]}]}
