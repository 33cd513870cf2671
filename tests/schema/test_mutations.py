"""Every mutation through the published schema: what was done, where it stands in the log, and what it answers."""

from models.values import new_id
from tests.resolvers.mutation.house import BOB, made

WHAT = """
    mutation ($input: %(name)sInput!) { done: %(field)s(input: $input) {
        ... on %(name)sPayload { %(selection)s position }
        userErrors { code field message issue { id } }
    } }
"""
REPORT: dict = {
    "namespace": "team",
    "title": "Build failed: api",
    "description": "exit code 1",
    "severity": "MAJOR",
    "issueType": "BUILD",
    "scope": {"resourceType": "component", "resourceName": "api"},
}


async def run(house, field, selection, **input):
    """The payload of one mutation, without errors."""
    name = field[0].upper() + field[1:]
    text = WHAT % {"name": name, "field": field, "selection": selection}
    return (await house.ask(text, input=input))["done"]


async def end(house):
    """The end of the log."""
    return (await house.ask("{ position }"))["position"]


async def newest(house):
    """The newest line of the log."""
    return (await house.ask("{ issueEvents(first: 1) { nodes { position kind issueId changes { field old new } } } }"))[
        "issueEvents"
    ]["nodes"][0]


DEEP = """issue {
    id title state severity issueType url occurrenceCount
    scope { resourceType resourceName resourceNamespace stats { total } issues { totalCount } }
    links { title url } labels { name value } fingerprint { parts { name value } }
    related { totalCount nodes { title scope { resourceName } } edges { direction relation { kind reason } } }
    occurrences(first: 2) { totalCount nodes { runId title links { url } actor { kind id name } } }
    timeline(first: 1) { nodes { kind position issue { id } } }
    graph { nodes { issue { id } distance } }
    previous { id state }
} action"""


async def test_create_issue_answers_the_issue_as_deep_as_it_is_asked_for(house):
    done = await run(
        house,
        "createIssue",
        DEEP,
        **REPORT,
        links=[{"title": "log", "url": "https://ci/1"}],
        labels=[{"name": "arch", "value": "arm"}],
        runId="run-1",
        fingerprint=[{"name": "task", "value": "compile"}],
        source="ci",
        detectedAt="2026-01-01T02:00:00+02:00",
    )
    issue = done["issue"]
    position = await end(house)
    assert done["action"] == "CREATED"
    assert done["position"] == position
    assert done["userErrors"] == []
    assert issue == {
        "id": issue["id"],
        "title": "Build failed: api",
        "state": "ACTIVE",
        "severity": "MAJOR",
        "issueType": "BUILD",
        "url": issue["url"],
        "occurrenceCount": 1,
        "scope": {
            "resourceType": "component",
            "resourceName": "api",
            "resourceNamespace": "team",
            "stats": {"total": 1},
            "issues": {"totalCount": 1},
        },
        "links": [{"title": "log", "url": "https://ci/1"}],
        "labels": [{"name": "arch", "value": "arm"}],
        "fingerprint": {"parts": issue["fingerprint"]["parts"]},
        "related": {"totalCount": 0, "nodes": [], "edges": []},
        "occurrences": {
            "totalCount": 1,
            "nodes": [
                {
                    "runId": "run-1",
                    "title": "Build failed: api",
                    "links": [{"url": "https://ci/1"}],
                    "actor": {"kind": "PERSON", "id": "ada", "name": "Ada"},
                }
            ],
        },
        "timeline": {"nodes": [{"kind": "CREATED", "position": position, "issue": {"id": issue["id"]}}]},
        "graph": {"nodes": [{"issue": {"id": issue["id"]}, "distance": 0}]},
        "previous": None,
    }
    assert issue["url"].startswith("http://issuegraph.test/")
    assert issue["url"].endswith(issue["id"])
    assert {"name": "task", "value": "compile"} in issue["fingerprint"]["parts"]


async def test_create_issue_tells_what_became_of_the_report(house):
    first = await run(house, "createIssue", DEEP, **REPORT, runId="1")
    again = await run(house, "createIssue", DEEP, **REPORT, runId="2")
    repeat = await run(house, "createIssue", DEEP, **REPORT, runId="2")
    await run(house, "resolveIssue", "issue { id }", id=first["issue"]["id"])
    recurrence = await run(house, "createIssue", DEEP, **REPORT, runId="3")
    assert [done["action"] for done in (first, again, repeat, recurrence)] == [
        "CREATED",
        "UPDATED",
        "UNCHANGED",
        "CREATED",
    ]
    assert first["position"] < again["position"] == repeat["position"] < recurrence["position"]
    assert again["issue"]["id"] == repeat["issue"]["id"] == first["issue"]["id"]
    assert repeat["issue"]["occurrenceCount"] == 2
    assert recurrence["issue"]["previous"] == {"id": first["issue"]["id"], "state": "RESOLVED"}
    assert recurrence["issue"]["related"]["edges"][0]["relation"]["kind"] == "RECURRENCE_OF"


async def test_the_same_idempotency_key_answers_the_same_and_does_nothing_more(house):
    first = await run(house, "createIssue", "action issue { id occurrenceCount }", **REPORT, idempotencyKey="k")
    again = await run(house, "createIssue", "action issue { id occurrenceCount }", **REPORT, idempotencyKey="k")
    assert again == first
    assert await end(house) == first["position"]


async def test_update_issue_changes_what_is_given_and_keeps_the_rest(house):
    id = await made(house)
    selection = "issue { title description severity issueType links { url } labels { name value } editedFields }"
    done = await run(
        house,
        "updateIssue",
        selection,
        id=id,
        title="Better",
        severity="CRITICAL",
        links=[{"title": "", "url": "https://ci/2"}],
        labels=[{"name": "a", "value": ""}],
    )
    assert done == {
        "issue": {
            "title": "Better",
            "description": "exit code 1",
            "severity": "CRITICAL",
            "issueType": "BUILD",
            "links": [{"url": "https://ci/2"}],
            "labels": [{"name": "a", "value": ""}],
            "editedFields": done["issue"]["editedFields"],
        },
        "position": await end(house),
        "userErrors": [],
    }
    assert set(done["issue"]["editedFields"]) == {"title", "severity", "links", "labels"}
    cleared = await run(house, "updateIssue", selection, id=id, links=[], labels=[], issueType="TEST")
    assert cleared["issue"]["links"] == cleared["issue"]["labels"] == []
    assert cleared["issue"]["issueType"] == "TEST"
    assert cleared["issue"]["title"] == "Better"
    nothing = await run(house, "updateIssue", selection, id=id, title="Better")
    assert nothing["position"] == cleared["position"]


async def test_resolve_issue_is_idempotent(house):
    id = await made(house, detected_at="2026-01-01T00:00:00.000000Z")
    selection = "issue { id state resolvedAt resolvedBy { id } }"
    done = await run(house, "resolveIssue", selection, id=id, at="2026-01-02T00:00:00Z", reason="fixed")
    assert done["issue"] == {
        "id": id,
        "state": "RESOLVED",
        "resolvedAt": "2026-01-02T00:00:00.000000Z",
        "resolvedBy": {"id": "ada"},
    }
    line = await newest(house)
    assert (line["position"], line["kind"], line["issueId"]) == (done["position"], "RESOLVED", id)
    assert {"field": "reason", "old": None, "new": "fixed"} in line["changes"]
    assert await run(house, "resolveIssue", selection, id=id) == done


async def test_reopen_issue_makes_it_active_again(house):
    id = await made(house)
    await run(house, "resolveIssue", "issue { id }", id=id)
    selection = "issue { id state resolvedAt resolvedBy { id } }"
    done = await run(house, "reopenIssue", selection, id=id)
    assert done["issue"] == {"id": id, "state": "ACTIVE", "resolvedAt": None, "resolvedBy": None}
    assert done["position"] == (await newest(house))["position"]
    assert await run(house, "reopenIssue", selection, id=id) == done


async def test_acknowledging_and_taking_it_back_are_idempotent(house):
    id = await made(house)
    selection = "issue { id acknowledgedAt acknowledgedBy { kind id name } }"
    done = await run(house, "acknowledgeIssue", selection, id=id)
    assert done["issue"]["acknowledgedBy"] == {"kind": "PERSON", "id": "ada", "name": "Ada"}
    assert done["position"] == (await newest(house))["position"]
    text = "mutation ($id: ID!) { acknowledgeIssue(input: {id: $id}) { issue { acknowledgedBy { id } } position } }"
    other = (await house.ask(text, who=BOB, id=id))["acknowledgeIssue"]
    assert other == {"issue": {"acknowledgedBy": {"id": "ada"}}, "position": done["position"]}
    back = await run(house, "unacknowledgeIssue", selection, id=id)
    assert back["issue"] == {"id": id, "acknowledgedAt": None, "acknowledgedBy": None}
    assert back["position"] == (await newest(house))["position"]
    assert await run(house, "unacknowledgeIssue", selection, id=id) == back


async def test_several_issues_are_answered_in_the_order_of_their_ids_each_once(house):
    ids = [await made(house, resource_name=name) for name in ("c", "a", "b")]
    ids.reverse()
    acknowledged = await run(house, "acknowledgeIssues", "issues { id acknowledgedBy { id } }", ids=[*ids, ids[0]])
    assert acknowledged["issues"] == [{"id": id, "acknowledgedBy": {"id": "ada"}} for id in ids]
    assert acknowledged["position"] == await end(house)
    missing = new_id()
    resolved = await run(
        house, "resolveIssues", "issues { id state scope { resourceName } }", ids=[ids[0], missing, ids[1]], reason="x"
    )
    assert resolved["issues"] == [
        {"id": id, "state": "RESOLVED", "scope": {"resourceName": name}} for id, name in zip(ids[:2], "ba", strict=True)
    ]
    assert resolved["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["ids", "1"], "message": "there is no such issue", "issue": None}
    ]
    none = await run(house, "resolveIssues", "issues { id }", ids=[])
    assert (none["issues"], none["userErrors"], none["position"]) == ([], [], resolved["position"])


async def test_resolve_scope_resolves_what_is_broken_about_it(house):
    plain = await made(house)
    extra = (await run(house, "createIssue", "issue { id }", **REPORT, fingerprint=[{"name": "t", "value": "x"}]))[
        "issue"
    ]["id"]
    await made(house, resource_name="web")
    selection = "issues { id state timeline(first: 1) { nodes { position } } } resolvedCount"
    scope = {"namespace": "team", "scope": REPORT["scope"]}
    without = await run(house, "resolveScope", selection, **scope, fingerprint=[])
    assert [issue["id"] for issue in without["issues"]] == [plain]
    assert without["position"] == without["issues"][0]["timeline"]["nodes"][0]["position"]
    other = await run(house, "resolveScope", selection, **scope, issueType="TEST")
    assert (other["issues"], other["resolvedCount"], other["position"]) == ([], 0, without["position"])
    rest = await run(house, "resolveScope", selection, **scope, reason="green", idempotencyKey="k")
    assert ([issue["id"] for issue in rest["issues"]], rest["resolvedCount"]) == ([extra], 1)
    assert await run(house, "resolveScope", selection, **scope, reason="green", idempotencyKey="k") == rest


async def test_relating_answers_the_relation_and_finds_the_one_that_is_there(house):
    source, target = await made(house), await made(house, resource_name="web")
    selection = """relation {
        id kind reason createdAt createdBy { name }
        source { id scope { resourceName } } target { id related { nodes { id } } }
    }"""
    done = await run(
        house, "relateIssues", selection, sourceId=source, targetId=target, kind="CAUSED_BY", reason="same host"
    )
    relation = done["relation"]
    assert relation == {
        "id": relation["id"],
        "kind": "CAUSED_BY",
        "reason": "same host",
        "createdAt": relation["createdAt"],
        "createdBy": {"name": "Ada"},
        "source": {"id": source, "scope": {"resourceName": "api"}},
        "target": {"id": target, "related": {"nodes": [{"id": source}]}},
    }
    assert done["position"] == await end(house)
    again = await run(house, "relateIssues", selection, sourceId=source, targetId=target, kind="CAUSED_BY")
    assert again == done
    default = await run(house, "relateIssues", "relation { kind }", sourceId=source, targetId=target)
    assert default["relation"] == {"kind": "RELATED"}
    assert default["position"] > done["position"]


async def test_unrelating_tells_how_many_went(house):
    source, target = await made(house), await made(house, resource_name="web")
    for kind in ("RELATED", "CAUSED_BY", "DUPLICATE_OF"):
        await run(house, "relateIssues", "relation { id }", sourceId=source, targetId=target, kind=kind)
    one = await run(house, "unrelateIssues", "removedCount", sourceId=source, targetId=target, kind="CAUSED_BY")
    assert (one["removedCount"], one["position"]) == (1, await end(house))
    rest = await run(house, "unrelateIssues", "removedCount", sourceId=source, targetId=target, kind=None)
    assert rest["removedCount"] == 2
    none = await run(house, "unrelateIssues", "removedCount", sourceId=source, targetId=target)
    assert (none["removedCount"], none["position"]) == (0, rest["position"])


async def test_delete_issue_answers_the_id_that_is_gone(house):
    id = await made(house)
    done = await run(house, "deleteIssue", "deletedId", id=id.upper())
    assert (done["deletedId"], done["position"], done["userErrors"]) == (id, await end(house), [])
    line = await newest(house)
    assert (line["kind"], line["issueId"]) == ("DELETED", id)
    again = await run(house, "deleteIssue", "deletedId", id=id)
    assert (again["deletedId"], again["position"]) == (None, done["position"])
    assert again["userErrors"][0]["code"] == "NOT_FOUND"
