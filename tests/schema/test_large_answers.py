"""Deliveries and definitions are large: what is read of them at once is bounded, and more is refused as a whole."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest

from resolvers.access import NewToken
from resolvers.access.pages import Pages
from resolvers.caller import Grant, Permission
from resolvers.errors import Overloaded, TooLarge
from resolvers.query import Answers
from resolvers.subscription import delivery_feed
from resolvers.webhooks.history import History
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import ADA, report
from tests.resolvers.query.house import asking
from tests.resolvers.webhooks.post import GITHUB, plans, received

MOST = 200_000
PADDING = "x" * 50_000
BODY = json.dumps([{"name": "api", "padding": PADDING}]).encode()
BODIES = "deliveries(first: 100) { edges { node { request { body } } } }"
PAGE = Pages.page
ITEMS = "deliveries { nodes { items(first: 100) { message } } }"


@pytest.fixture
async def house(database_url):
    async with asking(database_url, answers=Answers(MOST, 4 * MOST)) as house:
        yield house
        assert house.planner.answers.held == 0


async def take(house, items=None, body=BODY):
    """The id of a delivery that was kept."""
    delivery = received(body=body, body_bytes=len(body))
    items = [Plan(index=0, action="ignored")] if items is None else items
    await house.webhooks.deliveries.carry_out(delivery, items, GITHUB)
    return delivery.id


def aliases(count, field):
    return " ".join(f"a{number}: {field}" for number in range(count))


def with_messages(count):
    """Items of a kilobyte each."""
    return [Plan(index=index, action="ignored", message="m" * 1_000) for index in range(count)]


async def test_bodies_that_fit_are_given_whole(house):
    for _ in range(3):
        await take(house)
    edges = (await house.ask(f"{{ {BODIES} }}"))["deliveries"]["edges"]
    assert [json.loads(edge["node"]["request"]["body"]) for edge in edges] == [json.loads(BODY)] * 3


async def test_no_more_bodies_are_read_than_an_answer_may_have_and_one_at_a_time(house):
    for _ in range(8):
        await take(house)
    reading = begun = 0
    whole = History.shown

    async def shown(self, delivery, size):
        nonlocal reading, begun
        reading, begun = reading + 1, begun + 1
        assert reading == 1
        await asyncio.sleep(0)
        try:
            return await whole(self, delivery, size)
        finally:
            reading -= 1

    with patch.object(History, "shown", shown), pytest.raises(TooLarge):
        await house.ask(f"{{ {aliases(5, BODIES)} }}")
    assert begun <= MOST // len(BODY) + 1


async def test_what_is_made_of_a_body_is_counted_too(house):
    # Of four bytes a character in memory, though of one in the body.
    body = json.dumps([{"name": "🙈", "padding": PADDING}], ensure_ascii=False).encode()
    for _ in range(3):
        await take(house, body=body)
    with (
        patch("tests.resolvers.webhooks.fake_engine.FakeEngine.masked", _as_it_is),
        pytest.raises(TooLarge),
    ):
        await house.ask(f"{{ {BODIES} }}")


async def _as_it_is(self, delivery):
    return delivery


async def test_of_many_items_only_those_are_read_that_are_asked_for(house):
    id = await take(house, with_messages(1_000))
    text = """query ($id: ID!) { delivery(id: $id) {
        items(first: 100, after: 850, action: [IGNORED]) { index } } }"""
    items = (await house.ask(text, id=id))["delivery"]["items"]
    assert [item["index"] for item in items] == list(range(851, 951))


async def test_items_that_are_too_large_together_are_refused(house):
    for _ in range(2):
        await take(house, with_messages(60))
    assert len((await house.ask(f"{{ {ITEMS} }}"))["deliveries"]["nodes"]) == 2
    with pytest.raises(TooLarge):
        await house.ask(f"{{ {aliases(3, ITEMS)} }}")


@pytest.mark.parametrize(
    "field", ["tokens { edges { node { grants { namespace } } } }", "auditEvents { nodes { details } }"]
)
async def test_what_administrators_list_is_counted(house, field):
    namespaces = [f"{number:03}{'n' * 250}" for number in range(200)]
    grants = tuple(Grant(Permission.READ, namespace) for namespace in namespaces)
    await house.tokens.create(NewToken(name="one", grants=grants), ADA)
    assert await house.ask(f"{{ {field} }}")
    read = []

    def page(*given, **more):
        read.append(1)
        return PAGE(*given, **more)

    with patch.object(Pages, "page", page), pytest.raises(TooLarge):
        await house.ask(f"{{ {aliases(40, field)} }}")
    assert len(read) < 10


async def test_issues_of_items_are_counted(house):
    commands = [report(resource_name=f"r{number}", description=PADDING) for number in range(2)]
    id = await take(house, plans(*commands))
    one = "delivery(id: $id) { items { issues { description } } }"
    found = await house.ask(f"query ($id: ID!) {{ {one} }}", id=id)
    issues = [issue for item in found["delivery"]["items"] for issue in item["issues"]]
    assert issues == [{"description": PADDING}] * 2
    with pytest.raises(TooLarge):
        await house.ask(f"query ($id: ID!) {{ {aliases(3, one)} }}", id=id)


async def test_an_answer_is_refused_as_a_whole_where_others_hold_too_much(house):
    await take(house)
    with ExitStack() as others:
        for line in "abc":
            others.enter_context(house.planner.answers.begin(line)).count(MOST - 1)
        with pytest.raises(Overloaded):
            await house.ask(f"{{ {aliases(2, BODIES)} }}")
        # What is small needs nothing of it.
        assert await house.ask("{ deliveries { totalCount } }") == {"deliveries": {"totalCount": 1}}


async def test_a_replay_is_done_though_its_answer_is_too_large(house):
    id = await take(house, [Plan(index=0, action="unmatched")])
    shown = f"delivery {{ {aliases(5, 'request { body }')} }}"
    text = f"mutation ($id: ID!) {{ replayDelivery(input: {{id: $id}}) {{ {shown} }} }}"
    with pytest.raises(TooLarge):
        await house.ask(text, id=id)
    found = await house.ask("query ($id: ID!) { delivery(id: $id) { outcome } }", id=id)
    assert found["delivery"]["outcome"] == "HANDLED"


async def test_definitions_of_webhooks_and_of_their_versions_are_counted(house):
    create = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { userErrors { message } } }"
    update = "mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { userErrors { message } } }"
    definition = f"title: x\nnotes: {PADDING}"
    given: dict[str, Any] = {"name": "ours", "definition": definition, "namespaces": ["team"]}
    assert await house.ask(create, input=given) == {"createWebhook": {"userErrors": []}}
    for version in (1, 2):
        given = {"name": "ours", "definition": f"{definition}{version}", "expectedVersion": version}
        assert await house.ask(update, input=given) == {"updateWebhook": {"userErrors": []}}
    versions = 'webhook(name: "ours") { versions { definition } }'
    found = (await house.ask(f"{{ {versions} }}"))["webhook"]["versions"]
    assert [each["definition"] for each in found] == [f"{definition}2", f"{definition}1", definition]
    for text in (versions, "webhooks { nodes { definition } }"):
        with pytest.raises(TooLarge):
            await house.ask(f"{{ {aliases(5, text)} }}")


async def test_what_is_too_large_for_a_batch_is_refused(house):
    for _ in range(5):
        await take(house)
    kept = await house.webhooks.history.since(ADA, 0, 2**62, 100)
    text = "subscription { deliveryEvents { deliveries { request { body } } } }"
    operation = house.planner.documents.operation(text)
    with pytest.raises(TooLarge):
        await house.executor.delivery_batch(operation, ADA, kept, 1)
    found = await house.executor.delivery_batch(operation, ADA, kept[:3], 1)
    assert len(found["data"]["deliveryEvents"]["deliveries"]) == 3


async def test_a_delivery_that_is_too_large_by_itself_is_passed_over_and_named(house):
    body = json.dumps([{"name": "api", "padding": "x" * MOST}]).encode()
    id = await take(house, body=body)
    (kept,) = await house.webhooks.history.since(ADA, 0, 2**62, 100)
    text = "subscription { deliveryEvents { position deliveries { request { body } } } }"
    found = await house.executor.delivery_batch(house.planner.documents.operation(text), ADA, [kept], 7)
    assert found["data"] == {"deliveryEvents": {"position": house.log.text(7), "deliveries": []}}
    (error,) = found["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX", "deliveryId": id}


async def test_a_page_of_the_feed_ends_where_the_bodies_are_many_bytes(house):
    ids = [await take(house) for _ in range(5)]
    feed = delivery_feed.DeliveryFeed(house.webhooks.history, house.executor.delivery_batch)
    tailer: Any = None  # It is not asked for anything.
    tail = feed.tail(tailer, lambda: ADA, {})
    end, pages, position = 2**62, [], 0
    with patch.object(delivery_feed, "PAGE_BYTES", 2 * len(BODY)):
        while position < end:
            page = await tail.page(position, end)
            pages.append([delivery.id for delivery in page.lines])
            assert page.position > position
            position = page.position
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    with patch.object(delivery_feed, "PAGE_BYTES", 1):
        assert len((await tail.page(0, end)).lines) == 1
