"""Counts: every breakdown against counting in Python, series with their empty buckets, times to resolve."""

import random
from datetime import datetime, timedelta

from models import Occurrence
from models.values import time_of
from resolvers.mutation import ResolveIssue
from tests.resolvers.mutation.house import report
from tests.resolvers.query.counting import WIDTHS, beginning, durations, greatest, points, words
from tests.resolvers.query.random_issues import START, moment, populate, rows
from tests.resolvers.query.random_where import FIELDS, RandomWhere, holds

STATS = """{
    total byState { state count } bySeverity { severity count } byType { issueType count }
    byNamespace { namespace count } byScope(first: 100) { scope { id resourceName } count }
    bySource { source count } byLabel(name: "team") { label { name value } count }
    timeToResolve { count median p90 }
}"""
POINTS = "{ start opened resolved activeAtEnd occurrences }"


async def all_issues(house):
    """Every issue as JSON."""
    return (await house.ask(f"{{ issues(first: 100) {{ nodes {{ {FIELDS} }} }} }}"))["issues"]["nodes"]


def check(stats, issues):
    """Every breakdown of these issues."""
    assert stats["total"] == len(issues)
    for field, name in (("byState", "state"), ("bySeverity", "severity"), ("byType", "issueType")):
        assert sorted(stats[field], key=str) == sorted(words(issues, name), key=str)
    namespaces = [(each["namespace"], each["count"]) for each in stats["byNamespace"]]
    assert namespaces == greatest(issue["namespace"] for issue in issues)
    assert [(e["source"], e["count"]) for e in stats["bySource"]] == greatest(issue["source"] for issue in issues)
    scopes = [(each["scope"]["id"], each["count"]) for each in stats["byScope"]]
    assert scopes == greatest(issue["scope"]["id"] for issue in issues)
    labels = [label["value"] for issue in issues for label in issue["labels"] if label["name"] == "team"]
    assert [(each["label"]["value"], each["count"]) for each in stats["byLabel"]] == greatest(labels)
    assert {each["label"]["name"] for each in stats["byLabel"]} <= {"team"}
    expected, found = durations(issues), stats["timeToResolve"]
    assert (found is None) is (expected is None)
    for name in expected or ():
        assert abs(found[name] - expected[name]) < 1e-5, name


async def test_every_breakdown_is_what_counting_gives(house):
    dice = random.Random(1)
    made = await populate(house, dice, 40)
    issues = await all_issues(house)
    check((await house.ask(f"{{ issueStats {STATS} }}"))["issueStats"], issues)
    wheres = RandomWhere(dice, made)
    text = f"query ($where: IssueWhere) {{ issueStats(where: $where) {STATS} }}"
    for _ in range(20):
        where = wheres.issues()
        stats = (await house.ask(text, where=where))["issueStats"]
        check(stats, [issue for issue in issues if holds(where, issue)])


async def test_the_statistics_of_scopes_are_those_of_their_issues(house):
    await populate(house, random.Random(2), 40)
    issues = await all_issues(house)
    series = f'series(from: "{moment(0)}", to: "{moment(9)}", bucket: HOUR) {POINTS}'
    text = f"{{ scopes {{ nodes {{ id stats {STATS[:-1]} {series} }} }} }} }}"
    nodes = (await house.ask(text))["scopes"]["nodes"]
    assert len(nodes) > 5
    for node in nodes:
        check(node["stats"], [issue for issue in issues if issue["scope"]["id"] == node["id"]])
        alone = f"query ($id: ID!) {{ issueStats(where: {{scope: {{id: {{eq: $id}}}}}}) {{ {series} }} }}"
        assert (await house.ask(alone, id=node["id"]))["issueStats"]["series"] == node["stats"]["series"]


async def test_long_breakdowns_stop_at_first(house):
    await populate(house, random.Random(3), 30)
    fields = ("byNamespace", "byScope", "bySource")
    for field in fields:
        whole = (await house.ask(f"{{ issueStats {{ {field} {{ count }} }} }}"))["issueStats"][field]
        cut = (await house.ask(f"{{ issueStats {{ {field}(first: 2) {{ count }} }} }}"))["issueStats"][field]
        assert (len(cut), cut) == (2, whole[:2])
        of_scopes = f"{{ scopes {{ nodes {{ stats {{ {field}(first: 1) {{ count }} }} }} }} }}"
        for node in (await house.ask(of_scopes))["scopes"]["nodes"]:
            assert len(node["stats"][field]) == 1
        for first in (0, 101):
            answer = await house.answer(f"{{ issueStats {{ {field}(first: {first}) {{ count }} }} position }}")
            assert answer["data"]["issueStats"] is None
            assert answer["errors"][0]["message"].startswith("first")
    labels = '{ issueStats { byLabel(name: "team", first: 1) { count } none: byLabel(name: "x") { count } } }'
    stats = (await house.ask(labels))["issueStats"]
    assert (len(stats["byLabel"]), stats["none"]) == (1, [])


async def spread(house, dice, width):
    """Issues over twenty buckets, on their borders and between them."""
    for number in range(15):
        at = START + width * dice.randrange(20) + dice.choice((timedelta(), timedelta(microseconds=1), width * 0.7))
        id = (await house.do(report(resource_name=str(number), detected_at=time_of(at)))).issue_ids[0]
        for _ in range(dice.randrange(3)):
            later = at + width * dice.random() * 4
            await house.do(report(resource_name=str(number), detected_at=time_of(later)))
        if dice.random() < 0.6:
            await house.do(ResolveIssue(id=id, at=time_of(at + width * dice.choice((0, 1, 5, 0.3)))))


async def test_series_have_every_bucket_and_count_each_issue_where_it_belongs(house):
    dice = random.Random(4)
    text = f"""query ($from: DateTime!, $to: DateTime, $bucket: TimeBucket!) {{
        issueStats {{ series(from: $from, to: $to, bucket: $bucket) {POINTS} }} }}"""
    for width in WIDTHS.values():
        await spread(house, dice, width)
    issues, occurrences = await all_issues(house), await rows(house, Occurrence)
    for unit, width in WIDTHS.items():
        for _ in range(6):
            low = START + width * dice.uniform(-3, 12)
            high = low + width * dice.uniform(0.01, 12)
            values = {"from": time_of(low), "to": time_of(high), "bucket": unit}
            series = (await house.ask(text, **values))["issueStats"]["series"]
            assert series == points(issues, occurrences, beginning(low, unit), high, unit), values


async def test_each_field_of_a_series_can_be_asked_for_alone(house):
    await spread(house, random.Random(5), WIDTHS["DAY"])
    asked = f'series(from: "{time_of(START)}", to: "{time_of(START + timedelta(days=30))}", bucket: DAY)'
    whole = (await house.ask(f"{{ issueStats {{ {asked} {POINTS} }} }}"))["issueStats"]["series"]
    assert len(whole) == 30
    for name in ("start", "opened", "resolved", "activeAtEnd", "occurrences"):
        alone = (await house.ask(f"{{ issueStats {{ {asked} {{ {name} }} }} }}"))["issueStats"]["series"]
        assert alone == [{name: point[name]} for point in whole]


async def test_a_series_without_an_end_reaches_to_now(house):
    await house.do(report())
    text = f"query ($from: DateTime!) {{ issueStats {{ series(from: $from, bucket: HOUR) {POINTS} }} }}"
    start = datetime.now(START.tzinfo) - timedelta(hours=3)
    series = (await house.ask(text, **{"from": time_of(start)}))["issueStats"]["series"]
    assert len(series) in (4, 5)
    assert sum(point["opened"] for point in series) == series[-1]["activeAtEnd"] == 1


async def test_a_series_too_long_or_turned_round_is_an_error_of_its_field_alone(house):
    text = """query ($to: DateTime!) { position
        issueStats { series(from: "2026-01-01T00:30:00Z", to: $to, bucket: HOUR) { start } } }"""
    for end, count in (
        ("2026-01-17T16:00:00Z", 400),
        ("2026-01-17T15:00:00.000001Z", 400),
        ("2026-01-01T01:00:00Z", 1),
    ):
        assert len((await house.ask(text, to=end))["issueStats"]["series"]) == count
    for end in ("2026-01-17T16:00:00.000001Z", "2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        answer = await house.answer(text, {"to": end})
        assert answer["data"]["issueStats"] is None
        assert answer["data"]["position"]
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_series_at_the_ends_of_time_are_series_or_errors(house):
    for low, high, unit in (
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "WEEK"),
        ("0001-01-03T00:00:00Z", "0001-01-20T00:00:00Z", "DAY"),
        ("9999-12-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", "WEEK"),
        ("9999-12-31T23:00:00Z", "9999-12-31T23:59:59.999999Z", "MINUTE"),
    ):
        answer = await house.ask(f'{{ issueStats {{ series(from: "{low}", to: "{high}", bucket: {unit}) {POINTS} }} }}')
        assert answer["issueStats"]["series"][0]["start"] <= low


async def test_nothing_counted_is_zero_or_null(house):
    stats = (await house.ask(f"{{ issueStats {STATS} }}"))["issueStats"]
    check(stats, [])
