"""How many conditions an operation has: counted before it is planned, charged, and bounded."""

import asyncio
import gc
import tracemalloc

import pytest

import schema
from resolvers.errors import RequestError
from resolvers.query import DocumentLimits
from resolvers.query.conditions import CONDITION_COST
from resolvers.query.document import Documents
from resolvers.query.plans import MAX_BYTES_KEPT
from resolvers.query.variables import Variables
from schema.problems import errors_of
from tests.resolvers.mutation.house import ADA
from tests.resolvers.query.house import asking
from tests.turns import counted_turns

WITH = "query ($w: IssueWhere) { issues(first: 1, where: $w) { totalCount } }"
BOTH = "query ($w: IssueWhere) { a: issues(where: $w) { totalCount } b: issueStats(where: $w) { total } }"
NAMED = {"label": {"name": "a", "value": {"eq": "x"}}}


def documents(**limits):
    return Documents(schema.schema._schema, DocumentLimits(**limits))


@pytest.mark.parametrize(
    ("text", "variables", "count"),
    [
        ("{ issues { totalCount } }", {}, 0),
        (WITH, {}, 0),
        (WITH, {"w": None}, 0),
        (WITH, {"w": {}}, 1),
        (WITH, {"w": {"severity": {"gte": "MAJOR"}, "state": {"eq": "ACTIVE"}}}, 2),
        (WITH, {"w": {"id": {"in": ["a", "b", "c"]}}}, 1),
        (WITH, {"w": {"or": [{}, {"title": {"contains": "a", "startsWith": "b"}}]}}, 3),
        (WITH, {"w": {"not": NAMED}}, 4),
        ("{ issues(where: {or: [{}, {title: {contains: 1, startsWith: 2}}], state: null}) { totalCount } }", {}, 3),
        ('{ issues(where: {label: {name: "a", value: {eq: "x"}}}) { totalCount } }', {}, 4),
        ('{ issues(where: {id: {in: ["a", "b"]}}) { totalCount } }', {}, 1),
        ("query ($t: String) { issues(where: {title: {eq: $t}}) { totalCount } }", {}, 0),
        ("query ($t: String) { issues(where: {title: {eq: $t}}) { totalCount } }", {"t": "a"}, 1),
        ("query ($w: [IssueWhere!]) { issues(where: {or: $w}) { totalCount } }", {"w": [{}, NAMED]}, 5),
        ('{ issues(search: "out of disk") { totalCount } }', {}, 9),
        ("query ($s: String) { issues(search: $s) { totalCount } }", {"s": "out of disk"}, 9),
        ("{ issueEvents(where: {kind: {in: [RESOLVED]}, issue: {state: {eq: ACTIVE}}}) { totalCount } }", {}, 3),
        ("{ issues(first: 1) { nodes { related(first: 1, where: {state: {eq: ACTIVE}}) { totalCount } } } }", {}, 1),
        (
            "query ($w: IssueWhere) { a: issues(where: $w) { totalCount } b: issueStats(where: $w) { total } }",
            {"w": NAMED},
            8,
        ),
        ("{ ...A b: issues { nodes { id } } } fragment A on Query { issues(where: {}) { totalCount } }", {}, 1),
        ("{ ... on Query { issues(where: {}) { totalCount } } }", {}, 1),
        ("subscription { issueEvents(where: {issue: {title: {eq: 1}}}) { position } }", {}, 2),
    ],
)
def test_each_use_of_a_filter_counts(text, variables, count):
    text = text.replace("contains: 1", 'contains: "a"').replace("With: 2", 'With: "b"').replace("eq: 1", 'eq: "a"')
    bare = documents(conditions=count).operation(text, None, variables)
    if count:
        with pytest.raises(RequestError) as refused:
            documents(conditions=count - 1).operation(text, None, variables)
        (error,) = errors_of(refused.value)
        assert error["extensions"]["code"] == "TOO_COMPLEX"
        assert error["message"].endswith(f"this one has {count}.")
    assert bare.cost > count * CONDITION_COST
    assert bare.cost - count * CONDITION_COST < 200


@pytest.mark.parametrize(
    "where",
    [
        {"or": [{}] * 9_000},
        {"or": [{"severity": {"eq": "NO"}}] * 3_000},
        {"or": [None, *[{}] * 9_000]},
        {f"a{number}": 1 for number in range(9_000)},
    ],
    ids=["objects", "mistakes", "null first", "unknown members"],
)
def test_conditions_in_variables_are_counted_before_they_are_looked_at(monkeypatch, where):
    def never(*_):
        raise AssertionError("coerced")

    monkeypatch.setattr(Variables, "coerce", never)
    with pytest.raises(RequestError) as refused:
        documents().operation(WITH, None, {"w": where})
    (error,) = errors_of(refused.value)
    assert error["extensions"]["code"] == "TOO_COMPLEX"


def test_conditions_of_a_default_count_too():
    text = "query ($w: IssueWhere = {or: [{}, {}, {}]}) { issues(where: $w) { totalCount } }"
    documents(conditions=3).operation(text)
    with pytest.raises(RequestError):
        documents(conditions=2).operation(text)


def many(count):
    return {"or": [{"description": {"contains": f"{number}"}} for number in range(count)]}


async def test_while_a_large_operation_is_planned_others_have_their_turns(database_url):
    async with asking(database_url) as house:
        text = (
            f"query ($w: IssueWhere) {{ {' '.join(f'a{n}: issues(where: $w) {{ totalCount }}' for n in range(50))} }}"
        )
        operation = house.planner.documents.operation(text, None, {"w": many(20)})
        async with counted_turns() as turns:
            await house.planner.plans.of(operation, ADA)
        assert turns.count >= 5


async def test_between_many_that_are_planned_everything_else_has_its_turn(database_url):
    async with asking(database_url) as house:
        texts = [f"{{ a{number}: issues(first: 1) {{ totalCount }} }}" for number in range(20)]
        operations = [house.planner.documents.operation(text) for text in texts]
        asked = [*operations, *operations]
        async with counted_turns() as turns:
            found = await asyncio.gather(*[house.planner.plans.of(each, ADA) for each in asked])
        assert turns.count >= 19
        plans = [plans for plans, _ in found]
        # Who wanted the same has it from who was first.
        assert [id(each) for each in plans[:20]] == [id(each) for each in plans[20:]]


async def test_what_is_kept_of_plans_is_weighed_by_what_it_takes(database_url):
    async with asking(database_url) as house:
        await house.ask(WITH, w=many(1))
        for where in (many(30), many(200), {"or": [NAMED] * 50}, {"state": {"eq": "ACTIVE"}}):
            weighed = house.planner.plans.kept.weight
            tracemalloc.start()
            await house.ask(WITH, w=where)
            gc.collect()
            taken = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            weighed = house.planner.plans.kept.weight - weighed
            # The weight has a part for what SQLite and drivers keep, which is not traced.
            assert taken / 2 < weighed < 8 * taken + 50_000, where
        assert house.planner.plans.kept.weight < MAX_BYTES_KEPT / 10
