"""Documents of every shape: the planner answers as graphql-core does over one whole answer, each field for itself."""

import random

import pytest
from graphql import execute_sync, get_named_type, is_leaf_type, parse

import schema
from resolvers.errors import RequestError
from resolvers.mutation import LabelValue, LinkValue, RelateIssues
from resolvers.query import DocumentLimits
from tests.resolvers.mutation.house import ADA, report, success
from tests.resolvers.query.house import asking
from tests.resolvers.query.random_selection import PLAIN, RandomSelection
from tests.resolvers.query.test_everything import ARGUMENTS, selection

DEPTH = 2


async def some_house(house):
    """Two issues of one fingerprint and another that is related; the root fields to ask for, with their arguments."""
    labels, links = (LabelValue("team", "a"), LabelValue("team", "b")), (LinkValue("log", "https://ci/1"),)
    first = await house.do(report(run_id="1", links=links, labels=labels))
    await house.do(success())
    second = await house.do(report(run_id="2", labels=labels))
    other = await house.do(report(resource_name="web", source="ci"))
    pair = {"source_id": second.issue_ids[0], "target_id": other.issue_ids[0]}
    related = await house.do(RelateIssues(**pair, kind="CAUSED_BY", reason="same host"))
    ids = [f'"{id}"' for id in (second.issue_ids[0], other.issue_ids[0], related.relation_id, first.issue_ids[0])]
    return {
        "issue": f"(id: {ids[0]})",
        "issues": "",
        "scopes": "",
        "issueStats": "",
        "issueEvents": "",
        "issueGraph": f"(ids: [{ids[0]}])",
        "node": f"(id: {ids[2]})",
        "nodes": f'(ids: [{", ".join(ids)}, "nothing"])',
        "position": "",
    }


async def whole_nodes(house, name, arguments):
    """`node` or `nodes` with all fields of each, asked for type by type."""
    answers = []
    for type_name in ("Issue", "Relation", "Scope"):
        fields = selection(PLAIN.type_map[type_name], DEPTH)
        text = f"{{ {name}{arguments} {{ __typename ... on {type_name} {{ {fields} }} }} }}"
        answers.append((await house.ask(text))[name])
    if name == "node":
        return merged(answers)
    return [merged(each) for each in zip(*answers, strict=True)]


def merged(answers):
    """One node from what its types had to say."""
    return None if None in answers else {key: value for answer in answers for key, value in answer.items()}


@pytest.mark.parametrize("seed", range(2))
async def test_any_document_is_answered_as_graphql_core_answers_it(database_url, seed):
    limits = DocumentLimits(**dict.fromkeys(DocumentLimits.__dataclass_fields__, 10**9))
    async with asking(database_url, document_limits=limits) as house:
        await check_documents(house, seed)


async def check_documents(house, seed):
    """Documents, each with several values of its variables."""
    dice = random.Random(seed)
    fields = await some_house(house)
    query = schema.schema._schema.query_type
    whole = {}
    for name, arguments in fields.items():
        below = get_named_type(query.fields[name].type)
        if is_leaf_type(below):
            whole |= await house.ask(f"{{ {name} }}")
        elif name in ("node", "nodes"):
            whole[name] = await whole_nodes(house, name, arguments)
        else:
            whole |= await house.ask(f"{{ {name}{arguments} {{ {selection(below, DEPTH)} }} }}")
    for _ in range(25):
        made = RandomSelection(dice, ARGUMENTS)
        parts = []
        for name in dice.sample(list(fields), dice.choice((1, 2, 3))):
            below = get_named_type(PLAIN.query_type.fields[name].type)
            asked = f"{name}{fields[name]}"
            for alias in dice.choice((("",), (f"x_{name}: ",), ("", ""), ("", f"x_{name}: "))):
                parts.append(f"{alias}{asked}" + ("" if is_leaf_type(below) else f" {{ {made.below(below, DEPTH)} }}"))
        values = {"yes": dice.random() < 0.7, "no": dice.random() < 0.3}
        head = "query ($yes: Boolean!, $no: Boolean!) { __typename @include(if: $yes) t: __typename @skip(if: $no)"
        text = f"{head} {' '.join(parts)} }} {' '.join(made.fragments)}"
        node = parse(text)
        for given in (values, {name: not value for name, value in values.items()}, values):
            expected = execute_sync(PLAIN, node, root_value=whole, variable_values=given)
            assert not expected.errors, (expected.errors, text)
            assert await house.ask(text, **given) == expected.data, (text, given)


async def test_rows_of_which_nothing_but_the_type_is_wanted_are_there(house):
    await house.do(report())
    text = """{
        issues { nodes { __typename } edges { __typename } pageInfo { __typename } } scopes { nodes { __typename } }
        issueEvents { edges { node { __typename } } } }"""
    assert await house.ask(text) == {
        "issues": {
            "nodes": [{"__typename": "Issue"}],
            "edges": [{"__typename": "IssueEdge"}],
            "pageInfo": {"__typename": "PageInfo"},
        },
        "scopes": {"nodes": [{"__typename": "Scope"}]},
        "issueEvents": {"edges": [{"node": {"__typename": "IssueEvent"}}]},
    }
    assert await house.ask("{ issues { nodes { __typename } } }") == {"issues": {"nodes": [{"__typename": "Issue"}]}}


async def test_more_issues_in_a_row_than_can_be_joined_are_an_error_of_their_field_alone(house):
    ids = [(await house.do(report(resource_name=name))).issue_ids[0] for name in "ab"]
    related = await house.do(RelateIssues(source_id=ids[0], target_id=ids[1], kind="RELATED"))
    below = "scope { id } " + "previous { scope { id } " * 11 + "id" + " }" * 11
    for ends, failed in (("source", False), ("source target", True)):
        selected = " ".join(f"{end} {{ {below} }}" for end in ends.split())
        text = f'{{ a: position b: node(id: "{related.relation_id}") {{ ... on Relation {{ {selected} }} }} }}'
        answer = await house.answer(text)
        assert answer["data"]["a"]
        assert (answer["data"]["b"] is None) is failed
        assert [error["extensions"]["code"] for error in answer.get("errors", ())] == ["TOO_COMPLEX"] * failed


async def test_introspection_and_the_viewer_stand_beside_planned_fields_in_order(house):
    await house.do(report())
    text = """query ($id: ID!) { last: position viewer { actor { id } } __schema { queryType { name } }
        issues { totalCount } __typename none: issue(id: $id) { id } __type(name: "Issue") { name } }"""
    answer = await house.ask(text, id="x")
    assert list(answer) == ["last", "viewer", "__schema", "issues", "__typename", "none", "__type"]
    del answer["last"]
    assert answer == {
        "viewer": {"actor": {"id": "ada"}},
        "__schema": {"queryType": {"name": "Query"}},
        "issues": {"totalCount": 1},
        "__typename": "Query",
        "none": None,
        "__type": {"name": "Issue"},
    }


async def test_a_field_that_fails_leaves_all_its_neighbours_alone(house):
    await house.do(report())
    text = """query ($n: Int) { a: issues(first: $n) { totalCount } b: issues { totalCount } viewer { actor { id } }
        c: issueStats { byScope(first: $n) { count } } d: scope { id } __typename }"""
    answer = await house.answer(text, {"n": 0})
    assert answer["data"] == {
        "a": None,
        "b": {"totalCount": 1},
        "viewer": {"actor": {"id": "ada"}},
        "c": None,
        "d": None,
        "__typename": "Query",
    }
    assert sorted(error["path"] for error in answer["errors"]) == [["a"], ["c"], ["d"]]
    assert all(error["locations"] for error in answer["errors"])


async def test_a_variable_without_a_value_takes_the_default_of_the_argument(house):
    id = (await house.do(report())).issue_ids[0]
    text = """query ($id: ID!, $first: Int = 1, $direction: RelationDirection! = OUT, $name: Int!) {
        issues(first: $first) { totalCount }
        issue(id: $id) { related(direction: $direction) { totalCount } }
        issueStats { byScope(first: $name) { count } } }"""
    for variables in ({"name": 1}, {"name": 1, "first": None}, {"name": 1, "direction": "BOTH"}):
        answer = await house.ask(text, id=id, **variables)
        assert answer["issues"] == {"totalCount": 1}
        assert answer["issue"] == {"related": {"totalCount": 0}}
        assert answer["issueStats"] == {"byScope": [{"count": 1}]}
    optional = "query ($first: Int! = 1, $depth: Int) { issueStats { byScope(first: $first) { count } } }"
    with pytest.raises(RequestError):
        await house.ask(optional, depth=1)


async def test_operations_of_one_document_are_answered_each_for_itself(house):
    await house.do(report())
    text = "query A { x: issues { totalCount } } query B { x: issueStats { total } }"
    for name, expected in (("A", {"totalCount": 1}), ("B", {"total": 1}), ("A", {"totalCount": 1})):
        operation = house.planner.documents.operation(text, name)
        answer = await house.executor.execute(operation, ADA)
        assert answer == {"data": {"x": expected}}
