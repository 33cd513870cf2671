"""A delivery is kept together with what came of each of its items, and no item costs another anything."""

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from models import DeliveryNamespace, Issue, IssueEvent
from models.database import Unavailable as DatabaseUnavailable
from models.values import first_id_of, now, time_of
from resolvers.errors import Overloaded, Unavailable
from resolvers.mutation import AcknowledgeScope, writer
from resolvers.webhooks import deliveries
from resolvers.webhooks.plan import Plan
from tests.resolvers.mutation.house import count_transactions, later, made, report, success
from tests.resolvers.mutation.test_retention import look
from tests.resolvers.mutation.test_writer import Flaky, refuses_title, settled
from tests.resolvers.webhooks.post import GITHUB, plan, plans, post, received, tool


def actions(results):
    return [result.action for result in results]


async def test_an_issue_and_its_delivery_are_one_commit(office):
    await settled(office.house)
    with count_transactions(office.house) as transactions:
        (result,) = await office.take([plan(fingerprint=())], delivery_key="d-1", event="workflow_run")
    assert len(transactions) == 1
    issue = await office.house.row(Issue)
    assert result.issue_ids == (issue["id"],)
    assert (result.index, result.action, result.rule, result.namespace) == (0, "created", "a failed run", "team")
    assert result.fingerprint == (
        ("namespace", "team"),
        ("issueType", "build"),
        ("resourceType", "component"),
        ("resourceName", "api"),
        ("resourceNamespace", "team"),
    )
    row = await office.row()
    (line,) = await office.house.rows(IssueEvent)
    told = {name: row[name] for name in ("webhook", "outcome", "delivery_key", "event", "error", "namespace", "body")}
    assert told == {
        "webhook": "github",
        "outcome": "HANDLED",
        "delivery_key": "d-1",
        "event": "workflow_run",
        "error": None,
        "namespace": "team",
        "body": b'{"n":1}',
    }
    assert row["request"] == [{"x-github-event": "workflow_run"}, {"a": "1"}, "application/json"]
    assert row["sender"] == ["WEBHOOK", "github", "Github", "github", ["team", "team-*"]]
    assert row["position"] == line["position"] + 1


async def test_what_is_written_is_told_to_who_follows_the_log(database_url):
    ends = []
    async with post(database_url, on_commit=ends.append) as office:
        await office.take([Plan(index=0, action="ignored", message="not a failure", namespace="team")])
        await office.take([plan()])
    assert ends == [1, 3]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (["ignored"], "HANDLED"),
        (["unmatched", "unmatched"], "UNMATCHED"),
        (["unmatched", "ignored"], "UNMATCHED"),
        (["failed", "ignored"], "PARTLY_FAILED"),
        (["failed", "failed"], "FAILED"),
        ([], "HANDLED"),
    ],
)
async def test_what_came_of_a_delivery_follows_from_its_items(office, given, outcome):
    items = [Plan(index=index, action=action, message=f"as {action}") for index, action in enumerate(given)]
    assert actions(await office.take(items)) == given
    row = await office.row()
    assert (row["outcome"], row["error"]) == (outcome, "as failed" if "failed" in given else None)
    assert await office.house.rows(Issue) == []


async def test_a_sender_that_was_turned_away_is_kept_without_its_body(office):
    refused = "the signature is not that of the body"
    assert await office.take([], body=None, body_bytes=9_999, refused=refused) == []
    row = await office.row()
    assert (row["outcome"], row["error"], row["body"], row["body_bytes"]) == ("REFUSED", refused, None, 9_999)
    assert await office.concerned(row) == ["team", "team-*"]


async def test_what_became_of_each_item_is_told_by_name(office):
    ids = [await made(office.house, resource_name=name) for name in ("seen", "well")]
    results = await office.take(
        plans(
            report(),
            report(),
            report(run_id="1"),
            report(run_id="1"),
            AcknowledgeScope(namespace="team", resource_type="component", resource_name="seen"),
            success(resource_name="well"),
            success(resource_name="nobody"),
        )
    )
    assert actions(results) == ["created", "updated", "updated", "unchanged", "acknowledged", "resolved", "resolved"]
    assert [result.issue_ids for result in results[4:]] == [(ids[0],), (ids[1],), ()]


async def test_an_item_that_may_not_be_done_is_the_only_one_that_failed(office):
    results = await office.take(plans(report(), report(namespace="other"), report(resource_namespace="other")))
    assert actions(results) == ["created", "failed", "failed"]
    assert [result.message for result in results[1:]] == ["no permission to report in namespace other"] * 2
    row = await office.row()
    assert (row["outcome"], row["error"]) == ("PARTLY_FAILED", "no permission to report in namespace other")
    assert (await office.house.row(Issue))["namespace"] == "team"


@pytest.mark.parametrize("place", [0, 7, 19])
async def test_an_item_that_the_database_refuses_is_the_only_one_that_failed(office, place):
    commands = [report(title=f"number {number}", resource_name=f"c-{number}") for number in range(20)]
    with refuses_title(f"number {place}"):
        results = await office.take(plans(*commands))
    assert actions(results) == ["created"] * place + ["failed"] + ["created"] * (19 - place)
    assert results[place].message == "the database has no place for it"
    assert len(await office.house.rows(Issue)) == 19


async def test_an_item_that_is_a_mistake_of_ours_says_only_where_to_look(office):
    def broken(*_):
        raise ZeroDivisionError("told to nobody")

    with patch.object(AcknowledgeScope, "decide", broken):
        seen = AcknowledgeScope(namespace="team", resource_type="component", resource_name="api")
        results = await office.take(plans(report(), seen, report()))
    assert actions(results) == ["created", "failed", "updated"]
    assert results[1].message.startswith("internal error ")


async def test_items_that_depend_on_rows_that_an_item_before_led_to_come_in_the_next_commit(office):
    await made(office.house)
    await office.house.do(success())
    soon = {"reopen_within": timedelta(hours=1)}
    with count_transactions(office.house) as transactions:
        results = await office.take(plans(report(**soon), report(**soon), report(resource_name="web"), success()))
    assert actions(results) == ["reopened", "updated", "created", "resolved"]
    assert len(transactions) > 1
    assert len(await office.rows()) == 1


async def test_many_items_are_bounded_commits_in_their_order(office):
    await settled(office.house)
    with patch.object(deliveries, "MAX_ITEMS_AT_ONCE", 10), count_transactions(office.house) as transactions:
        results = await office.take(plans(*(report(run_id=str(number)) for number in range(35))))
    assert actions(results) == ["created"] + ["updated"] * 34
    assert len(transactions) == 4
    assert len({result.issue_ids for result in results}) == 1


async def test_what_waits_together_is_no_more_than_a_batch_and_a_delivery(office):
    many = [plans(*(report(run_id=f"{each}-{number}") for number in range(8))) for each in range(6)]
    senders = [tool("team", name=f"tool-{each}") for each in range(6)]
    with count_transactions(office.house) as transactions, patch.object(writer, "MAX_BATCH_COMMANDS", 10):
        await asyncio.gather(*(office.take(each, sender) for each, sender in zip(many, senders, strict=True)))
    assert max(sum(len(command.plans) for command, _ in batch._commands) for batch in transactions) <= 17
    assert len(await office.rows()) == 6


async def test_a_delivery_that_comes_again_is_answered_as_the_first_time(office):
    def again():
        return plans(report(idempotency_key="d-1#0"), success(resource_name="web", idempotency_key="d-1#1"))

    first = await office.take(again(), delivery_key="d-1")
    assert await office.take(again(), delivery_key="d-1") == first
    assert (await office.house.row(Issue))["occurrence_count"] == 1
    assert len(await office.rows()) == 2


async def test_a_definition_that_says_something_else_by_now_is_done_in_spite_of_the_key(office):
    await office.take(plans(report(idempotency_key="d-1#0")))
    (result,) = await office.take(plans(report(title="another", idempotency_key="d-1#0")))
    assert result.action == "updated"
    assert (await office.house.row(Issue))["title"] == "another"


@pytest.mark.parametrize("failures", [("after the commit",), ("instead of the commit", "before anything")])
async def test_a_commit_in_doubt_is_done_once_and_told_right(office, failures):
    await settled(office.house)
    with (
        patch.object(writer, "RETRY_PAUSE_SECONDS", 0),
        patch.object(office.house.database, "transact", Flaky(office.house, *failures)),
    ):
        results = await office.deliveries.carry_out(received(), plans(report(), report()), GITHUB)
    assert actions(results) == ["created", "updated"]
    assert len(await office.rows()) == 1
    assert (await office.house.row(Issue))["occurrence_count"] == 2


async def test_without_a_database_nothing_is_kept_and_nothing_is_said_to_be(office):
    await settled(office.house)

    async def away(work):
        raise DatabaseUnavailable("away")

    with (
        patch.object(writer, "RETRY_PAUSE_SECONDS", 0),
        patch.object(office.house.database, "transact", away),
        pytest.raises(Unavailable),
    ):
        await office.deliveries.carry_out(received(), [plan()], GITHUB)
    assert await office.rows() == []


async def test_too_much_that_waits_is_told(database_url):
    async with post(database_url, queue_limit=1) as office:
        with pytest.raises(Overloaded):
            await asyncio.gather(*(office.take([plan()]) for _ in range(20)))


@pytest.mark.parametrize(
    ("given", "concerns"),
    [
        ([plan()], ["team"]),
        ([plan(), plan(1, namespace="team-b")], ["team", "team-b"]),
        ([plan(resource_namespace="team-c")], ["team", "team-c"]),
        ([Plan(index=0, action="ignored", namespace="team-b")], ["team-b"]),
        # Whatever it tells, it may be about any of them.
        ([Plan(index=0, action="unmatched")], ["team", "team-*"]),
        ([plan(), plan(1, namespace="stranger")], ["team", "team-*"]),
        ([], ["team", "team-*"]),
    ],
)
async def test_a_delivery_concerns_the_namespaces_of_its_items_or_all_of_its_sender(office, given, concerns):
    await office.take(given)
    assert await office.concerned(await office.row()) == concerns


async def test_a_sender_that_may_report_everywhere_concerns_everybody_where_no_namespace_is_told(office):
    await office.take([Plan(index=0, action="unmatched")], tool("*", "team"))
    assert await office.concerned(await office.row()) == ["*"]


async def test_texts_that_a_database_has_no_place_for_are_kept_without_it(office):
    odd = "a\0b\ud800"
    item = Plan(index=0, rule=odd, action="failed", message=odd, notices=(odd,), namespace=odd)
    await office.deliveries.carry_out(
        received(event=odd, delivery_key=odd * 200, headers={odd: odd}, query={odd: odd}, content_type=odd),
        [item],
        GITHUB,
    )
    row = await office.row()
    assert (row["event"], row["error"], len(row["delivery_key"])) == ("a\ufffdb?", "a\ufffdb?", 255)
    assert row["request"][0] == {"a\ufffdb?": "a\ufffdb?"}


async def test_each_command_of_a_delivery_is_counted(office):
    await office.take([*plans(report(), success()), Plan(index=2, action="ignored")])
    assert office.house.writer.counts.commands == {("CreateIssue", "CREATED"): 1, ("ResolveScope", "DONE"): 1}


async def test_the_order_of_the_sender_decides_within_a_delivery(office):
    at = now()
    results = await office.take(
        plans(
            report(detected_at=at),
            success(at=later(at, minutes=-1)),
            success(at=later(at, minutes=1)),
            report(detected_at=at, reopen_within=timedelta(days=1)),
        )
    )
    assert actions(results) == ["created", "resolved", "resolved", "unchanged"]
    assert [len(result.issue_ids) for result in results] == [1, 0, 1, 1]


async def old(office, **age):
    """The id of a delivery that came so long ago, with an item in each of two namespaces."""
    moment = datetime.now(UTC) - timedelta(**age)
    id = first_id_of(moment)
    items = plans(report(), report(namespace="team-b"))
    await office.deliveries.carry_out(received(id=id, at=time_of(moment)), items, GITHUB)
    return id


async def test_what_was_delivered_goes_first_and_what_came_of_it_later(office):
    ids = [await old(office, **age) for age in ({"hours": 47}, {"hours": 49}, {"days": 29}, {"days": 31})]
    refused = received(id=first_id_of(datetime.now(UTC) - timedelta(hours=50)), body=None, refused="no signature")
    await office.deliveries.carry_out(refused, [], GITHUB)
    await look(office.house)
    rows = {row["id"]: row for row in await office.rows()}
    assert rows.keys() == {*ids[:3], refused.id}
    assert [(rows[id]["request"] is None, rows[id]["body"]) for id in ids[:3]] == [
        (False, b'{"n":1}'),
        (True, None),
        (True, None),
    ]
    assert rows[refused.id]["request"] is None
    assert {row["delivery_id"] for row in await office.house.rows(DeliveryNamespace)} == {*ids[:3], refused.id}


async def test_how_long_deliveries_are_kept_is_a_setting(database_url):
    async with post(database_url, delivery_body_hours=1, delivery_days=2) as office:
        ids = [await old(office, **age) for age in ({"minutes": 59}, {"hours": 2}, {"days": 3})]
        await look(office.house)
        assert [(row["id"], row["body"] is None) for row in await office.rows()] == [(ids[1], True), (ids[0], False)]
