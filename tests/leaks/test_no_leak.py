"""Random pasts of many namespaces and random callers: no answer tells of anything that its caller may not see.

What is read is compared with the answer of a server that holds what the caller may see and nothing else, where all may
be seen: so counts, pages, edges, statistics and errors are right too. What that cannot compare is searched for ids and
for texts of others.
"""

import asyncio
import re
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from models.values import new_id
from resolvers.access import NewToken
from resolvers.caller import Permission
from resolvers.errors import Forbidden
from tests.leaks import documents
from tests.leaks.acts import MUTATIONS, random_act
from tests.leaks.oracle import (
    acts,
    may,
    may_read,
    misplaced,
    visible,
    visible_audit,
    visible_deliveries,
    visible_tokens,
    visible_webhooks,
)
from tests.leaks.scene import opened, texts_of, traces
from tests.leaks.world import NAMESPACES, World, put, random_caller, tables
from tests.resolvers.mutation.house import ADA, report

CASES = 12
SETTINGS = settings(
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.fixture
def check_cases(database_url, other_database_url, pytestconfig):
    """`check_cases(check)`: awaits `check(scene, dice)` for random cases, one after the other."""
    rounds = pytestconfig.getoption("--soak")

    def run(check):
        with asyncio.Runner() as runner:
            opening = opened(database_url, other_database_url)
            scene = runner.run(opening.__aenter__())
            try:

                @seed(rounds)
                @settings(SETTINGS, max_examples=rounds or CASES)
                @given(st.randoms(use_true_random=False))
                def cases(dice):
                    runner.run(check(scene, dice))

                cases()
            finally:
                runner.run(opening.__aexit__(None, None, None))

    return run


async def past(scene, dice):
    """A new past in an empty server, with some tokens, webhooks and deliveries."""
    house = scene.world.house
    await put(house.database, {"event_log": (await tables(house.database))["event_log"]})
    world = World(dice, house.database, house.writer.submit)
    await world.happen()
    for _ in range(dice.randrange(3)):
        grants = random_caller(dice).grants or random_caller(dice).grants
        if grants:
            await house.tokens.create(NewToken(name=world.mark("Token", None), grants=grants), ADA)
    await scene.world.webhooks.registry.refresh()
    await world.deliver(scene.world.webhooks)
    return world


def variables_of(dice, rows):
    """Ids of all kinds, and names that may be another's."""
    ids = [row["id"] for name in ("issue", "scope", "relation") for row in rows[name]]
    gone = [row["issue_id"] for row in rows["issue_event"] if row["kind"] == "DELETED"]
    known = [*ids, *gone, new_id()]
    namespace = dice.choice(NAMESPACES)
    return {
        "id": dice.choice(known),
        "ids": dice.sample(known, min(len(known), 12)),
        "key": {
            "resourceType": "component",
            "resourceName": dice.choice(("api", "web")),
            "resourceNamespace": dice.choice(("shared", *NAMESPACES)),
        },
        "text": namespace,
        "search": dice.choice((f'namespace:"{namespace}"', "title", "-label:label=same is:active", "description")),
    }


def only(values, text):
    """Of some variables those that a document has."""
    return {name: value for name, value in values.items() if f"${name}:" in text}


class Reads:
    """One caller before one past."""

    def __init__(self, scene, dice, caller, rows, seen):
        self.scene, self.dice, self.caller, self.rows = scene, dice, caller, rows
        self.allowed = traces(texts_of(seen))
        self.values = variables_of(dice, rows)

    async def fields(self, queries):
        """Every field of every type, by every root field."""
        for text in queries:
            asked = only(self.values, text)
            answer = await self.scene.world.ask(text, self.caller, asked)
            assert answer == await self.scene.own.ask(text, ADA, asked), (text[:200], asked, self.caller.grants)
            # The other server may be mistaken too.
            assert traces(answer) <= self.allowed, text[:200]

    async def subscriptions(self):
        """What is replayed, and what comes at once."""
        for name, text in documents.subscriptions().items():
            if name == "deliveryEvents":
                continue
            asked = only(self.values, text)
            if name == "issueEvents":
                answer = await self.scene.world.replay(text, self.caller, asked)
                expected = await self.scene.own.replay(text, ADA, asked)
            else:
                answer = await self.scene.world.first(text, self.caller, asked)
                expected = await self.scene.own.first(text, ADA, asked)
            assert answer == expected, (name, self.caller.grants)
            assert traces(answer) <= self.allowed, name

    async def rest(self):
        """Every route, with GET."""
        namespace = self.values["text"]
        lists: tuple[dict[str, str], ...] = (
            {},
            {"search": "title"},
            {"resourceName": "api", "limit": "2"},
            {"namespace": namespace},
        )
        paths = {"/api/v1/issues": lists}
        for row in self.rows["issue"]:
            paths[f"/api/v1/issues/{row['id']}"] = ({}, {"namespace": namespace})
        for path, queries in paths.items():
            for query in queries:
                found = await self.scene.world.rest("GET", path, self.caller, **query)
                if query.get("namespace") and not may(self.caller, Permission.READ, namespace):
                    assert found == (403, '{"error":"Access denied to this namespace"}')
                else:
                    assert found == await self.scene.own.rest("GET", path, ADA, **query), (path, query)
        for path in {route.path for route in self.scene.world.routes}:
            filled = re.sub(r"\{(path:path|\w+)\}", self.values["id"], path)
            _, text = await self.scene.world.rest("GET", filled, self.caller)
            assert traces(text) <= self.allowed | {self.values["id"]}, path

    async def administration(self):
        """Tokens and the audit."""
        wanted = {"tokens": visible_tokens, "auditEvents": visible_audit}
        others = {"viewer", "rateLimit", "webhook", "webhooks", "webhookTemplates", "delivery", "deliveries"}
        assert {*wanted, *others} == set(documents.OTHERS)
        for name, visible_to in wanted.items():
            answer = orjson.loads(await self.scene.world.ask(documents.of(name), self.caller))
            if not any(grant.permission is Permission.ADMIN for grant in self.caller.grants):
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
                assert answer["data"] == {name: None}
            else:
                page, expected = answer["data"][name], visible_to(self.rows, self.caller)
                assert {node["id"] for node in page["nodes"]} == expected, (name, self.caller.grants)
                assert page["totalCount"] == len(page["edges"]) == len(expected)
        answer = orjson.loads(await self.scene.world.ask(documents.of("viewer"), self.caller))
        assert len(answer["data"]["viewer"]["grants"]) == len(self.caller.grants)

    async def webhooks(self, concerned):
        """Webhooks and deliveries, each with all that belongs to it."""
        side, caller = self.scene.world, self.caller
        names, ids = visible_webhooks(self.rows, caller), visible_deliveries(concerned, caller)
        subscription = documents.subscriptions()["deliveryEvents"]
        if not any(grant.permission is Permission.MANAGE for grant in caller.grants):
            for name in ("webhooks", "deliveries", "webhookTemplates"):
                answer = orjson.loads(await side.ask(documents.of(name), caller))
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
            with pytest.raises(Forbidden):
                await side.first(subscription, caller, {})
            return
        shown = {
            "webhook": [row for row in self.rows["webhook"] if row["name"] in names],
            "delivery": [row for row in self.rows["delivery"] if row["id"] in ids],
        }
        allowed = self.allowed | traces(texts_of(shown))
        for name, expected, key in (("webhooks", names, "name"), ("deliveries", ids, "id")):
            text = await side.ask(documents.of(name), caller)
            page = orjson.loads(text)["data"][name]
            assert {node[key] for node in page["nodes"]} == expected, (name, caller.grants)
            assert page["totalCount"] == len(page["edges"]) == len(expected)
            assert traces(text) <= allowed
        for name, key, all_of, expected in (
            ("webhook", "name", [row["name"] for row in self.rows["webhook"]], names),
            ("delivery", "id", [row["id"] for row in self.rows["delivery"]], ids),
        ):
            for each in all_of:
                text = await side.ask(documents.named(name, key), caller, {"given": each})
                assert (orjson.loads(text)["data"][name] is not None) is (each in expected), (name, caller.grants)
                assert traces(text) <= allowed
        replay = subscription.replace("deliveryEvents", "deliveryEvents(after: $after)", 1)
        replay = replay.replace("subscription", "subscription ($after: LogPosition)", 1)
        start = side.house.log.text(side.house.tailer.resume_from)
        text = await side.first(replay, caller, {"after": start})
        assert {each["id"] for each in orjson.loads(text)["data"]["deliveryEvents"]["deliveries"]} == ids
        assert traces(text) <= allowed


@pytest.mark.timeout(0)
def test_nothing_that_is_read_tells_of_others(check_cases, pytestconfig):
    queries = documents.queries(deep=bool(pytestconfig.getoption("--soak")))

    async def check(scene, dice):
        world = await past(scene, dice)
        rows = await tables(scene.world.house.database)
        assert misplaced(rows, world.homes) == []
        caller = random_caller(dice)
        reads = Reads(scene, dice, caller, rows, await scene.narrow(rows, caller))
        await reads.fields(queries)
        await reads.subscriptions()
        await reads.rest()
        await reads.administration()
        await reads.webhooks(world.concerned)

    check_cases(check)


@pytest.mark.timeout(0)
def test_nothing_that_is_done_tells_of_others_or_changes_them(check_cases):
    assert set(MUTATIONS) == set(documents.SCHEMA.mutation_type.fields)

    async def check(scene, dice):
        world = await past(scene, dice)
        caller = random_caller(dice)
        for _ in range(10):
            before = await tables(scene.world.house.database)
            act = random_act(dice, world, before)
            answer = await act.send(scene.world, caller)
            after = await tables(scene.world.house.database)
            check_changes(act, caller, before, after)
            allowed = traces(act.text)
            for rows in (before, after):
                allowed |= traces(texts_of(visible(rows, may_read(caller))))
                allowed |= traces(texts_of(acted_on(act, caller, before, after, rows)))
                allowed |= traces(texts_of(managed(rows, world.concerned, caller)))
            assert traces(answer) <= allowed, (act, answer, caller.grants)

    check_cases(check)


@pytest.mark.timeout(0)
def test_who_watches_is_told_of_each_change_what_it_may_see_and_nothing_else(check_cases):
    text = documents.subscriptions()["issueEvents"]

    async def check(scene, dice):
        world = await past(scene, dice)
        caller = replace(random_caller(dice), session=new_id())
        readable = [name for name in NAMESPACES if may(caller, Permission.READ, name)]
        async with scene.world.following(text, caller) as next_events:
            for step in range(4):
                rows = await tables(scene.world.house.database)
                if step < 3:
                    await random_act(dice, world, rows).send(scene.world, ADA)
                elif readable:
                    # What it may see comes last: whatever should not have come would have come before.
                    await scene.world.house.writer.submit(report(namespace=readable[0]), ADA)
                else:
                    await asyncio.sleep(0.1)
                after = await tables(scene.world.house.database)
                seen = await scene.narrow(after, caller)
                (log,) = rows["event_log"]
                expected = await scene.own.replay(text, ADA, {}, after=log["end"])
                answer = await next_events(len(orjson.loads(expected)))
                assert answer == expected, caller.grants
                assert traces(answer) <= traces(texts_of(seen)), caller.grants
            assert not readable or orjson.loads(answer)

    check_cases(check)


def managed(rows, concerned, caller):
    """Of these rows the webhooks and deliveries of the caller's namespaces."""
    names, ids = visible_webhooks(rows, caller), visible_deliveries(concerned, caller)
    return {
        "webhook": [row for row in rows["webhook"] if row["name"] in names],
        "delivery": [row for row in rows["delivery"] if row["id"] in ids],
    }


def changed_ids(before, after):
    """The issues about which there are new lines."""
    end = len(before["issue_event"])
    assert after["issue_event"][:end] == before["issue_event"]
    return {line["issue_id"] for line in after["issue_event"][end:]}


def check_changes(act, caller, before, after):
    """What was done is done where the caller has the permission, to an issue and to what it is about."""
    for line in after["issue_event"][len(before["issue_event"]) :]:
        if (act.permission, line["kind"]) != (Permission.MANAGE, "UNRELATED"):
            assert may(caller, act.permission, line["namespace"]), (act, line["namespace"], caller.grants)
    scopes = {row["id"]: row["resource_namespace"] for row in after["scope"]}
    places = {row["id"]: (row["namespace"], row["scope_id"]) for row in before["issue"]}
    for row in after["issue"]:
        namespace, scope_id = places.get(row["id"], (None, None))
        there = scopes[row["scope_id"]]
        if row["scope_id"] != scope_id and there not in (row["namespace"], namespace):
            assert may(caller, act.permission, there), (act, there, caller.grants)


def acted_on(act, caller, before, after, rows):
    """Of these rows the issues that a request named or changed, where its caller may do something; tokens too."""
    named = {*act.ids} | changed_ids(before, after)
    issues = [row for row in rows["issue"] if row["id"] in named and acts(caller, row["namespace"])]
    ids, scopes = {row["id"] for row in issues}, {row["scope_id"] for row in issues}
    found = {"issue": issues, "scope": [row for row in rows["scope"] if row["id"] in scopes]}
    for name in ("link", "label", "occurrence"):
        found[name] = [row for row in rows[name] if row["issue_id"] in ids]
    # And to what of its neighbours the caller may read.
    shown = ids & {*act.ids}
    seen = shown | {row["id"] for row in visible(rows, may_read(caller))["issue"]}
    ends = [(row, {row["source_id"], row["target_id"]}) for row in rows["relation"]]
    found["relation"] = [row for row, both in ends if both <= seen and both & shown]
    tokens = visible_tokens(rows, caller)
    return found | {"token": [row for row in rows["token"] if row["id"] in tokens]}
