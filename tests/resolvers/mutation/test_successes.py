"""A failure that is told after a success from after it is over: nobody has to clear it by hand."""

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import update

from models import Issue, Scope, Success
from models.database import Fetch
from models.values import now, time_of
from resolvers.mutation import PartValue, ResolveIssue
from resolvers.mutation.fingerprint import fingerprint_of
from resolvers.mutation.retention import SUCCESS_MEMORY
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.successes import Successes, success_key
from tests.resolvers.mutation.house import changes, kinds, later, made, report, success

# Hours ago, by name.
NINE, TEN, ELEVEN = (time_of(datetime.now(UTC) - timedelta(hours=hours)) for hours in (3, 2, 1))
ARM, X86 = PartValue("arch", "arm"), PartValue("arch", "x86")


async def states(house):
    return [row["state"] for row in await house.rows(Issue)]


async def test_it_becomes_an_issue_that_was_resolved_by_that_success(house):
    await house.do(success(at=TEN))
    outcome = await house.do(report(detected_at=NINE))
    assert outcome.action == "CREATED"
    issue = await house.row(Issue)
    assert (issue["state"], issue["detected_at"], issue["resolved_at"]) == ("RESOLVED", NINE, TEN)
    lines = await house.log()
    assert kinds(lines) == ["CREATED", "RESOLVED"]
    assert changes(lines[1])["reason"] == (None, "a success from after it was told before")


async def test_what_failed_at_or_after_the_success_is_active(house):
    await house.do(success(at=TEN))
    for name, at in (("api", TEN), ("web", ELEVEN), ("db", None)):
        await house.do(success(resource_name=name, at=TEN))
        await house.do(report(resource_name=name, detected_at=at))
    assert await states(house) == ["ACTIVE"] * 3


@pytest.mark.parametrize(
    ("told", "failed", "state"),
    [
        ({}, {}, "RESOLVED"),
        ({"issue_type": "build"}, {}, "RESOLVED"),
        ({"issue_type": "test"}, {}, "ACTIVE"),
        ({"fingerprint": (ARM,)}, {"fingerprint": (ARM,)}, "RESOLVED"),
        ({"fingerprint": (ARM,)}, {"fingerprint": (X86,)}, "ACTIVE"),
        ({"fingerprint": (ARM,)}, {}, "ACTIVE"),
        ({"fingerprint": ()}, {"fingerprint": (ARM,)}, "ACTIVE"),
        ({"fingerprint": ()}, {}, "RESOLVED"),
        ({"fingerprint": (PartValue("os", ""), ARM)}, {"fingerprint": (ARM,)}, "RESOLVED"),
        ({"fingerprint": (PartValue("os", ""),)}, {"fingerprint": (ARM,)}, "RESOLVED"),
        ({"fingerprint": (PartValue("arch", ""),)}, {"fingerprint": (ARM,)}, "ACTIVE"),
        ({"fingerprint": (ARM,)}, {"fingerprint": (ARM, PartValue("os", "mac"))}, "RESOLVED"),
        ({"resource_name": "other"}, {}, "ACTIVE"),
        ({"resource_namespace": "shared"}, {}, "ACTIVE"),
        ({"namespace": "other", "resource_namespace": "team"}, {}, "ACTIVE"),
    ],
)
async def test_only_what_the_success_would_have_resolved_is_over(house, told, failed, state):
    await house.do(success(at=TEN, **told))
    await house.do(report(issue_type="build", detected_at=NINE, **failed))
    assert await states(house) == [state]


async def test_the_newest_success_counts_in_whatever_order_they_come(house):
    for at in (TEN, ELEVEN, NINE):
        await house.do(success(at=at))
    assert [row["at"] for row in await house.rows(Success)] == [ELEVEN]
    await house.do(report(detected_at=TEN))
    assert (await house.row(Issue))["resolved_at"] == ELEVEN


async def test_a_resolved_issue_is_not_reopened_for_good_by_what_is_over(house):
    id = await made(house, detected_at=NINE)
    await house.do(ResolveIssue(id=id, at=NINE))
    await house.do(success(at=ELEVEN))
    outcome = await house.do(report(detected_at=TEN, reopen_within=timedelta(days=1)))
    assert outcome.action == "REOPENED"
    assert await states(house) == ["RESOLVED"]


async def test_an_active_issue_counts_a_late_report(house):
    await house.do(success(at=TEN))
    id = await made(house, detected_at=ELEVEN)
    assert (await house.do(report(detected_at=NINE))).issue_ids == (id,)
    issue = await house.row(Issue)
    assert (issue["state"], issue["occurrence_count"], issue["last_detected_at"]) == ("ACTIVE", 2, ELEVEN)


async def test_a_tool_whose_clock_is_ahead_does_not_hide_what_fails_from_now_on(house):
    ahead = time_of(datetime.now(UTC) + timedelta(hours=20))
    await house.do(success(at=ahead))
    await house.do(report(detected_at=time_of(datetime.now(UTC) + timedelta(seconds=1))))
    assert await states(house) == ["ACTIVE"]


async def test_a_time_further_ahead_than_clocks_differ_counts_as_now(house):
    ahead = later(now(), hours=20)
    await house.do(report(detected_at=ahead))
    await house.do(success(at=ahead))
    issue = await house.row(Issue)
    assert issue["detected_at"] == issue["last_detected_at"] == issue["created_at"]
    assert (issue["state"], issue["resolved_at"]) == ("RESOLVED", issue["updated_at"])
    assert (await house.do(report(detected_at=now()))).action == "CREATED"


async def test_a_time_as_far_ahead_as_clocks_differ_is_taken_as_it_is_told(house):
    at = [later(now(), minutes=minutes) for minutes in (2, 3)]
    id = await made(house, detected_at=at[0])
    await house.do(success(at=at[1]))
    assert (await house.do(report(detected_at=at[0]))).action == "UNCHANGED"
    issue = await house.row(Issue)
    assert (issue["id"], issue["detected_at"], issue["resolved_at"]) == (id, *at)


async def test_both_can_be_in_one_batch(house):
    await asyncio.gather(
        house.do(success(at=TEN)),
        house.do(report(detected_at=NINE)),
        house.do(success(at=ELEVEN)),
        house.do(report(detected_at=NINE, resource_name="web")),
    )
    assert sorted(await states(house)) == ["ACTIVE", "RESOLVED"]
    assert [row["at"] for row in await house.rows(Success)] == [ELEVEN]


async def test_a_success_without_a_time_is_not_remembered(house):
    await house.do(success())
    assert await house.rows(Success) == []


OLD = time_of(datetime.now(UTC) - SUCCESS_MEMORY - timedelta(minutes=1))


async def test_successes_are_forgotten_a_month_after_they_came_in(house):
    with patch("resolvers.mutation.reading.now", lambda: OLD):
        await house.do(success(at=TEN))
        await house.do(success(at=OLD, resource_name="db"))
    await house.do(success(at=TEN, resource_name="web"))
    await house.do(success(at=TEN, resource_name="db"))
    assert len(await house.rows(Success)) == 3
    await house.database.transact(house.writer._retention.work)
    assert [row["at"] for row in await house.rows(Success)] == [TEN] * 2


async def test_a_clock_that_is_years_behind_is_remembered_as_long_as_any(house):
    await house.do(success(at="1970-01-01T00:07:00.000000Z"))
    await house.database.transact(house.writer._retention.work)
    await house.do(report(detected_at="1970-01-01T00:06:00.000000Z"))
    assert await states(house) == ["RESOLVED"]


async def test_what_the_version_before_wrote_is_forgotten_by_the_time_that_it_has(house):
    for name, at in (("api", OLD), ("web", TEN)):
        await house.do(success(at=at, resource_name=name))
    nobody_knows = house.database.compile(update(Success).values(told_at=None).returning(Success.at))

    def unknown():
        yield Fetch(nobody_knows, {})

    await house.database.transact(unknown)
    await house.database.transact(house.writer._retention.work)
    assert [row["at"] for row in await house.rows(Success)] == [TEN]


async def test_old_and_new_failures_of_one_batch_find_their_own_successes(house):
    old = time_of(datetime.now(UTC) - timedelta(days=2))
    await house.do(success(at=time_of(datetime.now(UTC) - timedelta(days=1))))
    soon = time_of(datetime.now(UTC) + timedelta(seconds=30))
    await house.do(success(at=soon, resource_name="web"))
    await asyncio.gather(
        house.do(report(detected_at=old)),
        house.do(report(detected_at=now(), resource_name="web")),
        house.do(report(detected_at=now(), resource_name="db")),
        house.do(success(at=ELEVEN, resource_name="db")),
    )
    scopes = {row["id"]: row["resource_name"] for row in await house.rows(Scope)}
    states = {scopes[row["scope_id"]]: row["state"] for row in await house.rows(Issue)}
    assert states == {"api": "RESOLVED", "web": "ACTIVE", "db": "ACTIVE"}
    assert len(await house.rows(Success)) == 3


async def test_successes_that_share_a_part_are_told_apart_by_another():
    place, successes = ("team", "p"), Successes(now())
    asked = [(PartValue("from", "one"), PartValue("id", str(number))) for number in range(200)]
    successes.take([success_key(place, None, parts) for parts in asked], [])
    for parts in asked:
        successes.tell(place, None, parts, TEN)
    assert max(len(rows) for rows in successes._about.values()) < 20
    for parts, found in ((asked[7], TEN), ((PartValue("from", "one"), PartValue("id", "none")), None)):
        failed = fingerprint_of("team", "build", ScopeKey("component", "api", "team"), parts)
        assert successes.after(NINE, place, "build", failed.parts) == found
    successes.tell(place, None, asked[7], ELEVEN)
    failed = fingerprint_of("team", "build", ScopeKey("component", "api", "team"), asked[7])
    assert successes.after(TEN, place, "build", failed.parts) == ELEVEN


async def test_a_report_of_what_is_over_says_so(house):
    await house.do(success(at=later(now(), minutes=-5)))
    late = report(detected_at=later(now(), minutes=-10), idempotency_key="k")
    outcome = await house.do(late)
    assert (outcome.action, outcome.message) == (
        "CREATED",
        "it is resolved already: a success from after it was told before",
    )
    assert (await house.do(late)).message == outcome.message
    assert (await house.do(report())).message is None
