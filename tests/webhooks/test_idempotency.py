"""A request that comes again with its key: the first answer, nothing done twice, and another request is told so."""

import asyncio

import pytest

from models.values import new_id
from tests.webhooks.test_kite_house import ISSUE, NO_ACCESS, NO_ISSUE, client
from tests.webhooks.tools import Tool, definition

FAILURE = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}
MISMATCH = {
    "error": "Idempotency key was used for another request",
    "details": "within the last 24 hours this key came with another request, which was done; this one was not",
}
BAD_KEY = {
    "error": "Invalid Idempotency-Key header",
    "details": "it must have 1 to 255 characters, all of them printable ASCII",
}
BAD_KEYS = ["", "k" * 256, "a\tb", "a\0", "caf\u00e9", "\x7f"]
GITHUB = """\
webhooks:
  - path: /hooks/github
    idempotencyKey: ${headers["x-github-delivery"]}
    rules:
      - when: body.ok
        resolve:
          scope: {resourceType: job, resourceName: "${body.job}"}
      - when: body.job == "ping"
        ignore: pong
      - report:
          title: ${body.job}
          description: ${get(body, "why")}
          severity: major
          issueType: build
          scope: {resourceType: job, resourceName: "${body.job}"}
"""


@pytest.fixture
async def kite(database_url):
    async with client(database_url) as kite:
        yield kite


@pytest.fixture
def tool(kite):
    return Tool(kite.house.writer, show_issue=kite.kite.show_issue)


@pytest.fixture
def github(kite, tmp_path):
    return Tool(kite.house.writer, definition(tmp_path, GITHUB, "github.yaml"), kite.kite.show_issue)


def key(text, name=b"Idempotency-Key"):
    return [(name.lower(), text.encode("latin-1"))]


async def counts(kite):
    """The occurrences of each issue, by title."""
    return {issue["title"]: issue["occurrenceCount"] for issue in (await kite.get())[1]["data"]}


async def test_a_delivery_that_comes_again_with_its_key_gets_the_first_answer(kite, tool):
    first = await tool.post("pipeline-failure", FAILURE, headers=key("a"))
    again = await tool.post("pipeline-failure", FAILURE, headers=key("a"))
    assert (first.status, first.json["action"]) == (201, "created")
    assert (again.status, again.json) == (first.status, first.json)
    assert await counts(kite) == {"Pipeline run failed: p": 1}
    resolved = await tool.post("pipeline-success", FAILURE, headers=key("b"))
    assert resolved.json["message"] == "Resolved 1 issue(s) for pipeline p"
    assert (await tool.post("pipeline-success", FAILURE, headers=key("b"))).json == resolved.json
    # What was done is told as it was, the issue is shown as it is.
    again = await tool.post("pipeline-failure", FAILURE, headers=key("a"))
    assert (again.status, again.json["action"], again.json["issue"]["state"]) == (201, "created", "RESOLVED")
    assert (await tool.post("pipeline-failure", FAILURE)).json["action"] == "created"


async def test_another_delivery_with_the_key_is_422_and_not_done(kite, tool):
    await tool.post("pipeline-failure", FAILURE, headers=key("a"))
    other = await tool.post("pipeline-failure", {**FAILURE, "failureReason": "other"}, headers=key("a"))
    assert (other.status, other.json) == (422, MISMATCH)
    await tool.post("pipeline-success", FAILURE, headers=key("b"))
    other = await tool.post("pipeline-success", {**FAILURE, "pipelineName": "q"}, headers=key("b"))
    assert (other.status, other.json) == (422, MISMATCH)
    assert await counts(kite) == {"Pipeline run failed: p": 1}


async def test_two_deliveries_with_one_key_at_once_are_one(kite, tool):
    answers = await asyncio.gather(*(tool.post("pipeline-failure", FAILURE, headers=key("a")) for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert all(answer.json == answers[0].json for answer in answers)
    assert await counts(kite) == {"Pipeline run failed: p": 1}


@pytest.mark.parametrize("bad", BAD_KEYS)
async def test_a_key_that_cannot_be_one_is_400_and_names_the_header(kite, tool, bad):
    one = new_id()
    answers = [await tool.post(path, FAILURE, headers=key(bad)) for path in ("pipeline-failure", "pipeline-success")]
    assert [(answer.status, answer.json) for answer in answers] == [(400, BAD_KEY)] * 2
    kite.http.headers = key(bad)
    for method, path in (
        ("POST", ""),
        ("PUT", f"/{one}"),
        ("DELETE", f"/{one}"),
        ("POST", f"/{one}/resolve"),
        ("POST", f"/{one}/related"),
        ("DELETE", f"/{one}/related/{one}"),
    ):
        assert await kite.request(method, path, json={**ISSUE, "relatedId": one}) == (400, BAD_KEY)
    assert await counts(kite) == {}


async def test_a_key_has_255_printable_characters_at_most(kite, tool):
    longest = "".join(map(chr, range(0x20, 0x7F))).strip() * 3
    for text in ("k", longest[:255]):
        assert (await tool.post("pipeline-failure", FAILURE, headers=key(text))).status == 201


async def test_a_definition_names_a_header_that_is_the_key(kite, github):
    body = {"job": "j", "ok": False}

    async def post(body, *headers):
        return await github.post("/hooks/github", body, "namespace=team", headers=headers)

    (one,), (two,), (three,) = (key(text, b"X-GitHub-Delivery") for text in ("1", "2", "3"))
    (own,) = key("own")
    assert [(await post(body, each)).json["action"] for each in (one, one, two)] == ["created", "created", "updated"]
    assert await counts(kite) == {"j": 2}
    assert (await post({**body, "why": "else"}, one)).json == MISMATCH
    # The header Idempotency-Key comes before it.
    assert (await post(body, one, own)).json["action"] == "updated"
    assert (await post(body, three, own)).json["action"] == "updated"
    assert await counts(kite) == {"j": 3}
    # Without either, each counts.
    for _ in range(2):
        answer = await post(body)
        assert (answer.json["action"], answer.json["notices"]) == (
            "updated",
            ["idempotencyKey was left out: there is no 'x-github-delivery'"],
        )
    assert await counts(kite) == {"j": 5}
    success = [await post({**body, "ok": True}, three) for _ in range(2)]
    assert [answer.json["message"] for answer in success] == ["Resolved 1 issue(s) for job j"] * 2
    assert (await post({"job": "ping", "ok": False})).json == {"info": "pong"}


async def test_a_long_key_of_a_definition_is_cut_and_still_tells_deliveries_apart(kite, github):
    for text, action in (("k" * 300, "created"), ("k" * 300, "created"), ("k" * 301, "updated")):
        headers = key(text, b"X-GitHub-Delivery")
        answer = await github.post("/hooks/github", {"job": "j", "ok": False}, "namespace=team", headers=headers)
        assert answer.json["action"] == action
        assert answer.json["notices"] == [f"idempotencyKey was cut: it had {len(text)} characters, 255 are kept"]
    assert await counts(kite) == {"j": 2}


async def test_every_writing_route_of_kite_answers_a_key_as_the_first_time(kite):
    one, two = await kite.report("one"), await kite.report("two")
    path = f"/{one['id']}"
    related = {"relatedId": two["id"]}
    # Each with another request that differs.
    requests = [
        (("POST", "", ISSUE), ("POST", "", {**ISSUE, "title": "other"})),
        (("POST", f"{path}/related", related), ("POST", f"{path}/related", {"relatedId": new_id()})),
        (("DELETE", f"{path}/related/{two['id']}", None), ("DELETE", f"{path}/related/{new_id()}", None)),
        (("PUT", path, {"title": "edited"}), ("PUT", path, {"title": "other"})),
        (("POST", f"{path}/resolve", None), ("POST", f"/{two['id']}/resolve", None)),
        (("DELETE", path, None), ("DELETE", f"/{two['id']}", None)),
    ]
    statuses = []
    for number, (request, other) in enumerate(requests):
        kite.http.headers = key(str(number))
        answers = [await kite.request(method, where, json=body) for method, where, body in (request, request, other)]
        assert answers[1] == answers[0]
        assert answers[2] == (422, MISMATCH)
        statuses.append(answers[0][0])
        log = await kite.house.planner.end_of_log()
        assert (await kite.request(request[0], request[1], json=request[2]))[0] == answers[0][0]
        assert await kite.house.planner.end_of_log() == log
    assert statuses == [201, 201, 204, 200, 200, 204]
    # Those before it are answered as they were, though their issue is gone.
    for number, status in ((1, 201), (2, 204), (3, 200), (4, 200), (5, 204)):
        method, where, body = requests[number][0]
        kite.http.headers = key(str(number))
        answer = await kite.request(method, where, json=body)
        assert answer[0] == status
        assert status != 200 or answer[1] == {"id": one["id"]}
    # A new key finds nothing.
    kite.http.headers = key("new")
    assert (await kite.request("DELETE", path))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "", {"namespace": "other"}), ("POST", "/resolve", None), ("DELETE", "", None)],
)
async def test_an_issue_that_was_moved_is_answered_as_the_first_time_where_it_was(kite, method, path, body):
    issue = await kite.report()
    path = f"/{issue['id']}{path}"
    kite.http.headers = key("a")
    first = await kite.request(method, path, {"namespace": "team"}, json=body)
    assert first[0] in (200, 204)
    kite.http.headers = []
    if method != "DELETE":
        assert (await kite.put(f"/{issue['id']}", {"namespace": "other"}))[0] == 200
    log = await kite.house.planner.end_of_log()
    kite.http.headers = key("a")
    status, again = await kite.request(method, path, {"namespace": "team"}, json=body)
    assert status == first[0]
    assert again is None or (again["id"], again["namespace"]) == (issue["id"], "other")
    # Elsewhere it is another request; without the key, or with a new one, the issue is not there.
    assert await kite.request(method, path, {"namespace": "other"}, json=body) == (422, MISMATCH)
    for headers in (key("b"), []):
        kite.http.headers = headers
        again = await kite.request(method, path, {"namespace": "team"}, json=body)
        assert again == (NO_ISSUE if method == "DELETE" else NO_ACCESS)
    assert await kite.house.planner.end_of_log() == log


async def test_reading_takes_no_notice_of_a_key(kite):
    issue = await kite.report()
    kite.http.headers = key("k" * 300)
    assert (await kite.get())[0] == 200
    assert await kite.get(f"/{issue['id']}") == (200, issue)
