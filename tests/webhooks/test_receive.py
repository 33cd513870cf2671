"""A delivery's way: namespaces, permissions, statuses, what is cut or dropped, and what goes wrong."""

import json
import logging

import pytest

from resolvers.errors import Overloaded, TimedOut, Unavailable
from resolvers.mutation import LinkValue, Outcome
from tests.resolvers.mutation.house import caller
from tests.webhooks.tools import Recorder, Tool, definition
from webhooks.receive import DEFAULT_LOGS_URL

FAILURE = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}


@pytest.mark.parametrize(
    ("query", "namespace", "expected"),
    [
        ("namespace=team", "team", "team"),
        ("", "team", "team"),
        ("namespace=", "team", "team"),
        ("namespace=team&namespace=other", "team", "team"),
        ("namespace=team", None, "team"),
        ("namespace=team", "", "team"),
        ("namespace=a%20b", "a b", "a b"),
    ],
)
async def test_0_9_the_namespace_comes_from_the_query_or_the_body(query, namespace, expected):
    tool = Tool()
    answer = await tool.post("pipeline-failure", {**FAILURE, "namespace": namespace}, query)
    assert answer.status == 201
    assert tool.command.namespace == expected


@pytest.mark.parametrize("path", ["pipeline-failure", "pipeline-success"])
async def test_0_9_two_namespaces_or_none(path):
    tool = Tool()
    mismatch = await tool.post(path, FAILURE, "namespace=other")
    assert (mismatch.status, mismatch.json) == (400, {"error": "Namespace mismatch"})
    for body in (b"{}", b"", b"{", b'{"namespace": 1}', b"[]", b'{"namespace": ""}'):
        missing = await tool.post(path, body=body)
        assert (missing.status, missing.json) == (400, {"error": "Missing namespace"})
    assert tool.writer.commands == []


@pytest.mark.parametrize("path", ["pipeline-failure", "pipeline-success", "mintmaker-custom"])
async def test_without_report_permission_nothing_is_said_of_the_body(path):
    tool = Tool(caller=caller(team=["READ", "RESPOND"], other=["REPORT"]))
    for payload in (FAILURE, {}):
        answer = await tool.post(path, payload, "namespace=team")
        assert (answer.status, answer.json) == (403, {"error": "Access denied to this namespace"})
    assert (await tool.post("pipeline-failure", {**FAILURE, "namespace": "other"})).status == 201


async def test_0_5_severities_of_both_scales_and_no_others():
    words = {"info": "info", "minor": "minor", "major": "major", "critical": "critical"}
    scale = {"low": "info", "medium": "minor", "high": "major"}
    for given, kept in [*words.items(), *scale.items(), ("", "major"), (None, "major")]:
        tool = Tool()
        answer = await tool.post("pipeline-failure", {**FAILURE, "severity": given})
        assert (answer.status, tool.command.severity) == (201, kept)
    for word in ("urgent", "MAJOR", " ", "major "):
        tool = Tool()
        answer = await tool.post("pipeline-failure", {**FAILURE, "severity": word})
        assert answer.status == 400
        assert answer.json == {"error": "Validation failed", "details": "invalid severity value"}
        assert tool.writer.commands == []


@pytest.mark.parametrize("action", ["CREATED", "UPDATED", "REOPENED", "UNCHANGED"])
async def test_0_14_the_answer_tells_what_was_done_and_shows_the_issue(action):
    tool = Tool(Recorder(Outcome(position=1, issue_ids=("an-id",), action=action)))
    answer = await tool.post("pipeline-failure", FAILURE)
    assert answer.json == {
        "status": "success",
        "action": action.lower(),
        "issue": {"id": "an-id", "for": "tekton"},
    }


async def test_0_12_another_method_is_refused_with_allow():
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = await Tool().post("pipeline-failure", method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_a_body_may_come_in_pieces_and_a_sender_may_go_away():
    tool = Tool()
    assert (await tool.post("pipeline-failure", FAILURE, chunk=7)).status == 201
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "query_string": b"", "headers": [], "caller": tool.caller}
    await tool.receiver.routes["/api/v1/webhooks/pipeline-failure"](scope, receive, send)
    assert sent == []


@pytest.mark.parametrize("problem", [Overloaded("too much"), Unavailable("no database")])
async def test_what_passes_is_503(problem):
    for path in ("pipeline-failure", "pipeline-success"):
        answer = await Tool(Recorder(problem)).post(path, FAILURE)
        assert (answer.status, answer.json) == (503, {"error": problem.message})
        assert answer.headers["retry-after"] == "2"


async def test_the_writer_is_told_how_long_the_body_is():
    tool = Tool()
    for path in ("pipeline-failure", "pipeline-success"):
        await tool.post(path, body=json.dumps({**FAILURE, "unknown": "x" * 1_000}).encode())
    length = len(json.dumps({**FAILURE, "unknown": "x" * 1_000}))
    assert tool.writer.body_bytes == [length, length]


async def test_our_own_mistake_is_500_and_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        answer = await Tool(Recorder(RuntimeError("secret"))).post("pipeline-failure", FAILURE)
    assert (answer.status, answer.json) == (500, {"error": "Failed to process webhook"})
    assert "retry-after" not in answer.headers
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "is_ours"), [(RuntimeError("gone"), True), (Unavailable("gone"), False), (TimedOut("gone"), False)]
)
async def test_an_issue_that_cannot_be_shown_was_reported_all_the_same(caplog, error, is_ours):
    async def show_issue(id, caller, left):
        raise error

    answer = await Tool(show_issue=show_issue).post("pipeline-failure", FAILURE)
    assert (answer.status, answer.json["issue"]) == (201, {"id": "an-id"})
    assert "gone" in caplog.text
    assert ("Traceback" in caplog.text) is is_ours


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://logs/1", "its address is no http or https URL"),
        ("javascript:alert(1)", "its address is no http or https URL"),
        ("http://", "its address is no http or https URL"),
        ("https://x/" + "y" * 3_000, "its address has more than 2,048 characters"),
    ],
)
async def test_a_link_that_is_none_is_dropped_and_the_answer_says_so(url, reason):
    tool = Tool()
    answer = await tool.post("pipeline-failure", {**FAILURE, "logsUrl": url})
    assert answer.status == 201
    assert answer.json["notices"] == [f"link 'Pipeline Run Logs' was dropped: {reason}"]
    assert tool.command.links is None


async def test_what_is_too_long_is_cut_with_a_mark():
    tool = Tool()
    long = {"pipelineName": "p" * 600, "failureReason": "r" * 70_000, "runId": "i" * 1_001, "namespace": "team"}
    answer = await tool.post("pipeline-failure", long)
    assert answer.status == 201
    assert answer.json["notices"] == [
        "scope.resourceName was cut: it had 600 characters, 253 are kept",
        "title was cut: it had 621 characters, 500 are kept",
        "description was cut: it had 70,638 characters, 65,536 are kept",
        "runId was cut: it had 1,001 characters, 1,000 are kept",
    ]
    command = tool.command
    assert command.title.endswith("p… (cut)")
    assert command.description.endswith("r… (cut)")
    assert (len(command.title), len(command.description), len(command.run_id)) == (500, 65_536, 1_000)

    await tool.post("pipeline-failure", {**long, "pipelineName": "p" * 601, "runId": "i" * 1_002})
    other = tool.writer.commands[1]
    assert other.run_id != command.run_id
    assert other.resource_name != command.resource_name
    await tool.post("pipeline-success", long)
    assert tool.writer.commands[2].resource_name == command.resource_name


async def test_nul_is_replaced():
    tool = Tool()
    answer = await tool.post("pipeline-failure", {**FAILURE, "failureReason": "a\0b"})
    assert answer.json["notices"] == ["description had NUL characters, which were replaced"]
    assert tool.command.description.endswith("a\ufffdb")


async def test_a_namespace_that_cannot_be_is_refused():
    answer = await Tool().post("pipeline-failure", {**FAILURE, "namespace": "n" * 254})
    assert (answer.status, answer.json["error"]) == (400, "Validation failed")
    assert "namespace may have 253 characters at most" in answer.json["details"]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"logsUrl": "https://logs/1", "runId": "r1"}, "https://logs/1"),
        ({"runId": "r1"}, DEFAULT_LOGS_URL + "r1"),
        ({"logsUrl": "", "runId": "r1"}, DEFAULT_LOGS_URL + "r1"),
        ({}, "https://konflux.dev/logs/pipelineruns/"),
        ({"runId": "run 1?#"}, DEFAULT_LOGS_URL + "run%201%3F%23"),
    ],
)
async def test_the_log_link_of_a_pipeline(given, url):
    tool = Tool()
    await tool.post("pipeline-failure", {**FAILURE, **given})
    assert tool.command.links == (LinkValue("Pipeline Run Logs", url),)


async def test_where_logs_are_is_a_setting():
    tool = Tool(logs_url="https://tekton.example/runs/")
    await tool.post("pipeline-failure", {**FAILURE, "runId": "r1"})
    assert tool.command.links == (LinkValue("Pipeline Run Logs", "https://tekton.example/runs/r1"),)


OPEN = """\
webhooks:
  - path: /hooks/open
    rules:
      - when: headers["x-event"] == "ping"
        ignore: ${query.who} ${path}
      - when: body.outcome == "failed"
        report:
          title: "${body.job}"
          description: "${get(body, 'why')}"
          severity: ${body.level}
          issueType: pipelinerun
          scope:
            resourceType: job
            resourceName: ${body.job}
            resourceNamespace: ${get(body, "cluster")}
          detectedAt: ${body.at}
          labels:
            - name: branch
              value: ${body.branch}
          fingerprint:
            why: ${get(body, "why")}
      - when: body.outcome == "passed"
        resolve:
          scope: {resourceType: job, resourceName: "${body.job}"}
          at: ${body.at}
          reason: "${body.why}"
"""


@pytest.fixture
def tool(tmp_path):
    return Tool(definitions=definition(tmp_path, OPEN))


async def test_without_fields_the_rules_see_the_body_as_it_came(tool):
    body = {"outcome": "failed", "job": "j", "level": "high", "cluster": "c1", "why": "because", "branch": ["a", "b"]}
    answer = await tool.post("/hooks/open", {**body, "at": "2026-01-01T01:00:00+01:00"}, "namespace=team")
    assert answer.status == 200
    assert "rule 1 was passed over: there is no 'x-event'" in answer.json["notices"]
    command = tool.command
    assert (command.resource_namespace, command.severity, command.issue_type) == ("c1", "major", "pipeline")
    assert (command.detected_at, command.source) == ("2026-01-01T00:00:00.000000Z", "tool")
    assert [label.value for label in command.labels] == ["a", "b"]
    assert [(part.name, part.value) for part in command.fingerprint] == [("why", "because")]


async def test_what_may_be_missing_is_left_out_and_what_may_not_is_told(tool):
    body = {"outcome": "failed", "job": "j", "level": "low"}
    answer = await tool.post("/hooks/open", body, "namespace=team")
    assert answer.status == 200
    assert answer.json["notices"][1:] == [
        "a label was left out: there is no 'branch'",
        "detectedAt was left out: there is no 'at'",
    ]
    assert (tool.command.description, tool.command.fingerprint, tool.command.labels) == ("j", (), ())
    refused = await tool.post("/hooks/open", {"outcome": "failed", "level": "low"}, "namespace=team")
    assert (refused.status, refused.json["details"]) == (400, "scope.resourceName: there is no 'job'")


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("yesterday", "'yesterday' is not an RFC 3339 time with an offset"),
        ("9999-01-01T00:00:00Z", "9999-01-01T00:00:00.000000Z is more than a day in the future"),
    ],
)
async def test_a_time_that_cannot_be_is_left_out(tool, at, why):
    body = {"outcome": "passed", "job": "j", "at": at, "why": "w" * 5_000}
    answer = await tool.post("/hooks/open", body, "namespace=team")
    assert answer.json["message"] == "Resolved 3 issue(s) for job j"
    assert f"at was left out: {why}" in answer.json["notices"]
    assert "reason was cut: it had 5,000 characters, 4,000 are kept" in answer.json["notices"]
    assert (tool.command.at, tool.command.fingerprint) == (None, None)


async def test_headers_query_and_path_are_seen_and_nothing_may_be_done(tool):
    headers = [(b"X-Event", b"ping")]
    answer = await tool.post("/hooks/open", {}, "namespace=team&who=me", headers=headers)
    assert (answer.status, answer.json) == (200, {"info": "me /hooks/open"})
    answer = await tool.post("/hooks/open", {"outcome": "running"}, "namespace=team", headers=[(b"x-event", b"push")])
    assert (answer.status, answer.json) == (200, {"info": "No rule applies, nothing done"})
    assert tool.writer.commands == []


async def test_a_label_that_comes_often_is_one(tool):
    body = {"outcome": "failed", "job": "j", "level": "low", "branch": ["a"] * 300 + ["b"]}
    answer = await tool.post("/hooks/open", body, "namespace=team")
    assert not [notice for notice in answer.json["notices"] if notice.startswith("labels")]
    assert [label.value for label in tool.command.labels] == ["a", "b"]


async def test_lists_past_their_limits_are_shortened(tool):
    body = {"outcome": "failed", "job": "j", "level": "low", "branch": [str(n) for n in range(150)], "why": "y" * 900}
    answer = await tool.post("/hooks/open", body, "namespace=team")
    assert "labels past the first 100 were dropped" in answer.json["notices"]
    assert len(tool.command.labels) == 100
    await tool.post("/hooks/open", {**body, "why": "y" * 901}, "namespace=team")
    first, second = (command.fingerprint[0].value for command in tool.writer.commands)
    assert first != second
    assert len(first) == len(second) == 500
