"""One document, several ways of answering: joined in document order, and failing one by one."""

import logging

import pytest
from graphql import get_introspection_query

from models.values import new_id
from resolvers.errors import BadRequest, RequestError
from resolvers.mutation import ResolveIssue
from resolvers.query import DocumentLimits
from schema.problems import errors_of
from tests.resolvers.mutation.house import caller, made
from tests.resolvers.query.house import asking
from tests.schema.test_mutations import REPORT


@pytest.fixture
async def narrow(sqlite_url):
    """A house with the limits that the server has by default."""
    async with asking(sqlite_url, document_limits=DocumentLimits()) as house:
        yield house


def codes(answer):
    """(path, code) of each error."""
    return [(error.get("path"), error["extensions"]["code"]) for error in answer["errors"]]


async def test_root_fields_of_both_ways_come_in_the_order_of_the_document(house):
    id = await made(house)
    text = """query ($id: ID!) {
        me: viewer { actor { id } }
        end: position
        kind: __typename
        issue(id: $id) { __typename title }
        ...more
        __schema { queryType { name } }
        position
        viewer { grants { namespace } __typename }
    }
    fragment more on Query { __type(name: "Label") { fields { name } } issues { totalCount } kind: __typename }"""
    answer = await house.ask(text, id=id)
    assert list(answer) == ["me", "end", "kind", "issue", "__type", "issues", "__schema", "position", "viewer"]
    assert answer["me"] == {"actor": {"id": "ada"}}
    assert answer["end"] == answer["position"]
    assert answer["kind"] == "Query"
    assert answer["issue"] == {"__typename": "Issue", "title": "Build failed: api"}
    assert answer["__type"] == {"fields": [{"name": "name"}, {"name": "value"}]}
    assert answer["__schema"] == {"queryType": {"name": "Query"}}
    assert answer["viewer"] == {"grants": [{"namespace": "*"}] * 5, "__typename": "Viewer"}


async def test_variables_reach_both_ways_and_unused_ones_do_not_matter(house):
    id = await made(house)
    text = """query Named($id: ID!, $name: String!, $show: Boolean = true, $other: Boolean!) {
        issue(id: $id) { id title @include(if: $other) }
        __type(name: $name) { name }
        viewer @include(if: $show) { actor { name @skip(if: $other) kind } }
    }"""
    answer = await house.ask(text, id=id, name="Issue", other=False)
    assert answer == {
        "issue": {"id": id},
        "__type": {"name": "Issue"},
        "viewer": {"actor": {"name": "Ada", "kind": "PERSON"}},
    }
    assert list(await house.ask(text, id=id, name="Issue", other=True, show=False)) == ["issue", "__type"]


async def test_one_of_several_operations_is_run_by_its_name(house):
    text = "query A { position } query B { viewer { actor { id } } issues { totalCount } } query C { position }"
    operation = house.planner.documents.operation(text, "B")
    answer = await house.executor.execute(operation, caller(team=["READ"]))
    assert answer == {"data": {"viewer": {"actor": {"id": "token"}}, "issues": {"totalCount": 0}}}


async def test_a_root_field_that_fails_leaves_its_neighbours_alone(house):
    id = await made(house)
    answer = await house.answer(
        """query ($id: ID!, $bad: String!) {
            viewer { actor { id } }
            many: issues(first: 1000) { totalCount }
            issue(id: $id) { title }
            bad: issues(after: $bad) { totalCount }
            position
        }""",
        {"id": id, "bad": "x"},
    )
    assert list(answer["data"]) == ["viewer", "many", "issue", "bad", "position"]
    assert answer["data"]["issue"] == {"title": "Build failed: api"}
    assert answer["data"]["viewer"] == {"actor": {"id": "ada"}}
    assert answer["data"]["position"]
    assert answer["data"]["many"] is None
    assert answer["data"]["bad"] is None
    assert sorted(codes(answer)) == [(["bad"], "BAD_USER_INPUT"), (["many"], "BAD_USER_INPUT")]
    assert all(error["locations"] for error in answer["errors"])


async def test_what_is_not_there_is_null_without_an_error(house):
    id = await made(house, namespace="secret")
    text = (
        "query ($id: ID!) { issue(id: $id) { id } node(id: $id) { id } scope(id: $id) { id } nodes(ids: [$id]) { id } }"
    )
    nothing = {"issue": None, "node": None, "scope": None, "nodes": [None]}
    assert await house.ask(text, who=caller(team=["READ"]), id=id) == nothing
    assert await house.ask(text, id=new_id()) == nothing
    assert await house.ask(text, id="no id") == nothing


async def test_a_root_field_that_may_not_be_null_takes_the_whole_answer_with_it(house):
    ids = [new_id()] * 201
    answer = await house.answer(
        "query ($ids: [ID!]!) { position viewer { actor { id } } nodes(ids: $ids) { id } }", {"ids": ids}
    )
    assert answer["data"] is None
    assert codes(answer) == [(["nodes"], "BAD_USER_INPUT")]


async def test_an_internal_error_of_a_plan_says_only_an_id(house, monkeypatch, caplog):
    async def broken(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(house.planner, "execute", broken)
    answer = await house.answer("{ viewer { actor { id } } issues { totalCount } position }")
    assert answer["data"] == {"viewer": {"actor": {"id": "ada"}}, "issues": None, "position": None}
    assert codes(answer) == [(["issues"], "INTERNAL"), (["position"], "INTERNAL")]
    assert "secret" not in str(answer)
    assert answer["errors"][0]["message"] in " ".join(f"Internal error {record.args[0]}" for record in caplog.records)
    assert "the secret of the house" in caplog.text


async def test_an_internal_error_of_a_mutation_says_only_an_id_and_the_next_one_runs(house, monkeypatch, caplog):
    id = await made(house)
    submit = house.writer.submit

    async def broken(command, who):
        if isinstance(command, ResolveIssue):
            raise RuntimeError("the secret of the house")
        return await submit(command, who)

    monkeypatch.setattr(house.writer, "submit", broken)
    answer = await house.answer(
        "mutation ($id: ID!) { resolveIssue(input: {id: $id}) { position }"
        " acknowledgeIssue(input: {id: $id}) { issue { id } } }",
        {"id": id},
    )
    assert answer["data"] == {"resolveIssue": None, "acknowledgeIssue": {"issue": {"id": id}}}
    (error,) = answer["errors"]
    assert error["path"] == ["resolveIssue"]
    assert error["extensions"] == {"code": "INTERNAL"}
    assert error["message"].startswith("Internal error ")
    assert "secret" not in str(answer)
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1, "told once, with the id"
    assert logged[0].args == (error["message"].removeprefix("Internal error "),)


async def test_an_entity_that_cannot_be_read_does_not_undo_what_is_done(house, monkeypatch, caplog):
    async def broken(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(house.planner, "entities", broken)
    answer = await house.answer(
        "mutation ($input: CreateIssueInput!) { createIssue(input: $input) { action issue { id } } }", {"input": REPORT}
    )
    assert answer["data"] == {"createIssue": {"action": "CREATED", "issue": None}}
    assert codes(answer) == [(["createIssue", "issue"], "INTERNAL")]
    assert "secret" not in str(answer)


async def test_what_a_caller_did_wrong_is_not_logged_as_an_error_of_ours(house, caplog):
    id = await made(house)
    text = "mutation ($id: ID!) { deleteIssue(input: {id: $id}) { deletedId } }"
    answer = await house.answer(text, {"id": id}, who=caller(team=["READ"]))
    assert codes(answer) == [(["deleteIssue"], "FORBIDDEN")]
    await house.answer("{ issues(first: 0) { totalCount } }")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_subscription_is_not_answered_once(house):
    with pytest.raises(BadRequest, match="WebSocket or Server-Sent Events"):
        await house.answer("subscription { issueStats { total } }")


@pytest.mark.parametrize(
    ("text", "variables", "words"),
    [
        ("{ issues {", None, "Syntax Error"),
        ("", None, "Syntax Error"),
        ("{ nothing }", None, "Cannot query field 'nothing'"),
        ("{ issues }", None, "must have a selection"),
        ("fragment f on Issue { id }", None, "never used"),
        ("query A { position } query B { position }", None, "name one by operationName"),
        ("query ($id: ID!) { issue(id: $id) { id } }", None, "to be provided"),
        ("query ($id: ID!) { issue(id: $id) { id } }", {"id": None}, "not to be None"),
        ("query ($first: Int) { issues(first: $first) { totalCount } }", {"first": "one"}, "Int cannot represent"),
        (
            "query ($where: IssueWhere) { issues(where: $where) { totalCount } }",
            {"where": {"severity": {"eq": "BAD"}}},
            "BAD",
        ),
        ("query ($where: IssueWhere) { issues(where: $where) { totalCount } }", {"where": {"color": 1}}, "color"),
        ("query ($at: DateTime) { issues(where: {createdAt: {gt: $at}}) { totalCount } }", {"at": "noon"}, "DateTime"),
        ("query ($at: DateTime) { issues(where: {createdAt: {gt: $at}}) { totalCount } }", {"at": 1}, "DateTime"),
        ('{ issues(where: {createdAt: {gt: "noon"}}) { totalCount } }', None, "DateTime"),
        ("mutation { createIssue(input: {title: null}) { action } }", None, "title"),
        ("mutation ($input: CreateIssueInput!) { createIssue(input: $input) { action } }", {"input": {}}, "namespace"),
    ],
)
async def test_a_request_that_is_wrong_runs_nothing_and_says_why(narrow, text, variables, words):
    with pytest.raises(RequestError) as caught:
        await narrow.answer(text, variables)
    errors = errors_of(caught.value)
    assert errors
    assert {error["extensions"]["code"] for error in errors} == {"BAD_REQUEST"}
    assert any(words in error["message"] for error in errors), errors
    assert all(error.keys() <= {"message", "locations", "extensions"} for error in errors)


async def test_the_introspection_of_tools_fits_the_limits_of_a_document(narrow):
    answer = await narrow.ask(get_introspection_query(specified_by_url=True, input_value_deprecation=True))
    names = {type_["name"] for type_ in answer["__schema"]["types"]}
    assert {"Issue", "Mutation", "Subscription", "IssueWhere"} <= names


async def test_a_field_may_stand_there_hundreds_of_times(narrow):
    answer = await narrow.ask("{ issues { nodes { " + "id " * 900 + "} } }")
    assert answer == await narrow.ask("{ issues { nodes { id } } }")


BIG = {
    "tokens": "{ issues { totalCount " + "totalCount " * 6_000 + "} }",
    "operations": " ".join(f"query q{n} {{ position }}" for n in range(51)),
    "depth": "{ issue(id: 1) " + "{ previous " * 20 + "{ id }" + " }" * 20 + " }",
    "very deep": "{ issue(id: 1) " + "{ previous " * 1_500 + "{ id }" + " }" * 1_500 + " }",
    "fields": "{ issues { nodes { ...a } } } fragment a on Issue { "
    + " ".join(f"related {{ nodes {{ ...b{n} }} }}" for n in range(2))
    + " } "
    + " ".join(f"fragment b{n} on Issue {{ {' '.join(['id'] * 1_100)} }}" for n in range(2)),
    "aliases": "{ "
    + " ".join(f"a{n}: __typename" for n in range(40))
    + " issues { "
    + " ".join(f"b{n}: totalCount" for n in range(70))
    + " } }",
    "root fields": "{ " + " ".join(f"a{n}: position" for n in range(60)) + " }",
    "root fields in fragments": "{ ...r ... { viewer { actor { id } } } } fragment r on Query { "
    + " ".join(f"a{n}: position" for n in range(50))
    + " }",
    "fields of one name": "{ issues { nodes { " + "id " * 900 + "id: title } } }",
    "directives": "{ position "
    + "@include(if: true) " * 1
    + " issues { "
    + " ".join("totalCount @include(if: true)" for _ in range(60))
    + " } }",
}


@pytest.mark.parametrize("name", BIG)
async def test_a_document_beyond_the_limits_is_refused(narrow, name):
    with pytest.raises(RequestError) as caught:
        await narrow.answer(BIG[name])
    assert "TOO_COMPLEX" in [error["extensions"]["code"] for error in errors_of(caught.value)]
