"""An answer has a largest size, whatever it is made of, and all of them together; who asks for more is told so."""

import asyncio
import json
from contextlib import ExitStack, asynccontextmanager

import pytest

from resolvers.errors import Overloaded, TooLarge
from resolvers.query import Answers
from tests.web.client import Client, living
from web.app import create_app
from web.settings import Settings, SettingsError, load

MOST = 200_000
DESCRIPTION = "é" * 5_000 + "\n" * 5_000  # 20,000 bytes of JSON
GRAPHQL_JSON = {"accept": "application/graphql-response+json"}
TOO_LARGE = f"the answer would have more than {MOST} bytes: ask for fewer, or for less of each"


def issue(number):
    scope = {"resourceType": "component", "resourceName": f"r{number}", "resourceNamespace": "team"}
    return {
        "title": f"t{number}",
        "description": DESCRIPTION,
        "severity": "major",
        "issueType": "build",
        "namespace": "team",
        "scope": scope,
    }


@asynccontextmanager
async def serving(database_url, issues, **settings):
    """A client, and the ids of issues with long descriptions; the first is related to all others."""
    settings = {"max_answer_bytes": MOST, "max_answers_bytes": 2 * MOST, **settings}
    async with living(create_app(Settings(dev=True, database_url=database_url, **settings))) as client:
        ids = [(await client.post("/api/v1/issues", issue(number))).json["id"] for number in range(issues)]
        for other in ids[1:]:
            assert (await client.post(f"/api/v1/issues/{ids[0]}/related", {"relatedId": other})).status == 201
        yield client, ids


async def ask(client, text, **headers):
    answer = await client.post("/graphql", {"query": text}, headers={**GRAPHQL_JSON, **headers})
    return answer.status, answer.json


def aliases(count, field="description"):
    return " ".join(f"d{number}: {field}" for number in range(count))


async def test_an_answer_just_short_enough_is_given_whole(database_url):
    async with serving(database_url, 4) as (client, _):
        status, answer = await ask(client, f"{{ issues {{ nodes {{ {aliases(2)} }} }} position }}")
        assert (status, answer["data"]["issues"]["nodes"]) == (200, [{"d0": DESCRIPTION, "d1": DESCRIPTION}] * 4)
        assert answer["data"]["position"]
        listed = (await client.get("/api/v1/issues", limit=2)).json
        assert [each["description"] for each in listed["data"]] == [DESCRIPTION] * 2


async def test_a_report_whose_issue_is_too_large_to_show_is_taken_with_one_line_in_the_log(database_url, caplog):
    failure = {"pipelineName": "build", "failureReason": "x", "namespace": "team"}
    async with serving(database_url, 0, max_answer_bytes=1) as (client, _):
        for path, body in (("/api/v1/issues", issue(1)), ("/api/v1/webhooks/pipeline-failure", failure)):
            caplog.clear()
            assert (await client.post(path, body)).status == 201
            (record,) = [each for each in caplog.records if "cannot be shown" in each.message]
            assert record.levelname == "WARNING"
            assert not record.exc_info


async def test_more_is_refused_whatever_it_is_made_of(database_url):
    async with serving(database_url, 8) as (client, ids):
        first, others = json.dumps(ids[0]), json.dumps(ids)
        named = " ".join(f"{'x' * 950}{number}: id" for number in range(40))
        below = "related(first: 8) { edges { node { description } } }"
        asked = {
            "aliases": f"issue(id: {first}) {{ {aliases(15)} }}",
            "root fields": aliases(15, f"issue(id: {first}) {{ description }}"),
            "root fields and aliases": aliases(4, f"issues(first: 2) {{ nodes {{ {aliases(2)} }} }}"),
            "the same node": f"nodes(ids: {json.dumps([ids[0]] * 15)}) {{ ... on Issue {{ description }} }}",
            "neighbours": f"issues {{ nodes {{ {below} }} }}",
            "a graph": f"issueGraph(ids: {others}) {{ roots {{ description }} nodes {{ issue {{ description }} }} }}",
            "occurrences": f"issues {{ nodes {{ {aliases(2)} occurrences {{ nodes {{ description }} }} }} }}",
            "events": f"issueEvents {{ nodes {{ issue {{ {aliases(3)} }} }} }}",
            "short texts": f"nodes(ids: {json.dumps([ids[0]] * 200)}) {{ ... on Issue {{ {aliases(40, 'url')} }} }}",
            "keys": f"issues {{ nodes {{ {named} }} }}",
        }
        for what, text in asked.items():
            status, answer = await ask(client, f"{{ {text} }}")
            assert "data" not in answer, what
            (error,) = answer["errors"]
            assert (status, error["message"], error["extensions"]) == (400, TOO_LARGE, {"code": "TOO_COMPLEX"}), what
        # Nothing of it stays.
        assert (await ask(client, f"{{ issues(first: 2) {{ nodes {{ {aliases(3)} }} }} }}"))[0] == 200


async def test_a_mutation_is_done_though_its_answer_is_too_large(database_url):
    async with serving(database_url, 1) as (client, ids):
        text = f"mutation {{ resolveIssue(input: {{id: {json.dumps(ids[0])}}}) {{ issue {{ {aliases(15)} }} }} }}"
        status, answer = await ask(client, text)
        assert (status, answer["errors"][0]["message"]) == (400, TOO_LARGE)
        _, answer = await ask(client, f"{{ issue(id: {json.dumps(ids[0])}) {{ state }} }}")
        assert answer["data"] == {"issue": {"state": "RESOLVED"}}


async def test_rest_refuses_what_is_too_large(database_url):
    async with serving(database_url, 12) as (client, ids):
        listed = await client.get("/api/v1/issues")
        assert (listed.status, listed.json) == (400, {"error": TOO_LARGE})
        one = await client.get(f"/api/v1/issues/{ids[0]}")
        assert (one.status, one.json) == (400, {"error": TOO_LARGE})
        assert (await client.get("/api/v1/issues", limit=1)).status == 200
        # What was reported is answered by its id at least.
        again = await client.post("/api/v1/issues", issue(0))
        assert again.status in (200, 201)
        assert again.json["id"] == ids[0]


async def test_those_who_do_not_read_take_nothing_from_others(database_url):
    async with serving(database_url, 4) as (client, _):
        taken = asyncio.Event()

        class Slow(Client):
            def __init__(self, app):
                async def slow(scope, receive, send):
                    async def sending(message):
                        if message.get("body"):
                            await taken.wait()
                        await send(message)

                    await app(scope, receive, sending)

                super().__init__(slow)

        long = f"{{ issues {{ nodes {{ {aliases(2)} }} }} }}"
        slow = Slow(client.app)
        waiting = [asyncio.create_task(ask(slow, long)) for _ in range(4)]
        waiting += [asyncio.create_task(slow.get("/api/v1/issues", limit=2)) for _ in range(4)]
        await asyncio.sleep(0.5)
        assert (await ask(client, long))[0] == 200
        assert (await client.get("/api/v1/issues", limit=2)).status == 200
        taken.set()
        await asyncio.gather(*waiting)


def test_one_caller_holds_half_of_what_all_may_hold():
    answers = Answers(100_000, 1_000_000)
    with ExitStack() as open_ones:
        sizes = [open_ones.enter_context(answers.begin("a")) for _ in range(3)]
        for size in sizes[:2]:
            size.count(90_000)
            size.check(["x" * 90_000])
        assert answers.held == 400_000
        with pytest.raises(Overloaded):
            sizes[2].count(90_000)
        other = open_ones.enter_context(answers.begin("b"))
        other.count(90_000)
        with pytest.raises(TooLarge):
            other.count(20_000)
    assert answers.held == 0


def test_all_answers_have_room_for_one(monkeypatch):
    monkeypatch.setenv("ISSUEGRAPH_MAX_ANSWERS_BYTES", "39000000")
    with pytest.raises(SettingsError, match="ISSUEGRAPH_MAX_ANSWERS_BYTES: must be no less than twice"):
        load()
