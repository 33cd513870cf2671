"""Documents of mutations: order, aliases, fragments, variables, and what goes wrong below a payload."""

from tests.resolvers.mutation.house import made
from tests.schema.test_mutations import REPORT, end, run


async def test_mutations_of_one_document_run_in_its_order(house):
    id = await made(house)
    answer = await house.ask(
        """mutation ($input: CreateIssueInput!, $id: ID!) {
            __typename
            again: createIssue(input: $input) { action position }
            resolve: resolveIssue(input: {id: $id}) { position issue { state } }
            recur: createIssue(input: $input) { action position issue { previous { id } } }
            reopen: reopenIssue(input: {id: $id}) { userErrors { code } }
            delete: deleteIssue(input: {id: $id}) { deletedId position }
        }""",
        input=REPORT,
        id=id,
    )
    assert list(answer) == ["__typename", "again", "resolve", "recur", "reopen", "delete"]
    assert answer["again"]["action"] == "UPDATED"
    assert answer["resolve"]["issue"] == {"state": "RESOLVED"}
    assert (answer["recur"]["action"], answer["recur"]["issue"]) == ("CREATED", {"previous": {"id": id}})
    assert answer["reopen"]["userErrors"] == [{"code": "CONFLICT"}]
    assert answer["delete"]["deletedId"] == id
    positions = [answer[key]["position"] for key in ("again", "resolve", "recur", "delete")]
    assert positions == sorted(set(positions))
    assert positions[-1] == await end(house)


async def test_aliases_fragments_and_directives_work_inside_a_payload(house):
    answer = await house.ask(
        """mutation ($input: CreateIssueInput!, $yes: Boolean!, $no: Boolean!, $few: Int!) {
            ...report
            done: createIssue(input: $input) { title: action @include(if: $no) what: action }
        }
        fragment report on Mutation {
            done: createIssue(input: $input) {
                ...payload
                second: issue { name: title ...place }
                ... on CreateIssuePayload @include(if: $yes) { __typename where: position }
                issue @skip(if: $yes) { title }
            }
        }
        fragment payload on CreateIssuePayload {
            first: issue { id ...place reports: occurrences(first: $few) { nodes { runId } } }
        }
        fragment place on Issue { __typename scope { kind: resourceType ... on Node { id } } }
        """,
        input=REPORT | {"runId": "r"},
        yes=True,
        no=False,
        few=1,
    )
    done = answer["done"]
    place = {"__typename": "Issue", "scope": {"kind": "component", "id": done["first"]["scope"]["id"]}}
    assert done == {
        "first": {"id": done["first"]["id"], "reports": {"nodes": [{"runId": "r"}]}, **place},
        "second": {"name": "Build failed: api", **place},
        "__typename": "CreateIssuePayload",
        "where": await end(house),
        "what": "CREATED",
    }


async def test_the_same_document_with_other_variables_answers_for_those(house):
    text = """mutation ($id: ID!, $kinds: [RelationKind!], $first: Int = 1) { acknowledgeIssue(input: {id: $id}) {
        issue { id related(kinds: $kinds, first: $first) { totalCount nodes { scope { resourceName } } } }
    } }"""
    api, web, db = [await made(house, resource_name=name) for name in ("api", "web", "db")]
    await run(house, "relateIssues", "relation { id }", sourceId=api, targetId=web, kind="RELATED")
    await run(house, "relateIssues", "relation { id }", sourceId=api, targetId=db, kind="CAUSED_BY")

    async def names(**variables):
        related = (await house.ask(text, **variables))["acknowledgeIssue"]["issue"]["related"]
        return related["totalCount"], [node["scope"]["resourceName"] for node in related["nodes"]]

    assert await names(id=api) == (2, ["db"])
    assert await names(id=api, first=5) == (2, ["db", "web"])
    assert await names(id=api, kinds=["RELATED"]) == (1, ["web"])
    assert await names(id=api, kinds=None, first=None) == (2, ["db", "web"])
    assert await names(id=web) == (1, ["api"])


async def test_an_argument_without_an_answer_below_a_payload_is_an_error_after_the_change(house):
    id = await made(house)
    answer = await house.answer(
        """mutation ($id: ID!) { resolveIssue(input: {id: $id}) {
            position good: issue { state } bad: issue { related(first: 1000) { totalCount } }
        } }""",
        {"id": id},
    )
    assert answer["data"]["resolveIssue"] == {
        "position": await end(house),
        "good": {"state": "RESOLVED"},
        "bad": None,
    }
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]) == (["resolveIssue", "bad"], {"code": "BAD_USER_INPUT"})


async def test_a_report_repeated_after_its_issue_was_deleted_answers_without_it(house):
    first = await run(house, "createIssue", "issue { id } action", **REPORT, idempotencyKey="k")
    await run(house, "deleteIssue", "deletedId", id=first["issue"]["id"])
    again = await run(house, "createIssue", "issue { id } action", **REPORT, idempotencyKey="k")
    assert again == first | {"issue": None}
