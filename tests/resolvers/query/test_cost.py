"""What an operation may cost at most: an object 1, a leaf 0, a list as many times as it may be long, before it runs."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_composite_type, is_list_type

import schema
from resolvers.errors import RequestError
from resolvers.query import DocumentLimits
from resolvers.query.document import Documents
from schema.cost import MUTATION_WEIGHTS, SIZES, WEIGHTS
from schema.problems import errors_of
from tests.bench.questions import DOCUMENTS, SERIES
from web.settings import LEAST_QUERY_COST, Settings

SCHEMA = schema.schema._schema
DOCS = Path(__file__).parent.parent.parent.parent
FRAGMENTS = """query ($deep: Boolean = true) { issues(first: 10) { nodes { ...A ...B ... on Issue { scope { id } } } } }
  fragment A on Issue { scope { resourceName } related(first: 2) @include(if: $deep) { nodes { id } } }
  fragment B on Node { id ... on Issue { scope { resourceType } } }"""
NODE = """{ node(id: 1) { id ... on Scope { stats { total } }
  ... on Issue { scope { id } related(first: 3) { nodes { id } } } } }"""
GRAPH = "{ issueGraph(ids: [1, 2], maxNodes: 9) { roots { id } nodes { issue { id } } edges { sourceId } } }"
NESTED = "query ($n: Int) { issues(first: 2) { nodes { related(first: $n) { nodes { id } } } } }"
IDS = "mutation ($input: ResolveIssuesInput!) { resolveIssues(input: $input) { issues { id } } }"
EVENTS = "subscription { issueEvents(maxBatch: 1000) { events { event { title } } } }"


@pytest.fixture
def documents():
    return Documents(SCHEMA, DocumentLimits(cost=10**12))


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ __typename position }", {}, 1),
        ("{ __schema { types { name } } }", {}, 100),
        ("{ issue(id: 1) { id title } }", {}, 1),
        ("{ issue(id: 1) { scope { id } links { url } } }", {}, 1 + 1 + 5),
        ("{ issues { nodes { id } } }", {}, 1 + 50),
        ("{ issues(first: null) { nodes { id } } }", {}, 1 + 50),
        ("{ issues(first: 7) { nodes { id } } }", {}, 1 + 7),
        ("{ issues(last: 7) { edges { node { id } } } }", {}, 1 + 7 * 2),
        ("{ issues(first: 7) { totalCount pageInfo { endCursor } } }", {}, 1 + 5 + 1),
        ("{ issues(first: -7) { nodes { id } } }", {}, 1),
        (
            "{ issues(first: 7) { nodes { related(first: 3) { nodes { scope { id } } } } } }",
            {},
            1 + 7 * (1 + 1 + 3 * 2),
        ),
        ("{ a: issues(first: 7) { nodes { id } } b: issues(first: 7) { nodes { id } } }", {}, 2 * (1 + 7)),
        ("{ issues(first: 7) { nodes { id } } issues(first: 7) { nodes { title } } }", {}, 1 + 7),
        ("query ($n: Int) { issues(first: $n) { nodes { id } } }", {}, 1 + 50),
        ("query ($n: Int) { issues(first: $n) { nodes { id } } }", {"n": None}, 1 + 50),
        ("query ($n: Int) { issues(first: $n) { nodes { id } } }", {"n": 9}, 1 + 9),
        ("query ($n: Int) { issues(first: $n) { nodes { id } } }", {"n": -9}, 1),
        ("query ($n: Int = 4) { issues(first: $n) { nodes { id } } }", {}, 1 + 4),
        ("query ($f: Int, $l: Int) { issues(first: $f, last: $l) { nodes { id } } }", {"f": 3, "l": 8}, 1 + 8),
        (NESTED, {"n": 9}, 1 + 2 * (1 + 1 + 9)),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["1", "2", "3"]}, 3),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": "1"}, 1),
        ("{ nodes(ids: [1, 2]) { id } }", {}, 2),
        (NODE, {}, max(1 + 1 + 1 + 3, 1 + 1 + 5)),
        (GRAPH, {}, 1 + 2 + 9 * 2 + 9),
        ("{ issueStats { total byState { count } byNamespace(first: 3) { count } } }", {}, 1 + 5 + 7 + 8),
        (FRAGMENTS, {}, 1 + 10 * (1 + 1 + 1 + 2)),
        (FRAGMENTS, {"deep": False}, 1 + 10 * (1 + 1)),
        ("{ issues @skip(if: true) { nodes { id } } position @include(if: false) }", {}, 1),
        ('mutation { deleteIssue(input: {id: "1"}) { userErrors { code } } }', {}, 10 + 1 + 1),
        (IDS, {"input": {"ids": ["1", "2"]}}, 10 + 1 + 2),
        ('mutation { rotateToken(input: {id: "1"}) { secret } }', {}, 2_000 + 1),
        ('mutation { resolveIssues(input: {ids: ["1", "2"]}) { issues { id } } }', {}, 10 + 1 + 2),
        (EVENTS, {}, 1 + 10 * 2),
    ],
)
def test_the_cost_of_an_operation(documents, text, variables, cost):
    assert documents.operation(text, None, variables).cost == cost
    # From the cache too, and with other variables between.
    assert documents.operation(text, None, variables).cost == cost


@pytest.mark.parametrize("name", MUTATION_WEIGHTS)
def test_however_little_an_operation_may_cost_a_mutation_may_be_run_with_all_that_it_answers(name):
    documents = Documents(SCHEMA, DocumentLimits(cost=LEAST_QUERY_COST))
    type_ = name[0].upper() + name[1:]
    text = f"""mutation ($input: {type_}Input!) {{ {name}(input: $input) {{
      secret position userErrors {{ code }} token {{ id grants {{ permission }} createdBy {{ id }} }} }} }}"""
    grants = [{"permission": "READ", "namespace": "a"}] * 200
    given = {"name": "ci", "grants": grants} if name == "createToken" else {"id": "1"}
    assert documents.operation(text, None, {"input": given}).cost > max(MUTATION_WEIGHTS.values())


def test_what_costs_too_much_is_refused_with_the_numbers():
    documents = Documents(SCHEMA, DocumentLimits(cost=100))
    text = "query ($n: Int!) { issues(first: $n) { nodes { scope { id } } } }"
    assert documents.operation(text, None, {"n": 49}).cost == 99
    with pytest.raises(RequestError) as refused:
        documents.operation(text, None, {"n": 50})
    (error,) = errors_of(refused.value)
    assert error["extensions"] == {"code": "QUERY_TOO_EXPENSIVE", "cost": 101, "maximum": 100}
    assert "101" in error["message"]


def fields():
    """(parent, name, field) of all fields of objects."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                yield type_, name, field


def test_every_list_has_a_size():
    """Its own, or one that a field above gives: each that leads to its object."""
    for parent, name, field in fields():
        if not (is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))):
            continue
        above = [f"{type_.name}.{each}" for type_, each, one in fields() if get_named_type(one.type) is parent]
        is_known = f"{parent.name}.{name}" in SIZES or name == "userErrors"
        assert is_known or (above and all(any(name in size.of for size in SIZES.get(path, ())) for path in above)), (
            parent,
            name,
        )


def test_the_table_names_fields_and_arguments_that_there_are():
    known = {f"{parent.name}.{name}": field for parent, name, field in fields()}
    assert {*SIZES, *WEIGHTS} <= known.keys()
    for path, sizes in SIZES.items():
        inside = getattr(get_named_type(known[path].type), "fields", {})
        for size in sizes:
            assert {argument.partition(".")[0] for argument in size.arguments} <= known[path].args.keys()
            assert set(size.of) <= inside.keys()


def test_all_that_is_shown_costs_a_fifth_of_the_default_at_most(documents):
    found = []
    for file in [DOCS / "README.md", *(DOCS / "docs").glob("*.md")]:
        found += re.findall(r"```graphql\n(.*?)```", file.read_text(), re.DOTALL)
    found += (DOCS / "web" / "graphiql" / "examples.graphql").read_text().split("\n---\n")
    found += DOCUMENTS.values()
    variables = {"id": "1", "ids": ["1"], "namespace": "a", "severity": "MAJOR", "first": 20, **SERIES}
    for text in found:
        assert documents.operation(text, None, variables).cost <= Settings().max_query_cost / 5, text
    assert len(found) > 15
