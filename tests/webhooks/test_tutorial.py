"""The page about a tool that nobody here knows: it is carried out as it stands."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.serving import ISSUEGRAPH
from tests.web.test_curl_of_webhooks import FIRST, created, serving_webhooks
from tests.web.test_webhook_command import run
from tests.webhooks.test_deliver import Own, serving
from webhooks.definition import ours

PAGE = (Path(__file__).parents[2] / "docs" / "new-tool.md").read_text()
PAYLOAD, ANSWER = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
(DEFINITION,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
(TOLD,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^    ((?:issuegraph|curl) .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def server(database_url, tmp_path):
    with serving_webhooks(database_url, tmp_path) as server:
        yield server


def test_each_command_of_the_page_does_what_it_says(server):
    (server.directory / "netlify.yaml").write_text(DEFINITION)
    (server.directory / "payload.json").write_text(json.dumps(PAYLOAD))
    created(server, "netlify", DEFINITION, ["team"], [])
    environment = server.environment | {"PATH": f"{ISSUEGRAPH.parent}:{os.environ['PATH']}"}

    def told(command, **more):
        command = command.replace("http://localhost:8080", f"http://127.0.0.1:{server.port}")
        done = subprocess.run(
            ["sh", "-c", command], cwd=server.directory, env=environment | more, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    tried, made, sent = COMMANDS
    assert told(tried) == TOLD
    (token,) = re.findall(r"igt_\w+", told(made))
    assert token != FIRST
    until = time.monotonic() + 20
    while True:
        answer = json.loads(told(sent, TOKEN=token))
        if "items" in answer or time.monotonic() > until:
            break
        # A server hears of a new token within a second.
        time.sleep(0.2)
    assert answer.pop("delivery")
    assert answer["items"][0].pop("issue")["url"]
    assert answer == ANSWER


def test_nobody_here_knows_the_tool():
    assert "netlify" not in {each.name for each in ours().single}


def test_what_is_written_down_is_what_the_command_tells(monkeypatch, capsys, tmp_path):
    file = tmp_path / "netlify.yaml"
    file.write_text(DEFINITION)
    assert run(monkeypatch, "test", file) == 0
    assert capsys.readouterr().out == TOLD
    file.write_text(DEFINITION.replace('body.state == "error"', 'body.state = "error"'))
    (problem,) = re.findall(r"`netlify.yaml(:7: .*? cannot be\nread)`", PAGE)
    problem = problem.replace("\n", " ")
    assert run(monkeypatch, "test", file).startswith(f"issuegraph: {file}{problem}: line 1, column ")


async def test_what_is_sent_is_answered_as_it_says(database_url):
    async with serving(database_url, Own(name="netlify", definition=DEFINITION)) as server:
        server.path = "netlify"
        first = await server.post(PAYLOAD, namespace="team")
        assert first.status == 201
        (item,) = first.json["items"]
        assert re.fullmatch(r"http://here/issues/[0-9a-f-]{36}", item.pop("issue")["url"])
        assert (first.json["outcome"], [item]) == (ANSWER["outcome"], ANSWER["items"])
        received, _ = server.deliveries.received[-1]
        assert received.delivery_key == "66d1f0c2a7-error"
        other_delivery = DEFINITION.replace("${body.id}-${body.state}", "${body.id}-again")
        server.own.definition, server.own.version = other_delivery, 2
        assert (await server.post(PAYLOAD)).json["items"][0]["action"] == "unchanged"
        server.own.definition, server.own.version = DEFINITION, 3
        for state, action in (("building", "ignored"), ("ready", "resolved")):
            ended = {**PAYLOAD, "state": state, "updated_at": "2026-09-21T15:00:00.000Z"}
            assert (await server.post(ended)).json["items"][0]["action"] == action
