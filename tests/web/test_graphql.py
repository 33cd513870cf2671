"""GraphQL over HTTP: methods, media types, statuses and what a request that is none is told."""

import json
import re

import pytest

from tests.web.client import living, without_cost
from web.app import create_app
from web.settings import Settings

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
STREAM = "text/event-stream"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

QUERY = "{ __typename }"
MUTATION = 'mutation { deleteIssue(input: {id: "0"}) { userErrors { code } } }'
SUBSCRIPTION = "subscription { issueEvents { caughtUp } }"


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


async def ask(client, query, *, accept=None, **members):
    return await client.post("/graphql", {"query": query, **members}, headers={"accept": accept})


def only_error(answer):
    assert answer.json.keys() == {"errors"}
    (error,) = answer.json["errors"]
    return error


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("application/json; charset=utf-8", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.5", JSON),
        (f"{GRAPHQL};q=0, {JSON}", JSON),
        ("application/json, multipart/mixed", JSON),
        (f"{GRAPHQL}, {JSON}, {STREAM}, multipart/mixed", GRAPHQL),
        (f"*/*, {STREAM};q=0.1", JSON),
        (STREAM, STREAM),
    ],
)
async def test_the_answer_comes_as_the_client_takes_it(client, accept, kind):
    for answer in (
        await ask(client, QUERY, accept=accept),
        await client.get("/graphql", headers={"accept": accept}, query=QUERY),
    ):
        assert (answer.status, answer.kind) == (200, kind)
        if kind == STREAM:
            (data,) = re.fullmatch(r"event: next\ndata: (.+)\n\nevent: complete\ndata:\n\n", answer.text).groups()
            assert without_cost(json.loads(data)) == {"data": {"__typename": "Query"}}
        else:
            assert without_cost(answer.json) == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["text/plain", "image/*", "application/xml", "application/json;q=0", "text/html"])
async def test_an_answer_that_nobody_takes_is_406(client, accept):
    answer = await ask(client, QUERY, accept=accept)
    assert answer.status == 406
    assert JSON in only_error(answer)["message"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('application/json;charset="UTF-8"', 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/graphql", 415),
        (None, 415),
    ],
)
async def test_a_body_is_json_which_no_foreign_form_can_send(client, kind, status):
    answer = await client.post("/graphql", {"query": QUERY}, headers={"content-type": kind})
    assert answer.status == status
    if status == 415:
        assert "application/json" in only_error(answer)["message"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ('{"query": "\ud800"}', "JSON"),
        ("null", "object"),
        ("3", "object"),
        ('"{ __typename }"', "object"),
        ('[{"query": "{ __typename }"}]', "one operation a request"),
        ("[]", "one operation a request"),
        ("{}", "query"),
        ('{"query": null}', "query"),
        ('{"query": ""}', "query"),
        ('{"query": 3}', "query"),
        ('{"query": ["{ __typename }"]}', "query"),
        ('{"query": "{ __typename }", "operationName": {}}', "operationName"),
        ('{"query": "{ __typename }", "operationName": 3}', "operationName"),
        ('{"query": "{ __typename }", "variables": "{}"}', "variables"),
        ('{"query": "{ __typename }", "variables": []}', "variables"),
        ('{"query": "{ __typename }", "extensions": []}', "extensions"),
        ('{"query": "{ __typename }", "extensions": "x"}', "extensions"),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_request_that_is_none_is_400_and_says_why(client, body, word, accept):
    text = body.encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/json", "accept": accept}
    answer = await client.request("POST", "/graphql", text, headers=headers)
    assert (answer.status, answer.kind) == (400, accept)
    error = only_error(answer)
    assert word in error["message"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"query": "{"}, "BAD_REQUEST"),
        ({"query": "{ nothing }"}, "BAD_REQUEST"),
        ({"query": "{ issues { nodes } }"}, "BAD_REQUEST"),
        ({"query": "fragment F on Issue { id }"}, "BAD_REQUEST"),
        ({"query": "query A { __typename } query B { __typename }"}, "BAD_REQUEST"),
        ({"query": "query A { __typename }", "operationName": "B"}, "BAD_REQUEST"),
        ({"query": "query ($n: Int!) { issues(first: $n) { totalCount } }"}, "BAD_REQUEST"),
        ({"query": "query ($n: Int) { issues(first: $n) { totalCount } }", "variables": {"n": "x"}}, "BAD_REQUEST"),
        ({"query": f"{{ {' '.join(f'a{n}: __typename' for n in range(101))} }}"}, "TOO_COMPLEX"),
    ],
)
async def test_a_wrong_operation_is_400_only_in_the_media_type_that_can_say_so(client, members, code):
    for accept, status in ((GRAPHQL, 400), (JSON, 200), (None, 200)):
        answer = await client.post("/graphql", members, headers={"accept": accept})
        assert answer.status == status
        assert answer.json.keys() == {"errors"}
        assert code in [error["extensions"]["code"] for error in answer.json["errors"]]


async def test_operation_name_and_variables_are_used(client):
    query = "query A { a: __typename } query B($yes: Boolean!) { b: __typename @include(if: $yes) c: __typename }"
    answer = await ask(client, query, operationName="B", variables={"yes": False}, extensions={"any": 1})
    assert without_cost(answer.json) == {"data": {"c": "Query"}}
    answer = await ask(client, QUERY, operationName="", variables=None)
    assert without_cost(answer.json) == {"data": {"__typename": "Query"}}


async def test_get_asks_by_the_url(client):
    query = "query A { a: __typename } query B($yes: Boolean!) { b: __typename @include(if: $yes) c: __typename }"
    answer = await client.get("/graphql", query=query, operationName="B", variables=json.dumps({"yes": True}))
    assert without_cost(answer.json) == {"data": {"b": "Query", "c": "Query"}}
    answer = await client.get("/graphql", query=QUERY, operationName="", variables="", extensions="")
    assert without_cost(answer.json) == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"query": ""},
        {"query": QUERY, "variables": "{"},
        {"query": QUERY, "variables": "[]"},
        {"query": QUERY, "variables": '"{}"'},
        {"query": QUERY, "extensions": "3"},
    ],
)
async def test_a_url_that_asks_for_nothing_is_400(client, values):
    answer = await client.get("/graphql", headers={"accept": JSON}, **values)
    assert answer.status == 400
    assert only_error(answer)["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, STREAM])
async def test_get_changes_nothing(client, accept):
    answer = await client.get("/graphql", headers={"accept": accept}, query=MUTATION)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert "POST" in only_error(answer)["message"]
    answer = await ask(client, MUTATION)
    assert without_cost(answer.json) == {"data": {"deleteIssue": {"userErrors": [{"code": "NOT_FOUND"}]}}}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
async def test_another_method_is_405_and_told_which_there_are(client, method):
    answer = await client.request(method, "/graphql", b'{"query": "{ __typename }"}')
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert only_error(answer)["extensions"] == {"code": "BAD_REQUEST"}


async def test_of_several_operations_none_is_run_unless_it_is_named(client):
    query = "query A { a: __typename } query B { b: __typename }"
    for name in (None, "", "C"):
        for accept, status in ((GRAPHQL, 400), (JSON, 200)):
            answer = await ask(client, query, accept=accept, operationName=name)
            assert answer.status == status
            assert only_error(answer)["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_subscription_needs_a_connection_that_stays(client):
    for accept, status in ((JSON, 200), (GRAPHQL, 400)):
        answer = await ask(client, SUBSCRIPTION, accept=accept)
        assert answer.status == status
        assert "Server-Sent Events" in only_error(answer)["message"]


async def test_a_browser_gets_the_page_and_a_program_an_answer(client):
    assert (await client.get("/graphql", headers={"accept": BROWSER})).kind == "text/html"
    assert (await client.get("/graphql", headers={"accept": "*/*"})).status == 400
    assert (await client.get("/graphql", headers={"accept": JSON})).status == 400


async def test_field_errors_stand_beside_the_data(client):
    answer = await ask(client, "{ a: issues(first: -1) { totalCount } b: issues { totalCount } }", accept=GRAPHQL)
    assert (answer.status, answer.kind) == (200, GRAPHQL)
    assert answer.json["data"] == {"a": None, "b": {"totalCount": 0}}
    (error,) = answer.json["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["a"], "BAD_USER_INPUT")


async def test_what_went_wrong_with_us_is_an_id(client, monkeypatch, caplog):
    async def broken(self, operation, caller):
        raise RuntimeError("the password is secret")

    monkeypatch.setattr("schema.executor.Executor.execute", broken)
    for accept in (JSON, GRAPHQL, STREAM):
        answer = await ask(client, QUERY, accept=accept)
        assert "secret" not in answer.text
        if accept != STREAM:
            assert answer.status == 500
            assert answer.json["errors"][0]["extensions"]["code"] == "INTERNAL"
            assert answer.json["errors"][0]["message"].split()[-1] in caplog.text


@pytest.mark.parametrize("name", ["myquery", "xdocumentId", "query.", "a%20query", "variables"])
async def test_a_link_that_only_looks_as_if_it_asked_is_the_page(client, name):
    assert (await client.get("/graphql", headers={"accept": BROWSER}, **{name: "{query=1}"})).kind == "text/html"


@pytest.mark.parametrize("first", [{}, {"other": "1"}])
async def test_a_link_that_asks_is_answered_wherever_the_question_stands(client, first):
    answer = await client.get("/graphql", headers={"accept": BROWSER}, **first, query="{ __typename }")
    assert without_cost(answer.json)["data"] == {"__typename": "Query"}
