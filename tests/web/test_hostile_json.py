"""Bodies that were made to hurt: deep, huge, ambiguous, or no JSON at all. Each is refused, and nothing breaks."""

import json
import logging

import pytest

from tests.web.client import living
from web.app import create_app
from web.settings import Settings

DEEP = ("[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 100_000 + "]" * 100_000)
REPORT = "/api/v1/webhooks/pipeline-failure"
ISSUES = "/api/v1/issues"


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


async def post(client, path, text, **query):
    return await client.request("POST", path, text.encode(), headers={"content-type": "application/json"}, query=query)


def where(depth):
    """A filter so deep, as JSON."""
    return '{"not":' * depth + "{}" + "}" * depth


HOSTILE = [
    *DEEP,
    *(f'{{"query": "{{ __typename }}", "variables": {text}}}' for text in DEEP),
    *(f'{{"query": "{{ __typename }}", "extensions": {{"persistedQuery": {text}}}}}' for text in DEEP),
    *(
        f'{{"query": "query ($w: IssueWhere) {{ issues(where: $w) {{ totalCount }} }}", "variables": {{"w": {text}}}}}'
        for text in (where(30), where(200), where(900), where(5_000))
    ),
    '{"query": "query ($a: Int) { issues(first: $a) { totalCount } }", "variables": {"a": 1e400}}',
    '{"query": "query ($a: Int) { issues(first: $a) { totalCount } }", "variables": {"a": %s}}' % ("9" * 5_000),
    '{"query": "query ($a: Int) { issues(first: $a) { totalCount } }", "variables": {"a": NaN}}',
    '{"query": "query ($a: String) { issues(search: $a) { totalCount } }", "variables": {"a": "\\u0000"}}',
    '{"query": "query ($a: String) { issues(search: $a) { totalCount } }", "variables": {"a": "\\ud800"}}',
    '{"query": 1, "query": []}',
    '{"query": "' + "{a" * 100_000 + '"}',
    '{"query": "' + "#" * 900_000 + '"}',
    '{"query": "{ issues(search: \\"' + "x" * 900_000 + '\\") { totalCount } }"}',
    '{"query": "{ ' + "a " * 400_000 + '}"}',
    '{"query": "{ ' + "...F " * 300 + "} fragment F on Query { " + "...F " * 300 + '}"}',
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_graphql_refuses_it_and_nothing_breaks(client, caplog, text):
    with caplog.at_level(logging.ERROR):
        answer = await post(client, "/graphql", text)
    assert answer.status in (200, 400)
    assert not caplog.records
    errors = answer.json.get("errors")
    if errors is None:
        # What is in no type's way is never looked into.
        assert answer.json["data"] == {"__typename": "Query"}
    else:
        assert {error["extensions"]["code"] for error in errors} <= {
            "BAD_REQUEST",
            "BAD_USER_INPUT",
            "TOO_COMPLEX",
            "QUERY_TOO_EXPENSIVE",
        }
        assert len(answer.text) < 20_000


VALUES = [
    *DEEP,
    "NaN",
    "1e400",
    "9" * 5_000,
    '"\\u0000"',
    '"\\ud800"',
    '"' + "x" * 900_000 + '"',
    "[]",
    "{}",
    '[{"a": NaN}]',
]


@pytest.mark.parametrize("path", [REPORT, ISSUES])
@pytest.mark.parametrize("text", VALUES, ids=range(len(VALUES)))
async def test_rest_refuses_it_and_nothing_breaks(client, caplog, path, text):
    names = ("namespace", "title", "description", "links", "pipelineName", "failureReason", "scope", "labels")
    with caplog.at_level(logging.ERROR):
        for body in (text, *(f'{{"{name}": {text}}}' for name in names)):
            answer = await post(client, path, body, namespace="team")
            assert answer.status == 400, body[:100]
            assert answer.json["error"]
            assert len(answer.text) < 20_000
    assert not caplog.records


async def test_the_last_of_several_members_of_one_name_counts_everywhere(client):
    report = {"namespace": "team", "pipelineName": "p", "failureReason": "first", "severity": "major"}
    text = json.dumps(report)[:-1] + ', "failureReason": "last"}'
    issue = (await post(client, REPORT, text)).json["issue"]
    assert "last" in issue["description"]
    text = '{"query": "{ nothing }", "query": "{ __typename }"}'
    assert (await post(client, "/graphql", text)).json["data"] == {"__typename": "Query"}
