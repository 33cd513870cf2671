"""Fields that plainly merge are not compared with each other; what is in conflict is never taken for plain."""

import random

import pytest
from graphql import OverlappingFieldsCanBeMergedRule, get_introspection_query, parse, validate

import schema
from resolvers.query import merging
from resolvers.query.merging import surely_merge

SCHEMA = schema.schema._schema
NODES = "{{ issues {{ nodes {{ {} }} }} }}"

PLAIN = [
    "{ position }",
    "{ position position }",
    NODES.format("id scope { id } scope { resourceName id }"),
    NODES.format("...a ...b") + "fragment a on Issue { id scope { id } } fragment b on Issue { id scope { id } ...a }",
    NODES.format("related(first: 2) { totalCount } related(first: 2) { nodes { id } }"),
    '{ node(id: "1") { __typename ... on Issue { id title } ... on Scope { id } ... { id } } }',
    "query ($a: Int) { issues(first: $a) { totalCount } issues(first: $a) { position } }",
    "query A { issues { totalCount } } query B { issues(first: 1) { totalCount } }",
    get_introspection_query(),
]
# In conflict, wherever the two meet.
CONFLICTS = [
    "{ a: position a: __typename }",
    NODES.format("a: title a: id"),
    NODES.format("a: title ... { a: id }"),
    NODES.format("a: title ... on Issue { a: id }"),
    NODES.format("a: title ...f") + "fragment f on Issue { a: id }",
    NODES.format("...f ...g") + "fragment f on Issue { a: id } fragment g on Issue { a: title }",
    NODES.format("...f") + "fragment f on Issue { a: id ...g } fragment g on Issue { a: title }",
    NODES.format("scope { a: id } scope { a: resourceName }"),
    NODES.format("...f scope { a: resourceName }") + "fragment f on Issue { scope { a: id } }",
    NODES.format("related(first: 1) { totalCount } related(first: 2) { totalCount }"),
    NODES.format("related { totalCount } related(first: 2) { totalCount }"),
    "query ($a: Int, $b: Int) { issues(first: $a) { totalCount } issues(first: $b) { totalCount } }",
    '{ node(id: "1") { ... on Issue { a: title } ... on Scope { a: createdAt } } }',
    '{ node(id: "1") { ... on Issue { a: scope { b: id } } ... on Relation { a: source { b: title } } } }',
    "{ __schema { a: types { name } a: directives { name } } }",
    "{ position } fragment f on Issue { a: id a: title }",
    "{ position } fragment f on Issue { ...g a: id } fragment g on Issue { a: title ...f }",
    "query A { position } query B { issues { a: totalCount a: position } }",
    "{ position ...f } fragment f on Query { position } fragment f on Query { a: position a: __typename }",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_alike_is_plain(text):
    document = parse(text)
    assert validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule]) == []
    assert surely_merge(SCHEMA, document)


@pytest.mark.parametrize("text", CONFLICTS)
def test_what_is_in_conflict_is_not(text):
    assert not surely_merge(SCHEMA, parse(text))


NAMES = ("id", "title", "a: id", "a: title", "scope { %s }", "a: scope { %s }", "related(first: 1) { nodes { %s } }")
MORE = ("related(first: 2) { nodes { %s } }", "... on Issue { %s }", "... { %s }", "...f", "...g", "...h")


def selection(chance, depth=0):
    found = [chance.choice(NAMES + MORE) for _ in range(chance.randint(1, 3))]
    return " ".join(
        each.replace("%s", "id" if depth > 2 or "scope" in each else selection(chance, depth + 1)) for each in found
    )


def test_documents_of_all_shapes_are_plain_only_where_graphql_core_finds_nothing():
    chance = random.Random(7)
    plain = 0
    for _ in range(1_500):
        fragments = " ".join(f"fragment {name} on Issue {{ {selection(chance)} }}" for name in "fgh")
        text = NODES.format(selection(chance)) + fragments
        document = parse(text)
        if surely_merge(SCHEMA, document):
            plain += 1
            assert validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule]) == [], text
    assert 150 < plain < 1_400


def looks(monkeypatch, text):
    taken = []
    by_key = merging._Look._by_key

    def counting(self, parent, sets):
        before = self._left
        found = by_key(self, parent, sets)
        taken.append(before - self._left)
        return found

    monkeypatch.setattr(merging._Look, "_by_key", counting)
    surely_merge(SCHEMA, parse(text))
    monkeypatch.undo()
    return sum(taken)


@pytest.mark.parametrize(
    "shape",
    [
        lambda n: NODES.format("title " * n),
        lambda n: NODES.format("scope { id } " * n),
        lambda n: (
            NODES.format(" ".join(f"...f{i}" for i in range(n)))
            + " ".join(f"fragment f{i} on Issue {{ scope {{ id }} links {{ url }} }}" for i in range(n))
        ),
    ],
    ids=["fields", "objects", "fragments"],
)
def test_each_selection_is_looked_at_once(monkeypatch, shape):
    few, many = looks(monkeypatch, shape(50)), looks(monkeypatch, shape(400))
    assert many < 9 * few


@pytest.mark.parametrize(
    "text",
    [
        "{ position }" + " ".join(f"fragment f{i} on Issue {{ id ...f{i + 1} }}" for i in reversed(range(500))),
        NODES.format("...f0")
        + " ".join(
            f"fragment f{i} on Issue {{ a: previous {{ ...f{i + 1} ...f{i} }} b: previous {{ ...f{i + 1} }} }}"
            for i in range(200)
        ),
    ],
    ids=["unused", "within each other"],
)
def test_what_would_take_too_long_is_given_up(monkeypatch, text):
    assert looks(monkeypatch, text) < merging.MOST_LOOKS + 5_000
