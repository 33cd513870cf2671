"""The ready curl line of a webhook of one's own, run as it stands in a shell, for each way of showing who one is."""

import base64
import json
import os
import subprocess
import urllib.request
from contextlib import contextmanager

import pytest

from tests.serving import Server

FIRST = "the-first-token-of-these-tests-0123456789"
SECRET = 'a secret\'s "own" $words & 100%'
KEY = base64.b64encode(b"twenty-four random bytes").decode()
RULES = """
rules:
  - report: {title: It broke, description: "${body.why}", severity: low, issueType: test,
             scope: {resourceType: suite, resourceName: unit}}
"""
# What `verify` says, and the secret.
WAYS = {
    "none": ("", None),
    "not looked at": ("[{type: bearer}]", None),
    "token": ("[{type: token, header: x-token}]", SECRET),
    "token with a prefix": ('[{type: token, header: x-to$ken`, prefix: "it\'s $it "}]', SECRET),
    "query": ("[{type: token, query: the key}]", SECRET),
    "token in the address": ("[{type: token, query: token}]", SECRET),
    "bearer": ("[{type: bearer}]", "a-bearer-of-news"),
    "basic": ("[{type: basic}]", SECRET),
    "name and password": ("[{type: basic}]", "somebody:and a password"),
    "hmac": ("[{type: hmac, header: x-signed, prefix: sha256=}]", SECRET),
    "hmac in base64": ("[{type: hmac, header: x-signed, algorithm: sha1, encoding: base64}]", SECRET),
    "hmac of a list": ("[{type: hmac, header: x-signed, algorithm: sha512, prefix: v1=, separator: ','}]", SECRET),
    "hmac with a time": (
        "[{type: hmac, header: x-signed, timestamp: x-at, id: x-id, signed: 'it''s {id}.{timestamp}:{body}'}]",
        SECRET,
    ),
    "hmac by a key": ("[{type: hmac, header: x-signed, key: base64}]", KEY),
    "buildkite": ("[{type: buildkite}]", SECRET),
    "standard webhooks": ("[{type: standard-webhooks}]", f"whsec_{KEY}"),
    "the easiest of several": ("[{type: standard-webhooks}, {type: token, header: x-gitlab-token}]", SECRET),
}
PLACES = {
    "one": (["team-a"], ""),
    "several": (["team-*", "team-c", "team-b"], ""),
    "patterns": (["team-*"], ""),
    "its own": (["team-a", "team-b"], "namespace: team-b"),
}
CREATE = """mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
  webhook { curl } problems { message } notices userErrors { field message } } }"""


@contextmanager
def serving_webhooks(database_url, directory):
    """A server at its own address, which lets in who shows FIRST."""
    settings = {"DEV": "0", "BOOTSTRAP_TOKEN": FIRST, "SECRET_KEY": base64.b64encode(bytes(32)).decode()}
    server = Server(database_url, directory, **settings)
    server.environment["ISSUEGRAPH_PUBLIC_URL"] = f"http://127.0.0.1:{server.port}"
    with server:
        yield server


@pytest.fixture
def server(database_url, tmp_path):
    # What curl sends of its own mind must not hide anything: line ends belong to what is signed.
    (tmp_path / "payload.json").write_text('{\n  "why": "100% \\u00e9"\n}\n')
    with serving_webhooks(database_url, tmp_path) as server:
        yield server


def created(server, name, definition, namespaces, secrets):
    given = {"name": name, "definition": definition, "namespaces": namespaces, "secrets": secrets}
    body = json.dumps({"query": CREATE, "variables": {"input": given}}).encode()
    headers = {"authorization": f"Bearer {FIRST}", "content-type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/graphql", body, headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        made = json.loads(answer.read())["data"]["createWebhook"]
    assert (made["problems"], made["userErrors"]) == ([], [])
    return made


def test_the_line_delivers_as_it_stands(server):
    cases = [(way, place) for way in WAYS for place in (PLACES if way in ("none", "query", "hmac") else ("several",))]
    for number, (way, place) in enumerate(cases):
        verify, secret = WAYS[way]
        namespaces, more = PLACES[place]
        definition = f"title: Ours\n{f'verify: {verify}' if verify else ''}\n{more}{RULES}"
        made = created(server, f"w{number}", definition, namespaces, [secret] if secret else [])
        assert bool(made["notices"]) is (way == "not looked at")
        line = made["webhook"]["curl"]
        assert FIRST not in line
        given = {"ISSUEGRAPH_TOKEN": FIRST, "ISSUEGRAPH_SECRET": secret or "", "ISSUEGRAPH_NAMESPACE": "team-x"}
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=server.directory,
            env={"PATH": os.environ["PATH"], **given},
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, (way, place, line, done.stdout, done.stderr)
        (item,) = json.loads(done.stdout)["items"]
        expected = {"one": "team-a", "several": "team-c", "patterns": "team-x", "its own": "team-b"}[place]
        assert (item["action"], item["namespace"]) in (("created", expected), ("updated", expected)), (way, place)
        if secret:
            wrong = subprocess.run(
                ["sh", "-c", line],
                cwd=server.directory,
                env={"PATH": os.environ["PATH"], **given, "ISSUEGRAPH_SECRET": "bm90IHRoaXMgc2VjcmV0"},
                capture_output=True,
                timeout=60,
            )
            assert wrong.returncode != 0, (way, line)
            assert b"returned error: 401" in wrong.stderr, (way, line, wrong.stderr)


def test_what_sns_alone_can_sign_is_published_there(server):
    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
    made = created(server, "alarms", f"title: Alarms\nverify: [{{type: sns}}]{RULES}", ["team"], [topic])
    line = 'aws sns publish --topic-arn "$ISSUEGRAPH_SECRET" --message file://payload.json'
    assert made["webhook"]["curl"] == line
