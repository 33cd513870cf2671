"""What an error says of a mistake never names what else there is: the schema cannot be guessed out of it."""

import pytest

import schema
from resolvers.errors import RequestError
from resolvers.query import DocumentLimits
from resolvers.query.document import Documents

# What clairvoyance sends: names that almost fit, wherever a name may stand.
ALMOST = [
    ("{ issuess { totalCount } }", {}),
    ("{ issues }", {}),
    ("{ issues { nodes } }", {}),
    ("{ issues { nodes { titel } } }", {}),
    ("{ node(id: 1) { title } }", {}),
    ("{ issues(wher: {}) { totalCount } }", {}),
    ("{ issues(where: {titel: {eq: 1}}) { totalCount } }", {}),
    ("{ issues(where: {severity: {eq: MAJO}}) { totalCount } }", {}),
    ('{ issues(where: {severity: {eq: "MAJOR"}}) { totalCount } }', {}),
    ("{ issues { nodes { ... on Isue { id } } } }", {}),
    ("query ($a: IssueWher) { issues(where: $a) { totalCount } }", {}),
    ("{ position @skipp(if: true) }", {}),
    ("{ position @skip(iff: true) }", {}),
    ("mutation { createIsue(input: {}) { action } }", {}),
    ("mutation { createIssue(input: {titel: 1}) { action } }", {}),
    ("subscription { issueEvent { position } }", {}),
    ("query ($a: IssueWhere) { issues(where: $a) { totalCount } }", {"a": {"titel": {}}}),
    ("query ($a: IssueWhere) { issues(where: $a) { totalCount } }", {"a": {"severity": {"eq": "MAJO"}}}),
    ("query ($a: [Severity!]) { issues(where: {severity: {in: $a}}) { totalCount } }", {"a": ["MAJO"]}),
    ("query ($a: Severity) { issues(where: {severity: {eq: $a}}) { totalCount } }", {"a": "MAJO"}),
    ("query ($a: Severity) { issues(where: {severity: {eq: $a}}) { totalCount } }", {"a": 1}),
]


@pytest.mark.parametrize(("text", "variables"), ALMOST)
def test_no_error_suggests_a_name(text, variables):
    documents = Documents(schema.schema._schema, DocumentLimits())
    with pytest.raises(RequestError) as refused:
        documents.operation(text, None, variables)
    assert "Did you mean" not in str(refused.value)


LIST = "query ($a: [Severity!]) { issues(where: {severity: {in: $a}}) { totalCount } }"
INPUT = "mutation ($a: CreateIssueInput!) { createIssue(input: $a) { action } }"


@pytest.mark.parametrize(
    ("text", "value"),
    [(LIST, ["x"] * 10_000), (INPUT, {f"a{number}": 1 for number in range(9_000)}), (INPUT, {"links": [{}] * 9_000})],
    ids=["values", "members", "objects"],
)
def test_a_flood_of_mistakes_is_told_only_so_many_times(text, value):
    documents = Documents(schema.schema._schema, DocumentLimits())
    with pytest.raises(RequestError) as refused:
        documents.operation(text, None, {"a": value})
    assert len(refused.value.errors) == 11
    assert len(str(refused.value)) < 5_000
