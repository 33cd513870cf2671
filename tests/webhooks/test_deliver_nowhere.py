"""A delivery of somebody who may not report where it is for, or anywhere: refused at the door, and nothing is kept."""

import pytest

from tests.resolvers.mutation.house import caller
from tests.webhooks.test_deliver import TOOL, Own, run, serving
from webhooks.definition import load_all

NAMED = TOOL.replace("each:", 'namespace: ${get(item, "team")}\neach:')
BROKEN = TOOL.replace("rules:", "rulez:")
FAILURE = {"title": "x", "status": "failed", "severity": "high", "scope": {"type": "host", "name": "h"}}


def refused(answer):
    return answer.status, answer.json["error"]


@pytest.mark.parametrize("definition", [TOOL, NAMED, BROKEN])
@pytest.mark.parametrize("query", [{}, {"namespace": "team"}])
@pytest.mark.parametrize("permissions", [{"team": ["READ"]}, {"team": ["READ", "MANAGE"]}, {"other": ["REPORT"]}])
async def test_who_may_not_report_there_is_refused(database_url, definition, query, permissions):
    async with serving(database_url, Own(definition=definition)) as server:
        server.caller = caller(**permissions)
        answer = await server.post({"runs": [run(team="team")]}, **query)
        assert (answer.status, server.deliveries.received) == (403, [])
        server.caller = caller(team=["REPORT"])
        assert (await server.post({"runs": [run(team="team")]}, **query)).status == (
            422 if definition == BROKEN else 201
        )


async def test_of_the_plain_shape_too(database_url):
    generic = [each for each in load_all().single if each.name == "generic"]
    async with serving(database_url, shipped=generic) as server:
        server.path = "generic"
        for payload in (FAILURE, {**FAILURE, "namespace": "team"}, {"status": "neither"}):
            for query in ({}, {"namespace": "team"}):
                server.caller = caller(team=["READ"])
                assert (await server.post(payload, **query)).status == 403
                server.caller = caller(elsewhere=["REPORT"], team=["READ"])
                assert (await server.post(payload, namespace="team")).status == 403
        assert server.deliveries.received == []


async def test_what_a_mended_definition_could_place_is_kept_and_fails_and_else_it_is_400(database_url):
    everywhere = caller(**{"*": ["REPORT"]})
    async with serving(database_url, Own(sender=everywhere)) as server:
        server.caller = everywhere
        answer = await server.post({"runs": [run()]})
        assert (refused(answer), server.deliveries.received) == ((400, "Missing namespace"), [])
    async with serving(database_url, Own(sender=everywhere, definition=NAMED)) as server:
        server.caller = everywhere
        answer = await server.post({"runs": [run("a"), run("b")]})
        assert answer.status == 422
        assert [item["message"] for item in answer.json["items"]] == [
            "namespace: there is none; add ?namespace= to the address"
        ] * 2
        ((received, _),) = server.deliveries.received
        assert received.body is not None
