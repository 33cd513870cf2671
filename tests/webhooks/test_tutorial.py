"""The page about a tool that nobody here knows: it is carried out as it stands."""

import json
import re
from pathlib import Path

from tests.web.test_webhook_command import run
from tests.webhooks.test_deliver import Own, serving
from webhooks.definition import ours

PAGE = (Path(__file__).parents[2] / "docs" / "new-tool.md").read_text()
PAYLOAD, ANSWER = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
(DEFINITION,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
(TOLD,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


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
