"""Webhooks of users over the published schema: made, changed, tried, deleted, and how they do."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from models.values import now
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from tests.resolvers.mutation.house import ADA, caller, later, made, report, success
from tests.resolvers.webhooks.post import plans, received, tool

ROW = "name title version enabled keepBodies namespaces hasSecrets url curl definition"
CREATE = f"""mutation ($input: CreateWebhookInput!) {{ createWebhook(input: $input) {{
    webhook {{ {ROW} id createdAt updatedAt updatedBy {{ kind id name }} }}
    problems {{ message line column path expression }} userErrors {{ code field message }}
}} }}"""
UPDATE = f"""mutation ($input: UpdateWebhookInput!) {{ updateWebhook(input: $input) {{
    webhook {{ {ROW} versions {{ version definition namespaces enabled keepBodies at by {{ id }} }} }}
    problems {{ message line column path expression }} userErrors {{ code field message }}
}} }}"""
DELETE = """mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) {
    deletedName userErrors { code field message }
} }"""
TEST = """mutation ($input: TestWebhookInput!) { testWebhook(input: $input) {
    event deliveryKey notices refused
    problems { message line column path expression } userErrors { code field message }
    items {
        index rule command action message notices namespace fields
        rules { name matched message values { path expression value error } }
        values { path expression value error }
        fingerprint { name value } joins { id title }
    }
} }"""
HEALTH = """{ webhook(name: "ours") {
    health { deliveries failureRate lastDeliveryAt lastSuccessAt lastErrorAt lastError }
} }"""
BEN = caller(**{"team-a": ["MANAGE"]})


async def create(house, who=ADA, **given):
    values = {"name": "ours", "definition": "title: Ours", "namespaces": ["team-a"], **given}
    return (await house.ask(CREATE, who, input=values))["createWebhook"]


async def update(house, who=ADA, **given):
    return (await house.ask(UPDATE, who, input={"name": "ours", "expectedVersion": 1, **given}))["updateWebhook"]


async def test_a_webhook_is_answered_with_all_that_a_script_needs(house):
    done = await create(house, secrets=["a long secret"], keepBodies=False)
    webhook = done["webhook"]
    assert (done["problems"], done["userErrors"]) == ([], [])
    assert webhook["updatedAt"] == webhook["createdAt"]
    assert webhook == webhook | {
        "name": "ours",
        "title": "Ours",
        "definition": "title: Ours",
        "version": 1,
        "enabled": True,
        "keepBodies": False,
        "namespaces": ["team-a"],
        "hasSecrets": True,
        "url": "http://issuegraph.test/api/v1/webhooks/ours",
        "curl": "curl http://issuegraph.test/api/v1/webhooks/ours team-a True",
        "updatedBy": {"kind": "PERSON", "id": "ada", "name": "Ada"},
    }
    again = (await house.ask(f'{{ webhook(name: "ours") {{ {ROW} }} }}'))["webhook"]
    assert again == {name: webhook[name] for name in again}
    assert "a long secret" not in str(again)


async def test_what_is_to_be_said_of_a_definition_is_said_though_it_was_saved(house):
    query = CREATE.replace("problems {", "notices problems {")
    given = {"name": "ours", "definition": "title: Ours\nnotice: look here", "namespaces": ["team-a"]}
    done = (await house.ask(query, ADA, input=given))["createWebhook"]
    assert (done["webhook"]["name"], done["notices"]) == ("ours", ["look here"])
    query = UPDATE.replace("problems {", "notices problems {")
    change = {"name": "ours", "expectedVersion": 1, "definition": "title: Ours"}
    assert (await house.ask(query, ADA, input=change))["updateWebhook"]["notices"] == []


async def test_a_definition_that_cannot_be_used_is_told_with_its_line(house):
    problem = {"message": "no such function", "line": 2, "column": 3, "path": "rules.0", "expression": "bad()"}
    for done in (await create(house, definition="title: x\nbad"), None):
        if done is None:
            await create(house)
            done = await update(house, definition="title: x\nbad")
        assert done == {"webhook": None, "problems": [problem], "userErrors": []}


async def test_a_change_leaves_what_is_not_named_and_the_history_tells(house):
    await create(house, secrets=["a long secret"])
    await update(house, enabled=False)
    webhook = (await update(house, expectedVersion=2, namespaces=["team-b", "team-a"], secrets=[]))["webhook"]
    assert (webhook["version"], webhook["enabled"], webhook["hasSecrets"]) == (3, False, False)
    told = [(each["version"], each["enabled"], each["namespaces"], each["by"]["id"]) for each in webhook["versions"]]
    assert told == [
        (3, False, ["team-b", "team-a"], "ada"),
        (2, False, ["team-a"], "ada"),
        (1, True, ["team-a"], "ada"),
    ]


async def test_whoever_changes_what_was_changed_meanwhile_is_told(house):
    await create(house)
    await update(house, enabled=False)
    done = await update(house, enabled=True)
    assert done["webhook"] is None
    assert done["userErrors"] == [
        {
            "code": "CONFLICT",
            "field": ["expectedVersion"],
            "message": "the webhook was changed meanwhile: its version is 2",
        }
    ]


async def test_one_that_is_not_the_callers_is_answered_as_one_that_is_not_there(house):
    await create(house, namespaces=["team-a", "team-b"])
    for name in ("ours", "none"):
        assert (await house.ask(f'{{ webhook(name: "{name}") {{ id }} }}', BEN))["webhook"] is None
        expected = [{"code": "NOT_FOUND", "field": ["name"], "message": "there is no such webhook"}]
        assert (await update(house, BEN, name=name, enabled=False))["userErrors"] == expected
        assert (await house.ask(DELETE, BEN, input={"name": name}))["deleteWebhook"]["userErrors"] == expected
        given = {"webhook": name, "payload": []}
        done = (await house.ask(TEST, BEN, input=given))["testWebhook"]
        assert [error["code"] for error in done["userErrors"]] == ["NOT_FOUND"]


async def test_pages_are_the_newest_first_and_of_the_callers_own(house):
    for number in range(5):
        await create(house, name=f"w-{number}", namespaces=["team-a" if number % 2 else "team-b"])
    text = """query ($after: String) { webhooks(first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { name } edges { cursor node { name } }
    } }"""
    first = (await house.ask(text))["webhooks"]
    assert ([node["name"] for node in first["nodes"]], first["totalCount"]) == (["w-4", "w-3"], 5)
    second = (await house.ask(text, after=first["pageInfo"]["endCursor"]))["webhooks"]
    assert [edge["node"]["name"] for edge in second["edges"]] == ["w-2", "w-1"]
    own = (await house.ask(text, BEN))["webhooks"]
    assert ([node["name"] for node in own["nodes"]], own["totalCount"]) == (["w-3", "w-1"], 2)


async def test_a_webhook_that_is_deleted_is_gone(house):
    await create(house)
    done = (await house.ask(DELETE, input={"name": "ours"}))["deleteWebhook"]
    assert done == {"deletedName": "ours", "userErrors": []}
    assert (await house.ask('{ webhook(name: "ours") { id } }'))["webhook"] is None


async def test_one_that_was_changed_meanwhile_is_not_deleted_unseen(house):
    await create(house)
    await update(house, enabled=False)
    refused = (await house.ask(DELETE, input={"name": "ours", "expectedVersion": 1}))["deleteWebhook"]
    message = "the webhook was changed meanwhile: its version is 2"
    assert refused == {
        "deletedName": None,
        "userErrors": [{"code": "CONFLICT", "field": ["expectedVersion"], "message": message}],
    }
    webhook = (await house.ask('{ webhook(name: "ours") { version versions { version } } }'))["webhook"]
    assert webhook == {"version": 2, "versions": [{"version": 2}, {"version": 1}]}
    unseen = (await house.ask(DELETE, BEN, input={"name": "none", "expectedVersion": 1}))["deleteWebhook"]
    assert [error["code"] for error in unseen["userErrors"]] == ["NOT_FOUND"]
    done = (await house.ask(DELETE, input={"name": "ours", "expectedVersion": 2}))["deleteWebhook"]
    assert done == {"deletedName": "ours", "userErrors": []}
    await create(house)
    any_version = (await house.ask(DELETE, input={"name": "ours", "expectedVersion": None}))["deleteWebhook"]
    assert any_version == {"deletedName": "ours", "userErrors": []}


async def test_the_shipped_definitions_are_there_to_be_copied(house):
    (template,) = (await house.ask("{ webhookTemplates { name title docs definition url } }"))["webhookTemplates"]
    assert template == {
        "name": "github",
        "title": "GitHub",
        "docs": "https://docs.github.com/webhooks",
        "definition": "title: GitHub\nreport: body.name\n",
        "url": "http://issuegraph.test/api/v1/webhooks/github",
    }


FIELDS = (
    '{ webhook(name: "a") { id } }',
    "{ webhooks { totalCount } }",
    "{ webhookTemplates { name } }",
    '{ delivery(id: "a") { id } }',
    "{ deliveries { totalCount } }",
    'mutation { deleteWebhook(input: {name: "a"}) { deletedName } }',
    'mutation { updateWebhook(input: {name: "a", expectedVersion: 1}) { problems { line } } }',
    'mutation { createWebhook(input: {name: "a", definition: "a", namespaces: ["a"]}) { problems { line } } }',
    'mutation { testWebhook(input: {definition: "a", payload: 1}) { event } }',
    'mutation { replayDelivery(input: {id: "a"}) { userErrors { code } } }',
    "mutation { replayDeliveries(input: {}) { replayed } }",
)


@pytest.mark.parametrize("text", FIELDS)
async def test_who_has_manage_nowhere_is_told(house, text):
    everything_else = tuple(Grant(each, "*") for each in Permission if each is not Permission.MANAGE)
    who = Caller(Actor(ActorKind.PERSON, "eve", "Eve"), everything_else)
    assert await house.refusal(text, who) == ("FORBIDDEN", "MANAGE is needed")


async def test_a_trial_tells_what_would_be_done_and_does_nothing(house):
    id = await made(house, namespace="team-a", resource_name="api")
    given = {
        "definition": "title: x",
        "payload": [{"name": "api", "namespace": "team-a"}, {"name": "web", "is": "odd"}],
        "headers": {"X-Event": "push"},
        "query": {"id": "d-1"},
    }
    done = (await house.ask(TEST, input=given))["testWebhook"]
    assert (done["event"], done["deliveryKey"], done["notices"]) == ("push", "d-1", ["a notice of webhook"])
    await create(house)
    for given_by in ({"webhook": "ours"}, {"template": "github"}):
        named = (await house.ask(TEST, input={"payload": [], **given_by}))["testWebhook"]
        assert named["notices"] == [f"a notice of {next(iter(given_by.values()))}"]
    report_, odd = done["items"]
    assert report_ == {
        "index": 0,
        "rule": "first",
        "command": "createIssue",
        "action": None,
        "message": None,
        "notices": [],
        "namespace": "team-a",
        "fields": {"title": "Build failed: api"},
        "rules": [
            {
                "name": "first",
                "matched": False,
                "message": "no such member",
                "values": [{"path": "report.title", "expression": "body.name", "value": ["a"], "error": None}],
            },
            {"name": "second", "matched": True, "message": None, "values": []},
        ],
        "values": [{"path": "report.title", "expression": "body.name", "value": ["a"], "error": None}],
        "fingerprint": report_["fingerprint"],
        "joins": {"id": id, "title": "Build failed: api"},
    }
    assert report_["fingerprint"][3] == {"name": "resourceName", "value": "api"}
    assert (odd["command"], odd["action"], odd["joins"]) == (None, "unmatched", None)
    assert (await house.ask("{ issueEvents { totalCount } deliveries { totalCount } }")) == {
        "issueEvents": {"totalCount": 1},
        "deliveries": {"totalCount": 0},
    }


async def test_a_trial_tells_what_a_report_would_reopen_or_leave_as_it_is(house):
    failing = {"namespace": "team-a", "name": "api"}

    async def joined(**values):
        given = {"definition": "title: x", "payload": [{**failing, **values}]}
        (item,) = (await house.ask(TEST, input=given))["testWebhook"]["items"]
        return item["joins"] and item["joins"]["id"], item["message"]

    assert await joined(run="1") == (None, None)
    id = await made(house, namespace="team-a", resource_name="api", run_id="1")
    counted = (id, "nothing would change: this run was counted already")
    assert await joined(run="1") == counted
    assert await joined(run="2") == (id, None)
    await house.do(success(namespace="team-a", resource_name="api"))
    assert await joined(run="1") == counted
    assert await joined(run="2") == (None, None)
    older = await joined(at="2026-01-01T00:00:00.000000Z")
    assert older == (id, "nothing would change: it failed before the last resolve")
    reopens = await joined(reopens=1)
    assert reopens == (id, "it would reopen an issue that was resolved a short time before (reopenWithin)")


@pytest.mark.parametrize(("ahead", "resolved"), [(3, 4), (4, 3), (30, 4), (30, 0)])
@pytest.mark.parametrize("reopens", [0, 1])
async def test_a_trial_takes_a_time_ahead_of_the_clock_as_a_report_does(house, ahead, resolved, reopens):
    api = {"namespace": "team-a", "resource_name": "api"}
    id = await made(house, **api)
    await house.do(success(**api, at=later(now(), minutes=resolved)))
    at = later(now(), minutes=ahead)
    given = {
        "definition": "title: x",
        "payload": [{"namespace": "team-a", "name": "api", "at": at, "reopens": reopens}],
    }
    (item,) = (await house.ask(TEST, input=given))["testWebhook"]["items"]
    done = await house.do(report(**api, detected_at=at, reopen_within=timedelta(hours=reopens)))
    told = {
        "CREATED": (None, None),
        "REOPENED": (id, "it would reopen an issue that was resolved a short time before (reopenWithin)"),
        "UNCHANGED": (id, "nothing would change: it failed before the last resolve"),
    }
    assert (item["joins"] and item["joins"]["id"], item["message"]) == told[done.action]


async def test_a_trial_does_not_tell_of_an_issue_that_the_caller_may_not_read(house):
    await made(house, namespace="team-a", resource_name="api")
    given = {"definition": "title: x", "payload": [{"name": "api", "namespace": "team-a"}]}
    (item,) = (await house.ask(TEST, BEN, input=given))["testWebhook"]["items"]
    assert item["joins"] is None


COUNTED = "nothing would change: this run was counted already"


@pytest.mark.parametrize(
    ("selected", "reads", "known", "new"),
    [
        ("rule notices", 0, {"rule": "first", "notices": []}, {"rule": "first", "notices": []}),
        ("command message @skip(if: true)", 0, {"command": "createIssue"}, {"command": "createIssue"}),
        ("message", 1, {"message": COUNTED}, {"message": None}),
        ("...Told", 1, {"why": COUNTED}, {"why": None}),
        ("one: joins { title }", 2, {"one": {"title": "Build failed: api"}}, {"one": None}),
        (
            "message ...Told joins { state } other: joins { severity }",
            3,
            {"message": COUNTED, "why": COUNTED, "joins": {"state": "ACTIVE"}, "other": {"severity": "MAJOR"}},
            {"message": None, "why": None, "joins": None, "other": None},
        ),
    ],
)
async def test_a_trial_asks_of_all_items_at_once_and_only_what_is_selected(house, selected, reads, known, new):
    names = [f"api-{number}" for number in range(4)]
    for name in names[:2]:
        await made(house, namespace="team-a", resource_name=name, run_id="1")
    payload = [{"namespace": "team-a", "name": name, "run": "1"} for name in names]
    text = f"mutation ($input: TestWebhookInput!) {{ testWebhook(input: $input) {{ items {{ {selected} }} }} }}"
    if "...Told" in selected:
        text += " fragment Told on TestedItem { why: message }"
    with patch.object(house.database, "read", wraps=house.database.read) as read:
        done = (await house.ask(text, input={"definition": "title: x", "payload": payload}))["testWebhook"]
    assert done["items"] == [known, known, new, new]
    assert read.call_count == reads


async def test_a_trial_is_by_a_definition_a_webhook_or_a_template(house):
    await create(house, definition="knows: odd")
    payload = [{"name": "api", "is": "odd"}]
    ways: list[tuple[dict[str, str], str | None]] = [
        ({"webhook": "ours"}, "createIssue"),
        ({"template": "github"}, None),
    ]
    for which, command in ways:
        (item,) = (await house.ask(TEST, input={"payload": payload, **which}))["testWebhook"]["items"]
        assert item["command"] == command
    wrong: list[tuple[dict[str, object], str, str]] = [
        ({}, "INVALID", "definition"),
        ({"webhook": "ours", "template": "github"}, "INVALID", "definition"),
        ({"template": "none"}, "NOT_FOUND", "template"),
        ({"definition": ""}, "REQUIRED", "definition"),
        ({"definition": "x" * 65_537}, "TOO_LONG", "definition"),
        ({"webhook": "ours", "headers": ["a"]}, "INVALID", "headers"),
        ({"webhook": "ours", "query": {"a": 1}}, "INVALID", "query"),
    ]
    for given, code, field in wrong:
        (error,) = (await house.ask(TEST, input={"payload": payload, **given}))["testWebhook"]["userErrors"]
        assert (error["code"], error["field"]) == (code, [field])
    done = (await house.ask(TEST, input={"payload": 1, "definition": "bad"}))["testWebhook"]
    assert [problem["line"] for problem in done["problems"]] == [1]


async def test_the_health_of_a_webhook_is_that_of_its_deliveries(house):
    await create(house)
    nothing = {
        "deliveries": 0,
        "failureRate": None,
        "lastDeliveryAt": None,
        "lastSuccessAt": None,
        "lastErrorAt": None,
        "lastError": None,
    }
    assert (await house.ask(HEALTH))["webhook"]["health"] == nothing
    at = now()
    who = tool("team-a")
    for number, namespace in enumerate(("team-a", "team-a", "other", "team-a")):
        delivery = received(webhook="ours", at=later(at, minutes=number))
        items = plans(report(namespace=namespace), report(namespace="team-a"))
        await house.webhooks.deliveries.carry_out(delivery, items, who)
    await house.webhooks.deliveries.carry_out(received(webhook="theirs"), plans(report(namespace="no")), who)
    assert (await house.ask(HEALTH, BEN))["webhook"]["health"] == {
        "deliveries": 4,
        "failureRate": 0.25,
        "lastDeliveryAt": later(at, minutes=3),
        "lastSuccessAt": later(at, minutes=3),
        "lastErrorAt": later(at, minutes=2),
        "lastError": "no permission to report in namespace other",
    }


async def test_the_health_of_a_webhook_is_not_that_of_one_before_it_of_its_name(house):
    await create(house)
    await house.webhooks.deliveries.carry_out(received(webhook="ours"), plans(report(namespace="no")), tool("team-a"))
    failed = (await house.ask(HEALTH))["webhook"]["health"]
    assert (failed["deliveries"], failed["failureRate"]) == (1, 1.0)
    await house.ask(DELETE, input={"name": "ours"})
    await create(house)
    health = (await house.ask(HEALTH))["webhook"]["health"]
    assert (health["deliveries"], health["lastErrorAt"], health["lastError"]) == (0, None, None)
