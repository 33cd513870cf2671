"""What GraphQL and replays ask of definitions: what is wrong, what would come of it and why, what must not be shown."""

from types import SimpleNamespace

import orjson
import pytest

from resolvers.webhooks.engine import DryRequest, NoSuchWebhook, UnreadableBody
from resolvers.webhooks.plan import Received
from tests.resolvers.mutation.house import caller
from tests.webhooks.test_deliver import PARTS, TOOL, Own, run
from webhooks.catalog import Catalog
from webhooks.definition import ours, parse_single
from webhooks.engine import Definitions

AT = "2026-01-02T03:04:05.000000Z"


def engine(own=None):
    own = own or Own()
    return Definitions(Catalog(ours().single, SimpleNamespace(find=lambda name: own if name == own.name else None)))


def received(value, **more):
    body = orjson.dumps(value)
    given = {"id": "1", "webhook": "tool", "at": AT, "headers": {"x-event": "run"}, "body": body, **more}
    return Received(content_type="application/json", body_bytes=len(body), **given)


TITLE, TYPE, AT_PATH = (f"rules.0.report.{name}" for name in ("title", "issueType", "detectedAt"))
NAME = "rules.0.report.scope.resourceName"


@pytest.mark.parametrize(
    ("good", "bad", "line", "path", "expression", "message"),
    [
        ("item.ok == true", "item.ok = true", 20, "rules.1.when", "item.ok = true", "cannot be read"),
        ("${item.name} failed", "${itm.name}", 13, "rules.0.report.title", "Run ${itm.name}", "no variable itm"),
        ("${body.runs}", "${item.runs}", 7, "each", "${item.runs}", "there is no variable item"),
        ("issueType: test", "issueType: tests", 16, "rules.0.report.issueType", None, "must be one of"),
        ("title: A tool", "titel: A tool", 1, "titel", None, "is not a key here"),
        ("type: token", "type: tokens", 4, "verify.1.type", None, "must be one of"),
        ("[body.secret]", "[secret]", 8, "mask.0", None, "must be like body.token"),
        ("title: A tool", "title: [", 3, "", None, "is not YAML"),
        ("title: A tool", "title: x\nreopenWithin: 400d", 2, "reopenWithin", None, "of 366 days at most"),
        ("title: A tool", "title: x\nseverities: {p1: worst}", 2, "severities.p1", None, "must be one of"),
        ("item.ok == true", "Thing{}.ok == true", 20, "rules.1.when", "Thing{}.ok == true", "makes a Thing"),
        ("item.ok == true", "1 + 1", 20, "rules.1.when", "1 + 1", "must give true or false"),
        ("${body.runs}", "${{'runs':1}}", 7, "each", "${{'runs':1}}", "gives a list"),
        ("${body.runs}", "runs", 7, "each", None, "gives a list"),
        ("issueType: test", "issueType: ${'tests'}", 16, "rules.0.report.issueType", "${'tests'}", "must be one of"),
        (PARTS, "detectedAt: '\"yesterday\"'", 18, "rules.0.report.detectedAt", None, "must be an RFC 3339 time"),
        (PARTS, "runId: ${1 / 0}", 18, "rules.0.report.runId", "${1 / 0}", "never gives a value"),
        (PARTS, "detectedAt: '2026-01-02 03:04:05'", 18, "rules.0.report.detectedAt", None, "with an offset"),
        (PARTS, "labels: ${['a']}", 18, "rules.0.report.labels", "${['a']}", "gives an object"),
        (PARTS, "links: [{title: a, url: wiki}]", 18, "rules.0.report.links.0.url", None, "a http or https address"),
        ("resolve:", "resolve:\n      at: ${'x'}", 22, "rules.1.resolve.at", "${'x'}", "RFC 3339"),
        ("title: Run ${item.name} failed", "title: ${''}", 13, TITLE, "${''}", "must not be empty"),
        ("title: Run ${item.name} failed", "title: ' '", 13, TITLE, None, "must not be empty"),
        ('resourceName: "${item.name}"', "resourceName: '${trim(\"\")}'", 17, NAME, '${trim("")}', "must not be empty"),
        (
            "title: Run ${item.name} failed",
            "title: \"${has(item.t) ? item.t : ''}\"",
            13,
            TITLE,
            "''",
            "must not be empty",
        ),
        ("issueType: test", "issueType: \"${item.t ? 'tests' : 'test'}\"", 16, TYPE, "'tests'", "must be one of"),
        ("issueType: test", "issueType: \"${item.t ? item.t :item.u ? 'test' : 1/0}\"", 16, TYPE, "1/0", "never gives"),
        (PARTS, "detectedAt: \"${item.t == ':' ? item.t : 'now'}\"", 18, AT_PATH, "'now'", "RFC 3339"),
        *(
            ("item.ok == true", f"'{each}'", 20, "rules.1.when", each, "which is no regular expression")
            for each in (
                'item.name.matches("[")',
                'item.name.matches(r"(?=a)")',
                'item.name.matches("a") || item.name.matches( "*a" )',
                r'item.name.matches("(a)\\1")',
            )
        ),
    ],
)
def test_what_is_wrong_says_where(good, bad, line, path, expression, message):
    assert good in TOOL
    (problem,) = engine().problems("tool", TOOL.replace(good, bad, 1))
    assert (problem.line, problem.path, problem.expression) == (line, path, expression)
    assert message in problem.message


@pytest.mark.parametrize(
    ("good", "other"),
    [
        ("item.ok == true", "false"),
        ("item.ok == true", 'item.name in {"unit":1}'),
        ("item.ok == true", r"""'item.name.matches(r"^[a-z]+\d$") || item.name.matches("a\\.b")'"""),
        ("issueType: test", "issueType: ${lower('TEST')}"),
        ("issueType: test", "issueType: ${' Test '}"),
        ('${default(get(item, "level"), "minor")}', "' HIGH '"),
        (PARTS, f'detectedAt: "{AT}"'),
        (PARTS, "detectedAt: ${''}"),
        (PARTS, "detectedAt: ${null}"),
        (PARTS, "detectedAt: \"${has(item.at) ? item.at : ''}\""),
        ("title: Run ${item.name} failed", "title: \"Run ${has(item.name) ? item.name : ''}\""),
        ('${default(get(item, "why"), "")}', "' '"),
        ("issueType: test", "issueType: \"${item.t in ['?', ':'] ? 'build' : item.u ? ' Test ' : lower('BUILD')}\""),
        (PARTS, "labels: ${null}"),
        (PARTS, "labels: ${{'team':'a'}}"),
        (PARTS, "links: [{title: a, url: \"${''}\"}, {title: b, url: https://wiki.example}]"),
    ],
)
def test_what_is_always_the_same_may_be_so(good, other):
    assert engine().problems("tool", TOOL.replace(good, other, 1)) == []


def test_a_severity_that_a_choice_gives_is_known_unless_there_is_one_for_other_words():
    definition = TOOL.replace('${default(get(item, "level"), "minor")}', "\"${item.a == 1 ? 'majorr' : 'minor'}\"")
    (problem,) = engine().problems("tool", definition)
    assert (problem.path, problem.expression) == ("rules.0.report.severity", "'majorr'")
    assert engine().problems("tool", definition + "severityDefault: info\n") == []
    assert engine().problems("tool", definition + "severities: {majorr: major}\n") == []


def test_what_was_saved_with_an_empty_title_goes_on():
    own = Own(definition=TOOL.replace("title: Run ${item.name} failed", "title: ${''}"))
    assert engine(own).problems("tool", own.definition) != []
    assert parse_single("tool", own.definition).rules[0].name == "broken"


def test_texts_without_expressions_are_looked_at_as_they_are(monkeypatch):
    definitions = engine()
    monkeypatch.setattr("webhooks.definition.constants.Context", None)
    definition = TOOL.replace(PARTS, f'detectedAt: "{AT}"\n      labels: {{a: "$${{1}}"}}')
    assert definitions.problems("tool", definition) == []
    (problem,) = definitions.problems("tool", definition.replace(AT, "yesterday"))
    assert (problem.path, problem.expression) == ("rules.0.report.detectedAt", None)


def test_a_constant_that_never_holds_is_refused_before_it_is_saved_and_tried_where_it_is():
    definition = TOOL.replace(PARTS, "runId: ${1 / 0}")
    request = DryRequest(payload={"runs": [run()]}, headers={"x-event": "run"})
    (problem,) = engine().dry_run(definition, request, caller(team=["REPORT"])).problems
    assert (problem.line, problem.path) == (18, "rules.0.report.runId")
    saved = engine().dry_run(definition, request, caller(team=["REPORT"]), "tool")
    assert saved.problems == ()
    assert [item.plan.action for item in saved.items] == [None]


def test_a_good_one_has_no_problems_and_a_title():
    assert engine().problems("tool", TOOL) == []
    assert engine().title("tool", TOOL) == "A tool"
    assert engine().title("tool", "nonsense") == "tool"
    assert len(engine().problems("tool", TOOL + "# " + "x" * 65_536)) == 1


def test_templates_are_the_shipped_ones_and_their_names_are_taken():
    templates = engine().templates()
    assert [each.name for each in templates] == sorted(each.name for each in ours().single)
    for template in templates:
        assert engine().problems("mine", template.definition) == []
        assert engine().is_reserved(template.name)
    assert engine().is_reserved("pipeline-failure")
    assert engine().is_reserved("pipeline")
    assert not engine().is_reserved("tool")


async def test_a_replay_takes_the_time_at_which_it_came():
    plans = await engine().plans(
        received({"runs": [run(), run(ok=True), run(ok="seen"), run(ok=None)]}), caller(team=["REPORT"])
    )
    assert [plan.command and (plan.command.namespace, type(plan.command).__name__) for plan in plans] == [
        ("team", "CreateIssue"),
        ("team", "ResolveScope"),
        ("team", "AcknowledgeScope"),
        None,
    ]
    assert (plans[0].command.detected_at, plans[1].command.at, plans[2].command.at) == (AT, AT, AT)
    assert plans[3].action == "unmatched"


async def test_words_for_severities_may_be_of_either_scale():
    own = Own(definition=TOOL + "severities: {P1: high, P2: critical}\n")
    runs = [run(level=" p1 "), run(level="P2")]
    plans = await engine(own).plans(received({"runs": runs}), caller(team=["REPORT"]))
    assert [plan.command.severity for plan in plans] == ["major", "critical"]


async def test_two_deliveries_whose_ids_are_hidden_are_two_when_they_are_done_again():
    own = Own(definition=TOOL.replace("[body.secret]", "[headers.idempotency-key]"))
    keys = []
    for key in ("a key", "another key", "another key"):
        headers = {"x-event": "run", "idempotency-key": key}
        delivery = received({"runs": [run()]}, headers=headers, delivery_key="***")
        (plan,) = await engine(own).plans(delivery, caller(team=["REPORT"]))
        keys.append(plan.command.idempotency_key)
    assert keys[0] != keys[1] == keys[2]


async def test_what_the_definition_can_make_nothing_of_is_a_plan_that_failed():
    for own, message in ((Own(definition="nonsense"), "the definition is broken"), (Own(), "each: there is no 'runs'")):
        (plan,) = await engine(own).plans(received({}), caller(team=["REPORT"]))
        assert (plan.action, message in plan.message) == ("failed", True)


async def test_what_nobody_can_read_is_no_plan():
    for own in (Own(), Own(definition="nonsense")):
        for body, message in ((None, "the body was not kept"), (b"{", "the body is not JSON")):
            with pytest.raises(UnreadableBody, match=message):
                await engine(own).plans(received({}, body=body), caller(team=["REPORT"]))
    with pytest.raises(NoSuchWebhook):
        await engine().plans(received({}, webhook="none"), caller(team=["REPORT"]))


async def test_a_later_webhook_of_the_name_says_nothing_of_what_came_before_it():
    shipped = received({}, webhook="generic", version=3)
    for own, delivery in ((Own(id="2"), received({"runs": []})), (Own(), shipped)):
        with pytest.raises(NoSuchWebhook):
            await engine(own).masked(delivery)
        with pytest.raises(NoSuchWebhook):
            await engine(own).plans(delivery, caller(team=["REPORT"]))


async def test_what_a_definition_names_is_not_shown():
    own = Own(definition=TOOL.replace("[body.secret]", "[body.secret, body.runs.key, headers.X-Key, query.k]"))
    value = {"secret": {"a": 1}, "runs": [{"key": "a", "name": "b"}, {"key": None}]}
    shown = await engine(own).masked(
        received(value, headers={"x-key": "a", "x-event": "run"}, query={"k": "a", "l": "b"})
    )
    assert orjson.loads(shown.body) == {"secret": "***", "runs": [{"key": "***", "name": "b"}, {"key": "***"}]}
    assert (shown.headers, shown.query) == ({"x-key": "***", "x-event": "run"}, {"k": "***", "l": "b"})
    # What cannot be read cannot be masked.
    assert (await engine(own).masked(received({}, body=b"{"))).body is None
    for webhook in ("none", "tool"):
        with pytest.raises(NoSuchWebhook):
            await engine(Own(definition="nonsense")).masked(received({}, webhook=webhook))


def test_a_dry_run_tells_every_reason():
    request = DryRequest(
        payload={"runs": [run("e2e", ok=True), run(ok=None)]}, headers={"x-event": "run", "x-delivery": "d"}
    )
    found = engine().dry_run(TOOL, request, caller(team=["REPORT"]))
    assert (found.event, found.delivery_key, found.problems) == ("run", "d", ())
    repaired, unmatched = found.items
    assert [(rule.name, rule.matched, rule.message) for rule in repaired.rules] == [
        ("broken", False, "`when` gives false"),
        ("works", True, None),
    ]
    assert [(each.path, each.expression, each.value) for each in repaired.rules[1].values] == [
        ("rules.1.when", "item.ok == true", True),
        ("rules.1.resolve.scope.resourceName", "item.name", "e2e"),
    ]
    assert repaired.fields["scope"] == {"resourceType": "suite", "resourceName": "e2e", "resourceNamespace": "team"}
    assert [rule.message for rule in unmatched.rules] == [
        "`when` gives false",
        "`when` gives false",
        "`when` gives false",
        "`when` gives false",
    ]
    assert unmatched.plan.action == "unmatched"


def test_a_dry_run_shows_the_fingerprint_and_what_failed():
    request = DryRequest(payload={"runs": [run(), run(level="so so"), {"name": "x"}]}, headers={"x-event": "run"})
    report, failed, missing = engine().dry_run(TOOL, request, caller(team=["REPORT"])).items
    assert dict(report.fingerprint)["event"] == "run"
    assert len(report.fingerprint_key) == 32
    assert report.fields["title"] == "Run unit failed"
    assert (failed.plan.action, failed.rules[0].matched) == ("failed", True)
    assert failed.plan.message == "severity: 'so so' is not known"
    assert missing.rules[0].message == "`when` cannot be told: there is no 'ok'"
    assert missing.rules[0].values[0].error == "there is no 'ok'"
    broken = engine().dry_run("nonsense", request, caller(team=["REPORT"]))
    assert [problem.message for problem in broken.problems] == ["must be a mapping"]
    no_list = engine().dry_run(TOOL, DryRequest(payload={"runs": 1}), caller(team=["REPORT"]))
    assert no_list.items[0].plan.message == "each: gives no list"
    assert no_list.items[0].values[-1].value == 1


async def test_what_a_definition_names_is_not_told_by_a_replay():
    own = Own(definition=TOOL.replace("[body.secret]", "[body.runs.level]"))
    (plan,) = await engine(own).plans(received({"runs": [run(level="s3cret")]}), caller(team=["REPORT"]))
    assert (plan.action, plan.message) == ("failed", "severity: '***' is not known")


def test_a_dry_run_is_under_the_webhooks_name_and_sees_what_a_delivery_sees():
    definition = """
title: A tool
verify: [{type: token, header: x-tok}, {type: token, query: key}]
rules:
  - ignore: ${path} ${text(headers)} ${text(query)}
"""
    headers = {"x-tok": "shown", "authorization": "Bearer shown", "cookie": "shown", "x-event": "run"}
    request = DryRequest(payload={}, headers=headers, query={"key": "shown", "token": "shown", "a": "b"})
    for name, told in (({"name": "t1"}, "t1"), ({}, "webhook")):
        (item,) = engine().dry_run(definition, request, caller(team=["REPORT"]), **name).items
        assert item.plan.message == f'/api/v1/webhooks/{told} {{"x-event":"run"}} {{"a":"b"}}'
    report = TOOL.replace("source: ci\n", "")
    (item, *_) = engine().dry_run(report, DryRequest(payload={"runs": [run()]}), caller(team=["REPORT"]), "t1").items
    assert item.fields["source"] == "t1"


async def test_an_item_without_what_it_must_have_fails_and_no_other_does():
    definition = TOOL.replace("rules:", "required: [item.name, body.at.place]\nrules:", 1)
    assert engine().problems("tool", definition) == []
    own = Own(definition=definition)

    async def messages(value):
        return [plan.message for plan in await engine(own).plans(received(value), caller(team=["REPORT"]))]

    runs = [run(), {**run(), "name": ""}, {**run(), "name": None}, "text"]
    missing = "required: there is no item.name"
    assert await messages({"runs": runs, "at": {"place": 0}}) == [None, missing, missing, missing]
    assert await messages({"runs": [run()], "at": []}) == ["required: there is no body.at.place"]
    request = DryRequest(payload={"runs": [run("")], "at": {"place": 1}})
    (item,) = engine().dry_run(definition, request, caller(team=["REPORT"])).items
    assert (item.plan.action, item.plan.message) == ("failed", missing)
