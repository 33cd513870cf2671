"""Bodies that are no JSON, or not the payload: refused in the words that clients of Kite know."""

import pytest

from tests.webhooks.tools import Tool
from webhooks.go_json import BadBody, read_json

FIELD = "Key: 'PipelineFailureRequest.{0}' Error:Field validation for '{0}' failed on the 'required' tag"
MISMATCH = "json: cannot unmarshal {} into Go struct field {}.{} of type {}"
GOOD = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "EOF"),
        (b" \r\n", "EOF"),
        (b"{", "unexpected EOF"),
        (b'{"pipelineName": "p"', "unexpected EOF"),
        (b'{"pipelineName": "p', "unexpected EOF"),
        (b'{"pipelineName"', "unexpected EOF"),
        (b'{"pipelineName": "p",', "unexpected EOF"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b"{'a': 1}", "invalid character '\\'' looking for beginning of object key string"),
        (b'{"a": 1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a": "]" "b"}', "invalid character '\"' after object key:value pair"),
        (b'{"a": ["}" 2]}', "invalid character '2' after array element"),
        (b'{"a": "x\ny"}', "invalid character '\\n' in string literal"),
        (b'{"a": "\\x"}', "invalid character 'x' in string escape code"),
        (b'{"a": NaN}', "invalid character 'N' looking for beginning of value"),
        (b"[" * 5_000, "exceeded max depth"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "exceeded max depth"),
    ],
)
async def test_what_is_no_json(body, words):
    answer = await Tool().post("pipeline-failure", query="namespace=team", body=body)
    assert answer.status == 400
    assert answer.json == {"error": "Missing required fields", "details": words}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1} and more', {"a": 1}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        (b'{"\\ud800": ["\\udfff\\ud83d\\ude00", null]}', {"\ufffd": ["\ufffd\U0001f600", None]}),
        (b'{"a": 123456789012345678901234567890} x', {"a": 1.2345678901234568e29}),
        (b"null", None),
    ],
)
def test_what_is_read_all_the_same(body, value):
    assert read_json(body) == value


def test_random_cuts_of_a_body_are_told_as_such():
    body = b'{"pipelineName": "p\\n\\u00e9", "logs": ["a", {"b": [1, -2.5e3, true, null]}], "c": {}}'
    read_json(body)
    for end in range(1, len(body)):
        with pytest.raises(BadBody):
            read_json(body[:end])


@pytest.mark.parametrize(
    ("path", "payload", "words"),
    [
        (
            "pipeline-failure",
            {**GOOD, "pipelineName": 1},
            ("number", "PipelineFailureRequest", "pipelineName", "string"),
        ),
        ("pipeline-failure", {**GOOD, "runId": True}, ("bool", "PipelineFailureRequest", "runId", "string")),
        ("pipeline-failure", {"PIPELINENAME": {}}, ("object", "PipelineFailureRequest", "pipelineName", "string")),
        ("pipeline-success", {"pipelineName": []}, ("array", "PipelineSuccessRequest", "pipelineName", "string")),
        (
            "release-failure",
            {"release": 1.5, "application": 1},
            ("number", "ReleaseFailureRequest", "release", "string"),
        ),
        ("release-success", {"application": 1}, ("number", "ReleaseSuccessRequest", "application", "string")),
        ("mintmaker-custom", {"logs": "x"}, ("string", "MintmakerRequest", "logs", "[]string")),
        ("mintmaker-custom", {"logs": ["x", None, 2]}, ("number", "MintmakerRequest", "logs", "string")),
    ],
)
async def test_a_value_of_another_type(path, payload, words):
    answer = await Tool().post(path, payload, "namespace=team")
    assert answer.status == 400
    assert answer.json == {"error": "Missing required fields", "details": MISMATCH.format(*words)}


async def test_a_payload_that_is_no_object():
    answer = await Tool().post("pipeline-failure", ["x"], "namespace=team")
    details = "json: cannot unmarshal array into Go value of type PipelineFailureRequest"
    assert (answer.status, answer.json["details"]) == (400, details)


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ({}, ["PipelineName", "Namespace", "FailureReason"]),
        (None, ["PipelineName", "Namespace", "FailureReason"]),
        ({"pipelineName": "", "namespace": "team"}, ["PipelineName", "FailureReason"]),
        ({**GOOD, "failureReason": None}, ["FailureReason"]),
    ],
)
async def test_required_fields_that_are_missing(payload, names):
    answer = await Tool().post("pipeline-failure", payload, "namespace=team")
    assert answer.status == 400
    assert answer.json == {
        "error": "Missing required fields",
        "details": "\n".join(FIELD.format(name) for name in names),
    }


async def test_every_webhook_of_kite_speaks_of_its_own_request():
    names = {
        "pipeline-failure": "PipelineFailureRequest.PipelineName",
        "pipeline-success": "PipelineSuccessRequest.PipelineName",
        "mintmaker-custom": "MintmakerRequest.PipelineId",
        "release-failure": "ReleaseFailureRequest.Application",
        "release-success": "ReleaseSuccessRequest.Application",
        "build-failure": "BuildFailureRequest.ComponentName",
        "security-scan-success": "SecurityScanSuccessRequest.ComponentName",
    }
    for path, name in names.items():
        answer = await Tool().post(path, {}, "namespace=team")
        assert answer.json["details"].startswith(f"Key: '{name}' Error:")


async def test_names_are_matched_without_case_and_unknown_fields_ignored():
    tool = Tool()
    payload = {"PIPELINENAME": "first", "pipelinename": "p", "Namespace": "team", "failurereason": "r", "x": [1]}
    answer = await tool.post("pipeline-failure", payload | {"pipelineName": None})
    assert answer.status == 201
    assert (tool.command.resource_name, tool.command.namespace) == ("p", "team")
