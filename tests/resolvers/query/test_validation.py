"""The rules of the specification say here what they say to graphql-core."""

import re

import pytest
from graphql import BREAK, SKIP, ASTValidationRule, GraphQLError, parse, specified_rules, validate

import schema
from resolvers.query import validation

# At least one for every rule that can be broken by a document that is parsed, and two errors where they interact.
INVALID = [
    "type T { a: Int }",
    "query A { position } query A { position }",
    "query A { position } { position }",
    "subscription { issueEvents { position } other: issueEvents { position } }",
    "query ($a: Nothing) { position ... on Nowhere { id } }",
    "{ position { deeper } issue(id: 1) }",
    "query ($a: Issue) { position }",
    "{ issue(id: 1) { nothing scop } }",
    "{ position } fragment A on Issue { id } fragment A on Issue { id }",
    "{ issue(id: 1) { ...Missing } }",
    "{ position } fragment Unused on Issue { id }",
    "{ issue(id: 1) { ... on Scope { id } } }",
    "{ issue(id: 1) { ...A } } fragment A on Issue { id ...B } fragment B on Issue { title ...A }",
    "{ issue(id: 1) { ...A } } fragment A on Issue { id ...A }",
    "query ($a: ID!, $a: ID!) { issue(id: $a) { id } }",
    "{ issue(id: $missing) { id } }",
    "query ($unused: ID!) { position }",
    "{ position @unknown }",
    "{ position @skip(if: true) @skip(if: false) }",
    "query @skip(if: true) { position }",
    "{ issue(id: 1, other: 2) { id } }",
    "{ issue(id: 1, id: 2) { id } }",
    '{ issues(first: "many", where: {severity: {eq: AWFUL}}) { totalCount } }',
    "{ issue { id } }",
    "{ position @skip }",
    "query ($a: Int) { issue(id: $a) { id } }",
    "{ issue(id: 1) { id: title id } }",
    "{ issues(where: {title: {eq: \"a\", eq: \"b\"}}) { totalCount } }",
    "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    "fragment F on Int { a }",
    "{ ...F } fragment F on Query { position ...F nothing }",
]  # fmt: skip


@pytest.mark.parametrize("text", INVALID)
def test_errors_are_those_of_graphql_core(text):
    document = parse(text)
    known = schema.schema._schema
    expected = validate(known, document, specified_rules, hide_suggestions=True)
    for error in expected:
        error.message = re.sub(" Did you mean '.*'[?]$", "", error.message)
    assert expected
    assert validation.errors_in(known, document) == expected


def test_every_rule_that_can_be_broken_is_broken():
    known = schema.schema._schema
    documents = [parse(text) for text in INVALID]
    silent = {rule.__name__ for rule in specified_rules if not any(validate(known, each, [rule]) for each in documents)}
    # The schema has all three roots, and neither @defer nor @stream.
    assert silent <= {
        "KnownOperationTypesRule",
        "DeferStreamDirectiveOnRootField",
        "DeferStreamDirectiveOnValidOperationsRule",
        "DeferStreamDirectiveLabel",
        "StreamDirectiveOnListField",
    }


class _Counts(ASTValidationRule):
    """Tells of each field that it enters and leaves, until one says what it is to do."""

    def enter_field(self, node, *_):
        self.report_error(GraphQLError(f"enter {node.name.value}"))
        return {"related": SKIP, "links": False, "scope": BREAK, "labels": True}.get(node.name.value)

    def leave_field(self, node, *_):
        self.report_error(GraphQLError(f"leave {node.name.value}"))
        return {"title": BREAK}.get(node.name.value)


class _General(ASTValidationRule):
    """Of all kinds of nodes."""

    def enter(self, node, *_):
        self.report_error(GraphQLError(f"enter {node.kind}"))

    def leave(self, node, *_):
        self.report_error(GraphQLError(f"leave {node.kind}"))


@pytest.mark.parametrize(
    "fields",
    [
        "id related { nodes { id } } links { url } namespace",
        "links { url } scope { id } namespace",
        "id labels { name } id",
        "id title namespace",
    ],
)
def test_rules_rest_and_stop_as_they_say(monkeypatch, fields):
    monkeypatch.setattr(validation, "_RULES", (_Counts, _General, _Counts))
    validation._methods.cache_clear()
    document = parse(f"{{ issue(id: 1) {{ {fields} }} }}")
    try:
        found = validation.errors_in(schema.schema._schema, document)
    finally:
        validation._methods.cache_clear()
    expected = validate(schema.schema._schema, document, (_Counts, _General, _Counts))
    assert [error.message for error in found] == [error.message for error in expected]
