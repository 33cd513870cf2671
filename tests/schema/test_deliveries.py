"""Deliveries over the published schema: who may see which, what is told of each, and doing them again."""

import asyncio
import json
from unittest.mock import AsyncMock, patch

import pytest

import resolvers.turns
from models.values import new_id, now
from resolvers.webhooks import replays
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import ADA, caller, later, report
from tests.resolvers.webhooks.post import GITHUB, plans, received, tool
from tests.turns import counted_turns

ONE = """query ($id: ID!) { delivery(id: $id) {
    id webhook version outcome receivedAt replayedAt deliveryKey event error namespaces bodyBytes
    sender { kind id name }
    items { index action rule message notices namespace issueIds issues { id } fingerprint { name value } }
    request { headers query contentType body }
} }"""
LIST = """query ($where: DeliveryWhere, $first: Int, $after: String, $last: Int, $before: String) {
    deliveries(where: $where, first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { id webhook outcome items { action } } edges { cursor node { id } }
    }
}"""
REPLAY = """mutation ($id: ID!) { replayDelivery(input: {id: $id}) {
    delivery { id outcome replayedAt error items { index action message } } userErrors { code field message }
} }"""
REPLAY_ALL = """mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) {
    replayed handled skipped endCursor hasMore userErrors { code }
} }"""
BEN = caller(team=["MANAGE"])


async def take(house, items=None, *, who=GITHUB, **values):
    """The id of a delivery; `items` are of the fake engine, or plans."""
    if items and isinstance(items[0], dict):
        values = {"body": json.dumps(items).encode(), **values}
    delivery = received(**values)
    if items and isinstance(items[0], dict):
        items = await house.webhooks.engine.plans(delivery, who)
    await house.webhooks.deliveries.carry_out(delivery, items or [], who)
    return delivery.id


async def define(house, definition, **given):
    text = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { userErrors { code } } }"
    values = {"name": "ours", "definition": definition, "namespaces": ["team", "team-*"], **given}
    await house.ask(text, input=values)


async def mend(house, definition, version=1):
    text = "mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { userErrors { code } } }"
    await house.ask(text, input={"name": "ours", "expectedVersion": version, "definition": definition})


async def test_a_delivery_is_told_with_its_items_and_what_was_sent(house):
    at = now()
    items = [{"name": "api"}, {"name": "web", "is": "odd"}]
    id = await take(house, items, at=at, delivery_key="d-1", event="push", version=None)
    found = (await house.ask(ONE, id=id))["delivery"]
    (issue,) = found["items"][0]["issueIds"]
    assert found == {
        "id": id,
        "webhook": "github",
        "version": None,
        "outcome": "UNMATCHED",
        "receivedAt": at,
        "replayedAt": None,
        "deliveryKey": "d-1",
        "event": "push",
        "error": None,
        "namespaces": ["team"],
        "bodyBytes": 7,
        "sender": {"kind": "WEBHOOK", "id": "github", "name": "Github"},
        "items": [
            {
                "index": 0,
                "action": "CREATED",
                "rule": "first",
                "message": None,
                "notices": [],
                "namespace": "team",
                "issueIds": [issue],
                "issues": [{"id": issue}],
                "fingerprint": [
                    {"name": "namespace", "value": "team"},
                    {"name": "issueType", "value": "build"},
                    {"name": "resourceType", "value": "component"},
                    {"name": "resourceName", "value": "api"},
                    {"name": "resourceNamespace", "value": "team"},
                ],
            },
            {
                "index": 1,
                "action": "UNMATCHED",
                "rule": None,
                "message": None,
                "notices": [],
                "namespace": "team",
                "issueIds": [],
                "issues": [],
                "fingerprint": [],
            },
        ],
        "request": {
            "headers": {"x-github-event": "workflow_run"},
            "query": {"a": "1"},
            "contentType": "application/json",
            "body": json.dumps(items),
        },
    }


async def test_what_the_definition_masks_is_shown_to_nobody(house):
    await define(house, "title: x\nmask: token")
    id = await take(house, [{"name": "api", "token": "s3cret"}], webhook="ours", version=1)
    body = (await house.ask(ONE, id=id))["delivery"]["request"]["body"]
    assert json.loads(body) == [{"name": "api", "token": "***"}]
    # Without the definition nobody knows what must not be shown.
    await house.ask('mutation { deleteWebhook(input: {name: "ours"}) { deletedName } }')
    request = (await house.ask(ONE, id=id))["delivery"]["request"]
    assert request == {
        "headers": {"x-github-event": "***"},
        "query": {},
        "contentType": "application/json",
        "body": None,
    }


async def test_items_are_selected_as_any_other_field(house):
    await take(house, [{"name": "api"}, {"name": "web", "is": "odd"}])
    text = """query ($no: Boolean!) { deliveries { nodes { items {
        __typename place: index ...OfItem rule @include(if: $no)
        open: issues { state } issues { title: id } parts: fingerprint { __typename value }
    } } } }
    fragment OfItem on DeliveryItem { action message @skip(if: $no) issueIds }"""
    (node,) = (await house.ask(text, no=False))["deliveries"]["nodes"]
    (id,) = node["items"][0]["issueIds"]
    values = ("team", "build", "component", "api", "team")
    assert node["items"] == [
        {
            "__typename": "DeliveryItem",
            "place": 0,
            "action": "CREATED",
            "message": None,
            "issueIds": [id],
            "open": [{"state": "ACTIVE"}],
            "issues": [{"title": id}],
            "parts": [{"__typename": "FingerprintPart", "value": value} for value in values],
        },
        {
            "__typename": "DeliveryItem",
            "place": 1,
            "action": "UNMATCHED",
            "message": None,
            "issueIds": [],
            "open": [],
            "issues": [],
            "parts": [],
        },
    ]
    assert list(node["items"][0]) == ["__typename", "place", "action", "message", "issueIds", "open", "issues", "parts"]


async def test_whoever_waits_beside_many_items_has_turns(house):
    id = await take(house, [Plan(index=index, action="ignored", message="no") for index in range(3_000)])
    text = "query ($id: ID!, $after: Int) { delivery(id: $id) { items(first: 100, after: $after) { index } } }"
    with patch.object(resolvers.turns, "TURN_SECONDS", 0):
        async with counted_turns() as turns:
            found = await house.ask(text, id=id, after=999)
    assert [item["index"] for item in found["delivery"]["items"]] == list(range(1_000, 1_100))
    assert turns.count >= 100


async def test_items_are_told_in_pages_and_by_what_came_of_them(house):
    words = ("ignored", "unmatched", "failed")
    id = await take(house, [Plan(index=index, action=words[index % 3], message="no") for index in range(120)])

    async def indexes(arguments):
        found = await house.ask(f"query ($id: ID!) {{ delivery(id: $id) {{ items{arguments} {{ index }} }} }}", id=id)
        return [item["index"] for item in found["delivery"]["items"]]

    counted = await house.ask("query ($id: ID!) { delivery(id: $id) { itemCount } }", id=id)
    assert counted["delivery"]["itemCount"] == 120
    assert await indexes("") == list(range(50))
    assert await indexes("(first: 3, after: 0)") == [1, 2, 3]
    assert await indexes("(first: 100, after: 117)") == [118, 119]
    assert await indexes("(after: 119)") == []
    assert await indexes("(first: 2, action: [FAILED])") == [2, 5]
    assert await indexes("(first: 3, after: 2, action: [FAILED, IGNORED])") == [3, 5, 6]
    assert await indexes("(action: [])") == []
    for size in (0, 101):
        with pytest.raises(AssertionError, match="first must be between 1 and 100"):
            await indexes(f"(first: {size})")


async def test_one_that_is_not_the_callers_is_answered_as_one_that_is_not_there(house):
    ids = [
        await take(house, plans(report(), report(namespace="team-a"))),
        await take(house, [Plan(index=0, action="unmatched")]),
        await take(house, [{"name": "api", "namespace": "team-a"}]),
        new_id(),
        "no id",
    ]
    for id in ids:
        assert (await house.ask(ONE, BEN, id=id))["delivery"] is None
        done = (await house.ask(REPLAY, BEN, id=id))["replayDelivery"]
        error = {"code": "NOT_FOUND", "field": ["id"], "message": "there is no such delivery"}
        assert done == {"delivery": None, "userErrors": [error]}
    assert (await house.ask(LIST, BEN))["deliveries"]["totalCount"] == 0
    assert (await house.ask(REPLAY_ALL, BEN, input={}))["replayDeliveries"]["replayed"] == 0
    own = await take(house, [{"name": "api"}])
    # MANAGE is no READ.
    for who, issues in ((BEN, 0), (caller(team=["MANAGE", "READ"]), 1)):
        (item,) = (await house.ask(ONE, who, id=own))["delivery"]["items"]
        assert (len(item["issueIds"]), len(item["issues"])) == (1, issues)
    wide = caller(**{"team*": ["MANAGE"]})
    assert (await house.ask(LIST, wide))["deliveries"]["totalCount"] == 4


async def test_pages_are_the_newest_first_in_both_directions(house):
    ids = [await take(house, [{"name": "api"}]) for _ in range(5)]
    first = (await house.ask(LIST, first=2))["deliveries"]
    assert [node["id"] for node in first["nodes"]] == ids[:2:-1]
    assert first["totalCount"] == 5
    second = (await house.ask(LIST, first=2, after=first["pageInfo"]["endCursor"]))["deliveries"]
    assert [edge["node"]["id"] for edge in second["edges"]] == [ids[2], ids[1]]
    last = (await house.ask(LIST, last=2))["deliveries"]
    assert [node["id"] for node in last["nodes"]] == [ids[1], ids[0]]
    assert [len(node["items"]) for node in last["nodes"]] == [1, 1]
    before = (await house.ask(LIST, last=2, before=last["pageInfo"]["startCursor"]))["deliveries"]
    assert [node["id"] for node in before["nodes"]] == [ids[3], ids[2]]
    assert (await house.refusal(LIST, first=0))[0] == "BAD_USER_INPUT"


async def test_a_list_is_narrowed_by_webhook_outcome_and_time(house):
    at = now()
    names = {}
    for minutes, (webhook, what) in enumerate(
        [("github", "ill"), ("github", "odd"), ("ours", "ill"), ("ours", "no"), ("ours", None)]
    ):
        values = {"webhook": webhook, "at": later(at, minutes=minutes)}
        if what is None:
            id = await take(house, [], refused="no signature", body=None, **values)
        elif what == "no":
            id = await take(house, plans(report(namespace="stranger")), **values)
        else:
            id = await take(house, [{"name": "api", "is": what}], **values | {"webhook": "github"})
            if webhook == "ours":
                id = await take(house, plans(report()), **values)
        names[id] = minutes

    async def found(**where):
        page = (await house.ask(LIST, where=where))["deliveries"]
        assert page["totalCount"] == len(page["nodes"])
        return sorted(names[node["id"]] for node in page["nodes"] if node["id"] in names)

    assert await found(webhook="ours") == [2, 3, 4]
    assert await found(webhook="none") == []
    assert await found(webhook="a\0é") == []
    assert await found(outcome=["UNMATCHED", "FAILED"]) == [1, 3]
    assert await found(outcome=[]) == []
    assert await found(webhook="ours", outcome=["REFUSED"]) == [4]
    assert await found(receivedAt={"gt": later(at, minutes=1), "lte": later(at, minutes=3)}) == [2, 3]
    assert await found(receivedAt={"gte": later(at, minutes=1), "lt": later(at, minutes=3)}) == [1, 2]
    assert await found(receivedAt={"eq": later(at, minutes=1)}) == [1]
    assert await found(receivedAt={"isNull": True}) == []
    assert await found(receivedAt={"isNull": False}) == [0, 1, 2, 3, 4]


async def test_what_met_no_rule_is_done_again_when_there_is_one(house):
    await define(house, "title: x")
    at = later(now(), hours=-1)
    items = [{"name": "api", "run": "1"}, {"name": "web", "is": "odd"}, {"name": "api", "is": "well"}]
    id = await take(house, items, webhook="ours", at=at)
    await mend(house, "knows: odd")
    done = (await house.ask(REPLAY, id=id))["replayDelivery"]
    assert done["userErrors"] == []
    assert (done["delivery"]["outcome"], done["delivery"]["error"]) == ("HANDLED", None)
    assert done["delivery"]["replayedAt"] > at
    assert [item["action"] for item in done["delivery"]["items"]] == ["CREATED", "CREATED", "RESOLVED"]
    issues = await house.ask("{ issues { nodes { occurrenceCount detectedAt scope { resourceName } } } }")
    assert sorted((node["scope"]["resourceName"], node["occurrenceCount"]) for node in issues["issues"]["nodes"]) == [
        ("api", 1),
        ("web", 1),
    ]
    # It is as old as what was delivered.
    assert {node["detectedAt"] for node in issues["issues"]["nodes"]} == {at}
    # There is nothing left to do.
    again = (await house.ask(REPLAY, id=id))["replayDelivery"]["delivery"]
    assert again == done["delivery"]


async def test_a_replay_leads_nowhere_where_the_webhook_or_the_caller_has_no_say(house):
    await define(house, "title: x", namespaces=["team", "team-a", "team-b"])
    who = tool("team", "team-a", "team-b", "team-c")
    items = [{"name": "api", "is": "odd", "namespace": "team"}]
    ids = [
        await take(house, items, who=who, webhook="ours"),
        await take(house, items, who=who, webhook="ours"),
    ]
    await mend(house, "knows: odd")
    told = {
        "team-b": "no permission to manage in namespace team-b",
        "team-c": "team-c is no namespace of the webhook",
    }
    for id, namespace in zip(ids, told, strict=True):
        elsewhere = [Plan(index=0, rule="moved", command=report(namespace=namespace))]
        with patch.object(house.webhooks.engine, "plans", AsyncMock(return_value=elsewhere)):
            (item,) = (await house.ask(REPLAY, BEN, id=id))["replayDelivery"]["delivery"]["items"]
        assert (item["action"], item["message"]) == ("FAILED", told[namespace])
    assert (await house.ask("{ issues { totalCount } }"))["issues"]["totalCount"] == 0


async def test_what_is_not_kept_cannot_be_done_again(house):
    await define(house, "title: x")
    ids = [
        await take(house, [Plan(index=0, action="unmatched")], webhook="ours", body=None),
        await take(house, [], webhook="ours", body=None, refused="no signature"),
    ]
    for id in ids:
        done = (await house.ask(REPLAY, id=id))["replayDelivery"]
        message = "the body of the delivery is not kept, or no longer"
        assert done == {"delivery": None, "userErrors": [{"code": "INVALID", "field": ["id"], "message": message}]}
    gone = await take(house, [Plan(index=0, action="unmatched")], webhook="gone")
    (error,) = (await house.ask(REPLAY, id=gone))["replayDelivery"]["userErrors"]
    assert error["message"] == "there is no webhook gone, or no longer"


async def test_a_definition_that_was_broken_and_is_mended_brings_all_in_once_and_in_order(house):
    await define(house, "title: x")
    start = later(now(), hours=-1)
    for number in range(12):
        if number == 3:
            await mend(house, "fails: yes", 1)
        what = "well" if number % 4 == 3 else "ill"
        at = later(start, minutes=number)
        await take(house, [{"name": "api", "is": what, "run": str(number)}], webhook="ours", at=at)
    other = await take(house, [{"name": "web"}])
    broken = (await house.ask(LIST, where={"webhook": "ours", "outcome": ["FAILED"]}))["deliveries"]["totalCount"]
    assert broken == 9
    assert (await house.ask(ONE, id=other))["delivery"]["outcome"] == "HANDLED"
    await mend(house, "title: x", 2)
    first = (await house.ask(REPLAY_ALL, input={"where": {"webhook": "ours"}, "first": 4}))["replayDeliveries"]
    assert first.pop("endCursor")
    assert first == {"replayed": 4, "handled": 4, "skipped": 0, "hasMore": True, "userErrors": []}
    rest = (await house.ask(REPLAY_ALL, input={"where": {"webhook": "ours"}}))["replayDeliveries"]
    assert rest.pop("endCursor")
    assert rest == {"replayed": 5, "handled": 5, "skipped": 0, "hasMore": False, "userErrors": []}
    text = '{ issues(where: {scope: {resourceName: {eq: "api"}}}) { nodes { state occurrenceCount detectedAt } } }'
    nodes = (await house.ask(text))["issues"]["nodes"]
    # Three failures and a success, thrice.
    assert [(node["state"], node["occurrenceCount"]) for node in nodes] == [("RESOLVED", 3)] * 3
    assert [node["detectedAt"] for node in nodes] == [later(start, minutes=minutes) for minutes in (8, 4, 0)]
    again = (await house.ask(REPLAY_ALL, input={"where": {"webhook": "ours"}}))["replayDeliveries"]
    assert again["replayed"] == 0


async def test_replays_of_the_same_delivery_at_once_do_nothing_twice(house):
    await define(house, "title: x")
    id = await take(house, [{"name": f"c-{n}", "is": "odd"} for n in range(9)], webhook="ours")
    await mend(house, "knows: odd")
    done = await asyncio.gather(*(house.ask(REPLAY, id=id) for _ in range(4)))
    assert {each["replayDelivery"]["delivery"]["outcome"] for each in done} == {"HANDLED"}
    nodes = (await house.ask("{ issues { nodes { occurrenceCount } } }"))["issues"]["nodes"]
    assert [node["occurrenceCount"] for node in nodes] == [1] * 9


async def test_replays_of_the_same_deliveries_at_once_count_only_what_each_did(house):
    await define(house, "title: x")
    for number in range(8):
        await take(house, [{"name": f"c-{number}", "is": "odd"}], webhook="ours")
    await mend(house, "knows: odd")
    done = await asyncio.gather(*(replay_all(house, first=3) for _ in range(4)))
    told = [sum(counts) for counts in zip(*(call for calls in done for call in calls), strict=True)]
    assert told == [8, 8, 0]
    assert house.webhooks.replays.outcomes == {("ours", "HANDLED"): 8}
    nodes = (await house.ask("{ issues { nodes { occurrenceCount } } }"))["issues"]["nodes"]
    assert [node["occurrenceCount"] for node in nodes] == [1] * 8


async def test_what_stays_open_is_counted_by_each_replay_that_tried_it(house):
    await define(house, "title: x")
    for number in range(8):
        await take(house, [{"name": f"c-{number}", "is": "odd"}], webhook="ours")
    done = await asyncio.gather(*(replay_all(house) for _ in range(4)))
    replayed = [count for ((count, handled, skipped),) in done if (handled, skipped) == (0, 0)]
    assert len(replayed) == 4
    assert max(replayed) <= 8 <= sum(replayed)
    assert house.webhooks.replays.outcomes == {("ours", "UNMATCHED"): sum(replayed)}


async def test_what_a_replay_newly_concerns_is_closed_to_who_has_no_say_there(house):
    await define(house, "title: x")
    items = [{"name": "api", "is": "odd"}, {"name": "web", "namespace": "team-a", "is": "well"}]
    id = await take(house, items[:1], webhook="ours")
    assert (await house.ask(ONE, BEN, id=id))["delivery"]["namespaces"] == ["team"]
    namespaces = "mutation ($id: ID!) { replayDelivery(input: {id: $id}) { delivery { namespaces outcome } } }"
    elsewhere = plans(report(), report(namespace="team-a"))
    with patch.object(house.webhooks.engine, "plans", AsyncMock(return_value=elsewhere)):
        done = (await house.ask(namespaces, ADA, id=id))["replayDelivery"]["delivery"]
    assert done == {"namespaces": ["team", "team-a"], "outcome": "HANDLED"}
    assert (await house.ask(ONE, BEN, id=id))["delivery"] is None


async def replay_all(house, **given):
    """What each call did, asking again as long as there is more: done again, handled, skipped."""
    calls, more = [], {}
    while True:
        done = (await house.ask(REPLAY_ALL, input={"where": {"webhook": "ours"}, **given, **more}))["replayDeliveries"]
        calls.append((done["replayed"], done["handled"], done["skipped"]))
        if not done["hasMore"]:
            return calls
        assert len(calls) < 20
        more = {"after": done["endCursor"]}


async def test_what_cannot_be_mended_does_not_stand_before_what_can(house):
    await define(house, "title: x")
    for what in ("odd", "odd", "well", "odd", "known", "known"):
        await take(house, [{"name": "api", "is": what}], webhook="ours")
    await mend(house, "knows: known")
    assert await replay_all(house, first=2) == [(2, 0, 0), (2, 1, 0), (1, 1, 0)]
    # Each call without a cursor begins anew.
    assert await replay_all(house, first=2) == [(2, 0, 0), (1, 0, 0)]
    assert await replay_all(house) == [(3, 0, 0)]


async def test_items_that_met_no_rule_beside_others_are_found_and_done_again_and_the_others_are_not(house):
    await define(house, "title: x")
    await take(house, [{"name": "api"}, {"name": "web", "is": "odd"}], webhook="ours")
    (node,) = (await house.ask(LIST, where={"outcome": ["UNMATCHED"]}))["deliveries"]["nodes"]
    assert [item["action"] for item in node["items"]] == ["CREATED", "UNMATCHED"]
    await mend(house, "knows: odd")
    assert await replay_all(house) == [(1, 1, 0)]
    (node,) = (await house.ask(LIST, where={"outcome": ["HANDLED"]}))["deliveries"]["nodes"]
    assert [item["action"] for item in node["items"]] == ["CREATED", "CREATED"]
    issues = (await house.ask("{ issues { nodes { occurrenceCount } } }"))["issues"]["nodes"]
    assert [issue["occurrenceCount"] for issue in issues] == [1, 1]


async def test_what_has_no_body_is_passed_over_and_takes_no_place(house):
    await define(house, "title: x")
    for _ in range(3):
        await take(house, [Plan(index=0, action="unmatched")], webhook="ours", body=None)
    await take(house, [{"name": "api", "is": "odd"}], webhook="ours")
    await take(house, [Plan(index=0, action="unmatched")], webhook="ours", body=None)
    await mend(house, "knows: odd")
    assert await replay_all(house, first=1) == [(1, 1, 3), (0, 0, 1)]
    with patch.object(replays, "MAX_AT_ONCE", 2):
        assert await replay_all(house, first=1) == [(0, 0, 2), (0, 0, 2)]


async def test_a_replay_goes_on_from_a_cursor_of_deliveries_only(house):
    for cursor in ("no cursor", ""):
        refusal = await house.refusal(REPLAY_ALL, input={"after": cursor})
        assert refusal == ("BAD_USER_INPUT", "after is not a cursor of this list")
    nothing = (await house.ask(REPLAY_ALL, input={}))["replayDeliveries"]
    assert (nothing["endCursor"], nothing["hasMore"]) == (None, False)


@pytest.mark.parametrize("first", [0, 1001])
async def test_only_so_many_are_done_again_at_once(house, first):
    assert (await house.refusal(REPLAY_ALL, input={"first": first}))[0] == "BAD_USER_INPUT"
