"""Where a subscription begins, what it replays, who shares it, and what its caller may not see."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from models import EventLog, IssueEvent
from models.database import Write
from models.values import time_of
from resolvers.errors import BadRequest, PositionExpired
from resolvers.mutation import DeleteIssue, RelateIssues, ResolveIssue, UpdateIssue
from resolvers.subscription import group, tailer
from tests.resolvers.mutation.house import ADA, BOB, caller, made, report
from tests.resolvers.subscription.watching import EVENTS, events, watching

TEAM_READER = caller(team=["READ"])
OTHER_READER = caller(other=["READ"])


async def reported(house, count, **values):
    """The ids of so many new issues, in the order of the log."""
    reports = [report(resource_name=f"{number}", **values) for number in range(count)]
    return [outcome.issue_ids[0] for outcome in await asyncio.gather(*map(house.do, reports))]


async def test_the_first_batch_says_where_the_stream_stands(house):
    await made(house)
    async with house.watch() as watcher:
        first = await watcher.next()
        assert first == {"position": await house.position(), "caughtUp": True, "events": []}
        id = await made(house, resource_name="other")
        batch = await watcher.next()
        assert events(batch) == [("ENTERED", "CREATED", id)]
        assert batch["caughtUp"]
        assert batch["position"] == batch["events"][0]["event"]["position"] == await house.position()


@pytest.mark.parametrize("max_batch", [1, 2, 3, 10, 1000])
async def test_after_replays_without_a_hole_or_a_repeat_in_batches(house, max_batch, monkeypatch):
    monkeypatch.setattr("resolvers.subscription.tailer.PAGE_LINES", 4)
    start = await house.position()
    ids = await reported(house, 9)
    async with house.watch(after=start, maxBatch=max_batch) as watcher:
        batches = await watcher.until(await house.position())
        assert [id for _, _, id in events(*batches)] == ids
        assert all(len(batch["events"]) <= max_batch for batch in batches)
        assert [batch["caughtUp"] for batch in batches] == [False] * (len(batches) - 1) + [True]
        last = await made(house, resource_name="live")
        assert [id for _, _, id in events(await watcher.next())] == [last]
    for batch in batches:
        async with house.watch(after=batch["position"], maxBatch=max_batch) as watcher:
            rest = await watcher.until(await house.position())
            seen = len([each for each in batches if each["position"] <= batch["position"] for _ in each["events"]])
            assert [id for _, _, id in events(*rest)] == [*ids, last][seen:]


async def test_the_position_of_last_event_id_wins_over_after(house):
    start = await house.position()
    ids = await reported(house, 3)
    async with house.watch(after=start, last_event=await house.planner.end_of_log() - 1) as watcher:
        assert [id for _, _, id in events(await watcher.next())] == ids[2:]


async def test_a_replay_without_anything_for_the_filter_says_how_far_it_went(house):
    start = await house.position()
    await reported(house, 3)
    async with house.watch(after=start, where={"issue": {"title": {"eq": "nothing"}}}) as watcher:
        assert await watcher.next() == {"position": await house.position(), "caughtUp": True, "events": []}


async def test_a_live_batch_that_is_too_big_for_a_reader_comes_to_it_in_pieces(house):
    async with house.watch(maxBatch=2) as small, house.watch(maxBatch=1000) as big:
        await small.next()
        await big.next()
        ids = await reported(house, 7)
        end = await house.position()
        pieces = await small.until(end)
        assert [id for _, _, id in events(*pieces)] == ids
        assert max(len(batch["events"]) for batch in pieces) <= 2
        assert [id for _, _, id in events(*await big.until(end))] == ids


PAUSED = """subscription ($pause: Float!) { issueEvents(pause: $pause) {
  position caughtUp events { match event { kind issueId } } } }"""


async def test_what_comes_in_a_pause_comes_together(house, monkeypatch):
    is_over = asyncio.Event()
    monkeypatch.setattr(group.EventGroup, "_rest", lambda _: is_over.wait())
    async with house.watch(PAUSED, pause=0.2) as watcher, house.watch(PAUSED, pause=0) as other:
        await watcher.next()
        await other.next()
        first = await made(house, resource_name="first")
        assert [id for _, _, id in events(await watcher.next())] == [first]
        ids = [await made(house, resource_name=f"paused-{number}") for number in range(3)]
        # Others do not wait for it.
        assert [id for _, _, id in events(*await other.until(await house.position()))] == [first, *ids]
        is_over.set()
        batch = await watcher.next()
        assert [id for _, _, id in events(batch)] == ids
        assert (batch["position"], batch["caughtUp"]) == (await house.position(), True)


@pytest.mark.parametrize("pause", [-0.1, 5.1])
async def test_a_pause_has_bounds(house, pause):
    with pytest.raises(BadRequest, match="pause must be between 0 and 5"):
        async with house.watch(PAUSED, pause=pause):
            pass


@pytest.fixture
def gate(monkeypatch):
    """While it is not set, no group takes what the tailer has read."""
    gate = asyncio.Event()
    gate.set()
    hand_out = group.EventGroup._hand_out

    async def held(self):
        await gate.wait()
        await hand_out(self)

    monkeypatch.setattr(group.EventGroup, "_hand_out", held)
    return gate


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
@pytest.mark.parametrize("title", ["Build failed: api", "nothing"])
async def test_who_joins_others_that_are_behind_has_caught_up_when_all_that_was_there_has_come(
    house, gate, seen, title
):
    where = {"issue": {"title": {"eq": title}}}
    start = await house.planner.end_of_log()
    ids = await reported(house, 1)
    async with house.watch(where=where) as first:
        await first.next()
        gate.clear()
        ids += await reported(house, 2, issue_type="test")
        async with house.watch(where=where, last_event=start + seen) as second:
            assert house.streams.groups == 1
            batches = [await second.next()]
            assert batches[0]["caughtUp"] is (seen == 3)
            gate.set()
            batches += [] if seen == 3 else await second.until(await house.position())
        assert [batch["caughtUp"] for batch in batches] == [False] * (len(batches) - 1) + [True]
        assert [id for *_, id in events(*batches)] == ([] if title == "nothing" else ids[seen:])
        if title != "nothing" or seen < 3:
            assert (await first.next())["position"] == await house.position()


async def test_who_is_told_that_more_comes_is_told_when_it_has(house, gate, monkeypatch):
    monkeypatch.setattr("resolvers.subscription.tailer.PAGE_LINES", 3)
    async with house.watch(where={"issue": {"severity": {"eq": "CRITICAL"}}}) as watcher:
        await watcher.next()
        gate.clear()
        ids = [await made(house, resource_name=f"{number}", severity="critical") for number in range(2)]
        await reported(house, 8, issue_type="test")
        await house.tailer.catch_up()
        gate.set()
        batches = await watcher.until(await house.position())
    assert [(len(batch["events"]), batch["caughtUp"]) for batch in batches] == [(2, False), (0, True)]
    assert [id for *_, id in events(*batches)] == ids


async def forget(house, upto):
    """As retention does: lines up to a position are gone."""

    def work():
        yield Write(house.database.compile(delete(IssueEvent).where(IssueEvent.position <= upto)), [{}])
        yield Write(house.database.compile(update(EventLog).values(pruned_to=upto)), [{}])

    await house.database.transact(work)


async def test_a_position_older_than_the_log_is_expired_and_the_oldest_that_is_kept_is_not(house):
    start = await house.planner.end_of_log()
    ids = await reported(house, 4)
    await forget(house, start + 2)
    async with house.watch(after=house.log.text(start + 1)) as watcher:
        with pytest.raises(PositionExpired):
            await watcher.next()
    assert house.streams.groups == 0
    async with house.watch(after=house.log.text(start + 2)) as watcher:
        assert [id for _, _, id in events(await watcher.next())] == ids[2:]


async def age(house, upto, days):
    """Makes the lines up to a position so many days older."""
    then = time_of(datetime.now(UTC) - timedelta(days=days))
    statement = update(IssueEvent).where(IssueEvent.position <= upto).values(at=then)

    def work():
        yield Write(house.database.compile(statement), [{}])

    await house.database.transact(work)
    await find_edge(house)


async def find_edge(house):
    """Has the tailer look where the resume window begins."""
    house.tailer._edge_due = 0
    await house.tailer.catch_up()
    # The edge is looked for before the next look at the log.
    await house.tailer.catch_up()


async def test_a_position_is_expired_when_something_came_after_it_that_is_older_than_the_window(house):
    start = await house.planner.end_of_log()
    ids = await reported(house, 20)
    await age(house, start + 20, 6)
    async with house.watch(after=house.log.text(start)) as watcher:
        assert [id for _, _, id in events(await watcher.next())] == ids
    for old in (1, 2, 7, 8, 19):
        await age(house, start + old, 8)
        assert house.tailer.resume_from == start + old
        for given in ({"after": house.log.text(start + old - 1)}, {"last_event": start + old - 1}):
            with pytest.raises(PositionExpired):
                async with house.watch(**given):
                    pass
        async with house.watch(after=house.log.text(start + old)) as watcher:
            assert [id for _, _, id in events(await watcher.next())] == ids[old:]
    # Nothing has happened for long: who knows the end of the log has missed nothing.
    await age(house, start + 20, 100)
    async with house.watch(after=house.log.text(start + 20)) as watcher:
        assert (await watcher.next())["events"] == []
    assert house.streams.groups == 0


async def test_lines_that_were_pruned_from_the_middle_expire_nothing_in_the_window(database_url):
    async with watching(database_url, log_retention_days=8) as house:
        gone, there = await reported(house, 2)
        await house.do(DeleteIssue(id=gone))
        start = await house.planner.end_of_log()
        await age(house, start, 9)
        young = [await made(house, resource_name="young")]
        house.writer._retention._due = 0
        young.append(await made(house, resource_name="younger"))
        young.append(await made(house, resource_name="youngest"))
        timeline = "query ($id: ID!) { node(id: $id) { ... on Issue { timeline { nodes { kind } } } } }"
        # Deleting is over when the next report is answered.
        assert (await house.ask(timeline, id=there))["node"]["timeline"]["nodes"] == [{"kind": "CREATED"}]
        await house.tailer.catch_up()
        assert house.tailer.pruned_to == start
        async with house.watch(after=house.log.text(start)) as watcher:
            assert [id for _, _, id in events(await watcher.next())] == young


async def test_a_clock_that_was_ahead_for_a_while_expires_only_what_is_gone(house, monkeypatch):
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(days=30)

    start = await house.planner.end_of_log()
    ids = await reported(house, 9)
    for gone, kept in ((0, 9), (2, 7)):
        with monkeypatch.context() as patched:
            patched.setattr(tailer, "datetime", Ahead)
            await find_edge(house)
            assert house.tailer.resume_from == start + 9
            await forget(house, start + gone)
        await find_edge(house)
        assert house.tailer.resume_from == start + gone
        async with house.watch(after=house.log.text(start + gone)) as watcher:
            assert [id for _, _, id in events(await watcher.next())] == ids[-kept:]
        with pytest.raises(PositionExpired):
            async with house.watch(last_event=start + gone - 1) as watcher:
                await watcher.next()


async def test_the_begin_of_the_window_is_looked_for_when_the_server_starts(database_url):
    async with watching(database_url) as house:
        await reported(house, 3)
        await age(house, 2, 8)
    async with watching(database_url) as house:
        assert house.tailer.resume_from == 2


async def test_a_position_of_another_log_or_ahead_of_this_one_is_expired(house):
    end = await house.planner.end_of_log()
    other = "0" * 12 if house.log.identity != "0" * 12 else "1" * 12
    for after in (other + "0" * 16, house.log.text(end + 1)):
        with pytest.raises(PositionExpired):
            async with house.watch(after=after):
                pass
    with pytest.raises(BadRequest):
        async with house.watch(after="nonsense"):
            pass
    assert house.streams.groups == 0


async def test_equal_subscriptions_are_selected_once_for_all(one_house, monkeypatch):
    house = one_house
    rendered = []
    batch = house.planner.event_batch

    async def counted(operation, who, items, *rest, **named):
        rendered.extend(items)
        return await batch(operation, who, items, *rest, **named)

    monkeypatch.setattr(house.planner, "event_batch", counted)
    start = await house.position()
    where = {"issue": {"state": {"eq": "ACTIVE"}}}
    async with (
        house.watch(where=where) as one,
        house.watch(where=where, who=BOB, maxBatch=7) as two,
        house.watch(where=where, after=start) as three,
    ):
        for watcher in (one, two, three):
            await watcher.next()
        assert house.streams.groups == 1
        id = await made(house)
        for watcher in (one, two, three):
            assert events(await watcher.next()) == [("ENTERED", "CREATED", id)]
        assert len(rendered) == 1


async def test_who_wants_or_sees_something_else_shares_nothing(one_house):
    house = one_house
    named = EVENTS.replace("subscription", "subscription Named", 1)
    active, resolved = ({"issue": {"state": {"eq": word}}} for word in ("ACTIVE", "RESOLVED"))
    async with (
        house.watch(),
        house.watch(named),
        house.watch(where=active),
        house.watch(where=resolved),
        house.watch(who=TEAM_READER),
        house.watch(who=OTHER_READER),
        house.watch(who=caller(team=["READ", "REPORT"])),
    ):
        assert house.streams.groups == 6


async def test_the_last_to_leave_ends_the_group(one_house):
    house = one_house
    async with house.watch():
        async with house.watch() as watcher:
            await watcher.next()
        assert house.streams.groups == 1
    assert house.streams.groups == 0
    await asyncio.sleep(0)
    assert "subscriptions" not in {task.get_name() for task in asyncio.all_tasks() if not task.cancelling()}


async def test_silence_is_broken_by_the_position_while_the_log_moves(house, monkeypatch):
    monkeypatch.setattr(group, "SECONDS_BETWEEN_POSITIONS", 0.3)
    async with house.watch(where={"issue": {"title": {"eq": "nothing"}}}) as watcher:
        await watcher.next()
        await made(house)
        assert await watcher.next() == {"position": await house.position(), "caughtUp": True, "events": []}
        # The log stands still, and so does the stream.
        assert await watcher.has_nothing()


async def test_a_caller_sees_nothing_of_other_namespaces(house):
    async with house.watch(who=TEAM_READER) as watcher, house.watch(who=caller()) as nobody:
        start = (await watcher.next())["position"]
        await nobody.next()
        other = await made(house, namespace="other")
        mine = await made(house)
        await house.do(RelateIssues(source_id=mine, target_id=other))
        await house.do(ResolveIssue(id=mine))
        batches = await watcher.until(await house.position())
        told = [("ENTERED", "CREATED", mine), ("STAYED", "RESOLVED", mine)]
        assert events(*batches) == told
        assert await nobody.has_nothing()
    async with house.watch(who=TEAM_READER, after=start) as watcher:
        assert events(*await watcher.until(await house.position())) == told


MOVES = """subscription { issueEvents { position events { match event {
  kind issueId namespace title changes { field old new } issue { id namespace } } } } }"""


async def test_an_issue_that_moves_leaves_those_who_may_not_see_where_it_goes(house):
    id = await made(house)
    async with house.watch(MOVES, TEAM_READER) as old, house.watch(MOVES, OTHER_READER) as new, house.watch() as all:
        for watcher in (old, new, all):
            await watcher.next()
        await house.do(UpdateIssue(id=id, namespace="other", resource_namespace="other"))
        end = await house.position()
        (left,) = (await old.next())["events"]
        assert (left["match"], left["event"]["issueId"], left["event"]["namespace"]) == ("LEFT", id, "team")
        assert left["event"]["issue"] is None
        assert "other" not in str(left)
        (entered,) = (await new.next())["events"]
        assert (entered["match"], entered["event"]["issue"]) == ("ENTERED", {"id": id, "namespace": "other"})
        assert "team" not in str(entered)
        assert [match for match, *_ in events(*await all.until(end))] == ["LEFT", "ENTERED"]


async def test_a_deleted_issue_leaves_and_is_null(house):
    id = await made(house)
    async with house.watch(MOVES) as watcher:
        await watcher.next()
        await house.do(DeleteIssue(id=id))
        (left,) = (await watcher.next())["events"]
        assert (left["match"], left["event"]["kind"], left["event"]["issueId"]) == ("LEFT", "DELETED", id)
        assert left["event"]["issue"] is None


async def test_aliases_fragments_and_directives_are_answered_as_in_a_query(one_house):
    text = """subscription ($more: Boolean! = false) { feed: issueEvents { ...Batch } }
      fragment Batch on IssueEventBatch { __typename at: position
        events { ... on IssueEventItem { m: match event { issueId kind @include(if: $more) } } } }"""
    house = one_house
    async with house.watch(text) as watcher, house.watch(text, ADA, more=True) as more:
        assert (await watcher.next())["__typename"] == "IssueEventBatch"
        await more.next()
        id = await made(house)
        assert (await watcher.next())["events"] == [{"m": "ENTERED", "event": {"issueId": id}}]
        assert (await more.next())["events"] == [{"m": "ENTERED", "event": {"issueId": id, "kind": "CREATED"}}]


async def test_operations_of_one_document_are_told_apart(one_house):
    house = one_house
    text = """
        subscription A { issueEvents { position } }
        subscription B { issueEvents { caughtUp events { match } } }
        subscription C { issueStats { total } }
        subscription D { issueStats(where: {state: {eq: RESOLVED}}) { total byState { count } } }
    """
    position = await house.position()
    expected = {"A": {"position": position}, "B": {"caughtUp": True, "events": []}, "C": {"total": 0}}
    expected["D"] = {"total": 0, "byState": [{"count": 0}, {"count": 0}]}
    for name, value in expected.items():
        async with house.watch(text, name=name) as watcher:
            assert await watcher.next() == value


async def test_who_joins_while_others_are_told_nothing_hears_that_nothing_more_comes(one_house, monkeypatch):
    house, matching = one_house, one_house.streams._matching
    where = {"issue": {"title": {"eq": "never"}}}
    matched, is_looking, go = matching.matched, asyncio.Event(), asyncio.Event()

    async def slowly(lines, *more):
        is_looking.set()
        await go.wait()
        return await matched(lines, *more)

    async with house.watch(where=where) as first:
        await first.next()
        start = await house.position()
        monkeypatch.setattr(matching, "matched", slowly)
        await made(house)
        await is_looking.wait()
        async with house.watch(where=where, after=start) as second:
            assert not (await second.next())["caughtUp"]
            go.set()
            told = await second.next()
    assert (told["caughtUp"], told["position"], told["events"]) == (True, await house.position(), [])
