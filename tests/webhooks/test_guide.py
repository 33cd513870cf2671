"""The integration guide's request, worked through in docs/kite.md: it becomes what the guide's own paths make of it."""

import re
from pathlib import Path

from tests.webhooks.test_definitions import FAILURES, SUCCESSES
from tests.webhooks.tools import Tool
from webhooks.definition import parse_single
from webhooks.samples import run_sample

PAGE = (Path(__file__).parents[2] / "docs" / "kite.md").read_text()
(DEFINITION,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_each_sample_becomes_what_the_page_says():
    definition = parse_single("guide", DEFINITION)
    assert [run_sample(definition, sample).differences for sample in definition.samples] == [()] * 3


async def test_a_request_becomes_what_it_becomes_at_the_guides_own_path():
    definition = parse_single("build", DEFINITION)
    failed, works, _ = [run_sample(definition, sample).plans[0].command for sample in definition.samples]
    _, payload, expected = FAILURES["build-failure"]
    tool = Tool()
    await tool.post("build-failure", payload)
    assert tool.command == expected
    assert failed == expected
    tool = Tool()
    await tool.post("build-success", {**SUCCESSES["build-success"][0], "namespace": "team"})
    assert tool.command == works


def test_each_field_of_the_request_is_told():
    table = PAGE.partition("| the guide's request |")[2].partition("```")[0]
    for name in FAILURES["build-failure"][1]:
        assert f"| `{name}` |" in table
