"""Definitions: a broken one says where it is broken; ours own the paths of the contract."""

import pytest

from tests.webhooks.tools import PREFIX, definition
from webhooks.definition import DefinitionError, load

GOOD = """\
webhooks:
  - path: /hooks/tool
    idempotencyKey: ${headers["x-delivery"]}
    fields:
      job: {type: text, required: true}
      namespace: {type: text, required: true}
      steps: {type: list}
    rules:
      - when: count(body.steps) == 0
        ignore: no steps
      - report:
          title: "Failed: ${body.job}"
          description: ${join(pluck(body.steps, "name"), ", ")}
          severity: high
          issueType: build
          scope:
            resourceType: job
            resourceName: ${body.job}
          links:
            - title: Log
              url: https://ci.example/${body.job}
          fingerprint:
            kind: tool
        answer:
          status: 201
"""


def test_ours_own_the_paths_of_the_contract():
    pairs = ("pipeline", "build", "deployment", "security-scan", "release")
    paths = {f"{PREFIX}{name}-{end}" for name in pairs for end in ("failure", "success")}
    definitions = load()
    assert {path for each in definitions for path in each.paths} == paths | {PREFIX + "mintmaker-custom"}
    assert [each.name for each in definitions] == sorted([*pairs, "mintmaker"])
    assert all(webhook.source == each.name for each in definitions for webhook in each.webhooks)


def test_a_directory_without_definitions_has_none(tmp_path):
    assert load(tmp_path) == []


def test_a_good_one(tmp_path):
    (tool,) = definition(tmp_path, GOOD)
    (webhook,) = tool.webhooks
    assert (tool.name, tool.paths, webhook.fields.struct) == ("tool", ("/hooks/tool",), "ToolRequest")
    assert [rule.status for rule in webhook.rules] == [200, 201]
    assert webhook.idempotency_key.source == '${headers["x-delivery"]}'
    assert "headers" in {name for expression in webhook.expressions for name in expression.compiled.variables}


BROKEN = [
    ('"Failed: ${body.job}"', '"Failed: ${body.job + }"', 12, "report.title: 'Failed: ${body.job + }' cannot be read"),
    ("count(body.steps) == 0", "count(body.steps ==", 9, "rules[0].when: 'count(body.steps ==' cannot be read"),
    ("count(body.steps)", "size(body.steps)", 9, "there is no function size"),
    ("${body.job}\n          links", "${bod.job}\n          links", 18, "there is no variable bod"),
    ("count(body.steps)", "count(body.stepz)", 9, "there is no field body.stepz (job, namespace, steps)"),
    ("/${body.job}\n", "/${settings.secret}\n", 21, "there is no settings.secret (settings.logsUrl)"),
    ("/${body.job}\n", "/${text(settings)}\n", 21, "settings is not a value (settings.logsUrl)"),
    ("count(body.steps) == 0", "1 + 1", 9, "rules[0].when: '1 + 1' must give true or false"),
    ("severity: high", 'severity: ${"hu" + "ge"}', 14, 'severity: \'${"hu" + "ge"}\' must be one of info, minor'),
    ("severity: high", "severity: huge", 14, "report.severity: 'huge' must be one of info, minor, major, critical"),
    ("issueType: build", "issueType: built", 15, "report.issueType: 'built' must be one of build"),
    ("          severity: high\n", "", 12, "rules[1].report: severity is missing"),
    ("kind: tool", "kind: [tool]", 23, "report.fingerprint.kind: must be a text"),
    ("resourceType: job", 'resourceType: ""', 17, "scope.resourceType: must be a text that is not empty"),
    ('title: "Failed: ${body.job}"', "title:", 12, "report.title: must be a text that is not empty"),
    (
        "ignore: no steps",
        "ignored: no steps",
        10,
        "rules[0].ignored: is not a key here (when, report, resolve, ignore, answer",
    ),
    ("ignore: no steps", "answer: {status: 200}", 9, "rules[0]: must have one of report, resolve and ignore"),
    ("status: 201", "status: 500", 25, "answer.status: '500' must be one of 200, 201, 202"),
    ("status: 201", "about: the job", 25, "answer.about: belongs to resolve"),
    ("{type: list}", "{type: array}", 7, "fields.steps.type: 'array' must be one of text, number"),
    ("{type: list}", "{type: text, items: text}", 7, "fields.steps.items: only lists have items"),
    ("      steps: {type: list}", "      job: {type: list}", 7, "fields.job: is here twice"),
    ("/hooks/tool", "hooks/tool/", 2, "webhooks[0].path: 'hooks/tool/' must be /words/like/these"),
    ("/hooks/tool", "/graphql", 2, "webhooks[0].path: /graphql is the server's own"),
    ("/hooks/tool", "/api/v1/issues/x", 2, "webhooks[0].path: /api/v1/issues/x is the server's own"),
    ("      steps: {type: list}", "      Job: {type: list}", 7, "fields.Job: is job too"),
    (
        "            kind: tool",
        "            namespace: tool",
        23,
        "namespace: is a part of every fingerprint",
    ),
    ("            kind: tool", "            '': tool", 23, "the name must have 1 to 100 characters"),
    ("            kind: tool", "          kind: tool", 23, "is not a key here"),
    ("            kind: tool", "           kind: tool: 1", 23, "is not YAML: mapping values are not allowed"),
    ('${headers["x-delivery"]}', '${header["x-delivery"]}', 3, "idempotencyKey: "),
    ('${headers["x-delivery"]}', "${body.delivery}", 3, "there is no field body.delivery (job, namespace, steps)"),
    ('${headers["x-delivery"]}', "[a]", 3, "idempotencyKey: must be a text"),
    (GOOD, "", 1, "is empty"),
    (GOOD, "- a", 1, "must be a mapping"),
    (GOOD, "webhooks:\n  path: /a", 2, "webhooks: must be a list"),
    (GOOD, "webhooks:\n  - path: /a\n    rules: []", 3, "rules: must not be empty"),
]


@pytest.mark.parametrize(("good", "bad", "line", "words"), BROKEN)
def test_a_broken_one_names_file_line_and_expression(tmp_path, good, bad, line, words):
    assert good in GOOD
    with pytest.raises(DefinitionError) as caught:
        definition(tmp_path, GOOD.replace(good, bad))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'tool.yaml'}:{line}: "), message
    assert words in message
    assert (caught.value.file, caught.value.line) == (tmp_path / "tool.yaml", line)


def test_a_path_has_one_owner(tmp_path):
    definition(tmp_path, GOOD)
    with pytest.raises(
        DefinitionError, match=r"tool\.yaml:2: webhooks\[0\]: /hooks/tool belongs to other\.yaml already"
    ):
        definition(tmp_path, GOOD, "other.yaml")


def test_a_file_that_is_no_text_or_badly_named(tmp_path):
    (tmp_path / "Tool_1.yaml").write_text(GOOD)
    with pytest.raises(DefinitionError, match="lower case words with hyphens"):
        load(tmp_path)
    (tmp_path / "Tool_1.yaml").unlink()
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DefinitionError, match=r"bytes\.yaml:1: is not UTF-8"):
        load(tmp_path)
