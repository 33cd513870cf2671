"""How many statements each root field takes: fixed by the document, whatever rows there are. Plans are found again."""

import asyncio
import random
import re
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from unittest.mock import patch

import schema
from models.database import Fetch
from resolvers.mutation import LabelValue, RelateIssues
from tests.resolvers.mutation.house import ADA, BOB, caller, report, success
from tests.resolvers.query.house import asking
from tests.resolvers.query.random_issues import NAMESPACES, populate

# Not everywhere, but wherever there are issues: the same rows by other statements.
SOME = caller(**{namespace: ["READ"] for namespace in NAMESPACES})
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
ISSUE = """id labels { name } links { url } scope { id } previous { id } occurrences(first: 2) { nodes { id } }
    related(first: 2) { edges { direction node { id labels { name } } relation { id source { id } } } totalCount }
    timeline(first: 2) { nodes { id issue { id } relation { relation { id } } } }"""
VARIABLES = {"issue": "ID!", "scope": "ID!", "relation": "ID!", "ids": "[ID!]!", "key": "ScopeKey", "after": "String"}

# What is selected at the root, and how many statements that takes on SQLite.
PINNED = {
    "position": 1,
    "issue(id: $issue) { id title url fingerprint { key } }": 1,
    "issue(id: $issue) { scope { resourceName } previous { id scope { id } } resolvedBy { name } }": 1,
    "issue(id: $issue) { labels { name } }": 1,
    "issue(id: $issue) { labels { name } again: labels { value } links { url } }": 1,
    "issue(id: $issue) { occurrences { nodes { id links { url } } } }": 1,
    "issue(id: $issue) { occurrences { nodes { id } totalCount } }": 1,
    "issue(id: $issue) { timeline { nodes { kind changes { field } issue { id } } } }": 1,
    "issue(id: $issue) { timeline { nodes { id relation { id relation { id } } } } }": 1,
    "issue(id: $issue) { related { edges { cursor direction node { id scope { id } } relation { id } } } }": 1,
    "issue(id: $issue) { relatedFrom { nodes { source { id } target { id } } } relatedTo { totalCount } }": 1,
    "issue(id: $issue) { graph { nodes { issue { id } distance } } }": 2,
    "issue(id: $issue) { graph { nodes { hiddenCount } edges { relation { id } } } }": 4,
    f"issue(id: $issue) {{ {ISSUE} }}": 1,
    "node(id: $issue) { id }": 3,
    "node(id: $relation) { ... on Relation { source { id labels { name } } } }": 3,
    "nodes(ids: $ids) { id ... on Issue { title labels { name } } ... on Scope { resourceName } }": 3,
    "scope(id: $scope) { id }": 1,
    "scope(key: $key) { id }": 1,
    "scope(id: $scope) { issues { nodes { id } totalCount } }": 1,
    "scope(id: $scope) { stats { total byState { count } bySeverity { count } byType { count } } }": 2,
    "scopes { nodes { id } }": 1,
    "scopes { nodes { id issues(first: 2) { nodes { labels { name } } } stats { total bySource { count } } } }": 3,
    "issues { nodes { id } }": 1,
    "issues { totalCount }": 1,
    "issues { position nodes { id } }": 2,
    f"issues(first: 2) {{ nodes {{ id }} {INFO} }}": 1,
    f"issues(first: 2, after: $after) {{ edges {{ cursor }} {INFO} totalCount }}": 3,
    f"issues(last: 2, before: $after) {{ edges {{ cursor }} {INFO} totalCount }}": 3,
    f"issues(first: 100) {{ nodes {{ {ISSUE} }} totalCount position }}": 3,
    "issues { nodes { graph { nodes { issue { id } hiddenCount } edges { sourceId } } } }": 4,
    "issueStats { total byState { count } bySeverity { count } byType { count } }": 1,
    'issueStats { byNamespace { count } bySource { count } byLabel(name: "team") { count } }': 1,
    "issueStats { byScope { count scope { resourceName } } }": 1,
    "issueStats { timeToResolve { count median p90 } }": 1,
    'issueStats { series(from: "2026-01-01T00:00:00Z", bucket: WEEK) { opened } }': 1,
    'issueStats { series(from: "2026-01-01T00:00:00Z", bucket: WEEK) { opened resolved activeAtEnd occurrences } }': 1,
    "issueGraph(ids: $ids) { roots { id } nodes { issue { labels { name } } distance } truncated }": 1,
    "issueGraph(ids: $ids, depth: 5) { nodes { hiddenCount } edges { relation { id } } position }": 4,
    "issueGraph(ids: $ids, sameScope: true) { nodes { hiddenCount } edges { relation { id } } }": 4,
    "issueEvents { nodes { id kind issue { id } relation { id } changes { field } } }": 1,
    f"issueEvents {{ nodes {{ position issue {{ labels {{ name }} }} }} totalCount {INFO} }}": 2,
    "viewer { actor { name } }": 0,
    "one: issue(id: $issue) { id } issues { position } position": 3,
}
# On PostgreSQL all takes one, but for what is found step by step below a row.
PINNED_ON_POSTGRESQL = {selected: min(count, 1) for selected, count in PINNED.items()} | {
    "issue(id: $issue) { graph { nodes { issue { id } distance } } }": 2,
    "issue(id: $issue) { graph { nodes { hiddenCount } edges { relation { id } } } }": 4,
    "scope(id: $scope) { stats { total byState { count } bySeverity { count } byType { count } } }": 2,
    "scopes { nodes { id issues(first: 2) { nodes { labels { name } } } stats { total bySource { count } } } }": 3,
    "issues { nodes { graph { nodes { issue { id } hiddenCount } edges { sourceId } } } }": 4,
    "one: issue(id: $issue) { id } issues { position } position": 3,
}


def document(selected):
    """An operation with the variables that are used."""
    used = ", ".join(f"${name}: {type_}" for name, type_ in VARIABLES.items() if f"${name}" in selected)
    return f"query {f'({used})' if used else ''} {{ {selected} }}"


@contextmanager
def watching(house, look):
    """A list that gets what `look` finds out about each statement before it is fetched."""
    seen = []
    read = house.database.read

    def watched(work, before):
        # Work may be begun twice.
        del seen[before:]
        steps, rows = work(), None
        while True:
            try:
                step = steps.send(rows)
            except StopIteration as end:
                return end.value
            seen.extend((yield from look(step)))
            rows = yield step

    with patch.object(house.database, "read", lambda work, **more: read(partial(watched, work, len(seen)), **more)):
        yield seen


def sql_of(step):
    yield from ()
    return [step.statement.sql]


def plan_of(step):
    """What SQLite says of how it runs the statement."""
    explained = replace(step.statement, sql="EXPLAIN QUERY PLAN " + step.statement.sql, json_rows=(), long=())
    return [row[-1] for row in (yield Fetch(explained, step.values))]


async def grow(house, seed):
    """More issues, relations and lines; values for the variables."""
    dice = random.Random(seed)
    made = await populate(house, dice, 12)
    for source, target in pairwise(made):
        related = await house.do(RelateIssues(source_id=source, target_id=target, kind="RELATED"))
    page = (await house.ask("{ issues(first: 3) { pageInfo { endCursor } nodes { scope { id } } } }"))["issues"]
    return {
        "issue": made[5],
        "scope": page["nodes"][0]["scope"]["id"],
        "relation": related.relation_id,
        "ids": made[3:6],
        "key": {"resourceType": "component", "resourceName": "api", "resourceNamespace": "team"},
        "after": page["pageInfo"]["endCursor"],
    }


async def costs(house, values, who):
    """What each document of the table takes."""
    found = {}
    for selected in PINNED:
        used = {name: value for name, value in values.items() if f"${name}" in selected}
        with watching(house, sql_of) as seen:
            await house.ask(document(selected), who=who, **used)
        found[selected] = len(seen)
    return found


async def test_the_number_of_statements_is_fixed_and_does_not_grow_with_rows(house):
    await house.do(report(resource_namespace="team", run_id="1"))
    await house.do(success(resource_namespace="team"))
    await house.do(report(resource_namespace="team", run_id="2"))
    for seed, who in ((1, ADA), (2, ADA), (3, SOME)):
        values = await grow(house, seed)
        on_sqlite = house.database.name == "sqlite"
        assert await costs(house, values, who) == (PINNED if on_sqlite else PINNED_ON_POSTGRESQL)


async def test_sqlite_reads_relations_by_their_ends(sqlite_url):
    async with asking(sqlite_url) as house:
        values = await grow(house, 1)
        await house.database.analyze()
        await relations_by_their_ends(house, values)


async def relations_by_their_ends(house, values):
    for direction in ("OUT", "IN", "BOTH"):
        for below in ("nodes { id }", "totalCount", f"edges {{ cursor }} {INFO}"):
            for selected in (
                f"issue(id: $issue) {{ related(direction: {direction}) {{ {below} }} }}",
                f"issues(first: 5) {{ nodes {{ related(first: 2, direction: {direction}) {{ {below} }} }} }}",
            ):
                used = {name: value for name, value in values.items() if f"${name}" in selected}
                with watching(house, plan_of) as steps:
                    await house.ask(document(selected), **used)
                assert [step for step in steps if "relation" in step or "edge" in step]
                assert not [step for step in steps if step.startswith("SCAN edge")], (selected, steps)


async def test_sqlite_counts_the_labels_of_the_issues_that_are_asked_for_alone(sqlite_url):
    async with asking(sqlite_url) as house:
        labels = tuple(LabelValue("team", name) for name in ("red", "blue"))
        await asyncio.gather(
            *(house.do(report(namespace=f"team-{n % 20}", resource_name=str(n), labels=labels)) for n in range(2_500))
        )
        await house.database.analyze()
    # Readers know what was found out when they open the file.
    async with asking(sqlite_url) as house:
        asked = '{ issueStats(where: {namespace: {eq: "team-3"}}) { byLabel(name: "team") { label { value } count } } }'
        with watching(house, plan_of) as steps:
            stats = (await house.ask(asked))["issueStats"]
        assert stats["byLabel"] == [{"label": {"value": name}, "count": 125} for name in ("blue", "red")]
        assert [step for step in steps if "(namespace=?" in step]
        assert not [step for step in steps if "ix_label_name_value" in step], steps


async def test_all_root_fields_are_in_the_table():
    names = set(re.findall(r"\w+", " ".join(PINNED)))
    # What administrators list, and what no row is behind.
    others = {"tokens", "auditEvents", "rateLimit"}
    others |= {"webhook", "webhooks", "webhookTemplates", "delivery", "deliveries"}
    assert set(schema.schema._schema.query_type.fields) - others <= names


async def test_plans_are_found_again_for_other_values(house):
    first, second = await grow(house, 1), await grow(house, 2)
    await costs(house, first, ADA)
    made = house.planner.plans.kept.misses
    await costs(house, second, ADA)
    await costs(house, first, BOB)
    assert house.planner.plans.kept.misses == made
    assert house.planner.plans.kept.hits >= 2 * len(PINNED) - 2


async def test_answers_of_a_plan_found_again_are_those_of_a_new_one(house):
    first, second = await grow(house, 1), await grow(house, 2)
    for selected in PINNED:
        text = document(selected)
        used = [{name: of[name] for name in of if f"${name}" in selected} for of in (first, second)]
        kept = [await house.ask(text, **values) for values in used]
        # Another text is another document, planned anew.
        anew = [await house.ask(text + " " * number, **values) for number, values in enumerate(reversed(used), 1)]
        if "series" not in selected:
            assert kept == anew[::-1], selected


async def test_the_plans_that_are_kept_are_no_more_than_the_limit(database_url):
    async with asking(database_url, max_plans=3) as house:
        await house.do(report())
        for number in range(10):
            assert (await house.ask(f"{{ a{number}: issues {{ totalCount }} }}"))[f"a{number}"] == {"totalCount": 1}
        assert len(house.planner.plans.kept) == 3


async def test_a_count_that_is_not_asked_for_is_not_counted(house):
    with watching(house, sql_of) as seen:
        await house.ask("{ issues { nodes { id } pageInfo { hasNextPage } } }")
    assert not any("count(" in sql.lower() for sql in seen)
