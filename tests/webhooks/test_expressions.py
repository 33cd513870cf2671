"""Expressions: what they give, and the fence around them."""

import asyncio
import sys
import time
from inspect import signature
from types import SimpleNamespace

import pytest

from webhooks.expressions import ALL_VARIABLES, Context, Expression, Failed, parse_template, too_deep
from webhooks.fence import BadExpression, without_texts
from webhooks.functions import FUNCTIONS
from webhooks.paths import merged
from webhooks.work import Work

BODY = {
    "name": "api",
    "empty": "",
    "none": None,
    "yes": True,
    "two": 2,
    "half": 0.5,
    "accents": "éé",
    "steps": [{"name": "a", "log": {"url": "u"}}, {"name": "b"}, "c"],
    "words": ["x", None, "y"],
    "nested": {"deep": [{"name": "found"}]},
}


def value(source):
    variables = {"body": BODY, "query": {"a": "1"}, "headers": {"x-event": "push"}, "path": "/p"}
    return parse_template(source).value(Context(variables, frozenset(FUNCTIONS)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("costs $5 {or} }", "costs $5 {or} }"),
        ("${body.name}", "api"),
        ("${ body.two }", 2),
        ("a ${body.name} b ${body.two}", "a api b 2"),
        ("${body.none}", None),
        ("<${body.none}>", "<>"),
        ("${body.yes}!", "true!"),
        ("${body.half} ${2.0}", "0.5 2"),
        ("is ${body.words}", 'is ["x",null,"y"]'),
        ('${"}" + body.name} ok', "}api ok"),
        ("${'${' + \"}'\" + body.name}", "${}'api"),
        ("${{'a': {'b': body.name}}.a.b}!", "api!"),
        (r"${'it\'s } ' + body.name}", "it's } api"),
        (r"${r'\' + '}'}", "\\}"),
        ("${'''it's }'''}", "it's }"),
        ("$${body.name} is ${body.name}", "${body.name} is api"),
        ("${1 // a } brace\n + 1}", 2),
        ("${headers['x-event'] + query.a + path}", "push1/p"),
        ("${has(body.zzz) ? 1 : 2}", 2),
        ("${'name' in body && body.name.startsWith('a')}", True),
    ],
)
def test_texts_with_expressions(source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("default(body.none, 'x')", "x"),
        ("default(body.empty, 'x')", "x"),
        ("default(body.two, 'x')", 2),
        ("text(body.none) + text(true) + text(1) + text(1.5)", "true11.5"),
        ("lower('ÄB') + upper('é') + trim(' c ')", "äbÉc"),
        ("lower(body.none)", ""),
        ("text({'b': 1, 'a': [true, {'d': null, 'c': 'x'}]})", '{"a":[true,{"c":"x","d":null}],"b":1}'),
        ("urlencode('a b/c?d#é~') + urlencode(body.none)", "a%20b/c%3Fd%23%C3%A9~"),
        ("join(body.words, ', ')", "x, , y"),
        ("join('alone', ', ') + join(body.none, 'x')", "alone"),
        ("join(pluck(body.steps, 'name'), '+')", "a+b"),
        ("pluck(body.steps, 'log.url')", ["u"]),
        ("first(body.words) + last(body.words)", "xy"),
        ("first(body.none)", None),
        ("split('a/b/c', '/')", ["a", "b", "c"]),
        ("split(body.none, '/') == [''] && split('ab', '') == ['ab']", True),
        ("replace('a-b-c', '-', '+') + replace('a', '', 'x')", "a+b+ca"),
        ("before('v1=x=y', '=') + after('v1=x=y', '=') + lastPart('a/b/c', '/')", "v1x=yc"),
        ("before('none', '=') + after('none', '=') + lastPart('none', '/')", "nonenone"),
        ("matchesAny('Disk FULL on db1', ['cpu', 'disk full'])", True),
        ("matchesAny(body.words, ['z', '']) || matchesAny(body.none, ['a'])", False),
        ("matchesAny(['a', 'Beta'], 'beta')", True),
        ("find(body, 'url') + find(body, 'log.url')", "uu"),
        ("find(body, 'zzz')", None),
        ("json('{\"a\": [1]}').a[0]", 1),
        ("json('{') == null && json(body.words) == body.words", True),
        ("digest({'b': 1, 'a': 2}) == digest({'a': 2, 'b': 1}) && digest('a') != digest('b')", True),
        ("pairs(body.steps, 'name', 'log.url')", {"a": "u", "b": None}),
        ("pairs([['env', 'prod'], ['env', 'x'], ['a']], '0', '1')", {"env": "prod", "a": None}),
        ("keep(body, ['name', 'two', 'zzz'])", {"name": "api", "two": 2}),
        ("keep(body.none, ['a'])", {}),
        ("time('2016-08-12 15:23:28 UTC')", "2016-08-12T15:23:28.000000Z"),
        ("time('2021-04-28 21:50:00 +0200')", "2021-04-28T19:50:00.000000Z"),
        ("time('2026-01-02T03:04:05+0000')", "2026-01-02T03:04:05.000000Z"),
        ("time('2026-01-02T03:04:05.123456789Z')", "2026-01-02T03:04:05.123456Z"),
        ("time('Fri, 02 Jan 2026 03:04:05 +0100')", "2026-01-02T02:04:05.000000Z"),
        (
            "time(1790000000) + time(1790000000123) + time('1790000000')",
            "2026-09-21T14:13:20.000000Z2026-09-21T14:13:20.123000Z2026-09-21T14:13:20.000000Z",
        ),
        ("time(1790000000123456) + time(1790000000.5)", "2026-09-21T14:13:20.123456Z2026-09-21T14:13:20.500000Z"),
        ("time('0001-01-01T00:00:00Z') + time('2026-01-02 03:04:05') + time('soon') + time(0) + time(true)", ""),
        ("timeAt('2026.01.02 03:04:05', 'Europe/Berlin')", "2026-01-02T02:04:05.000000Z"),
        (
            "timeAt('2026-01-02 03:04:05', '-05:30') + timeAt('2026-01-02 03:04:05', 'No/Where')",
            "2026-01-02T08:34:05.000000Z",
        ),
        ("count(body.words) + count(body.none) + count(body.accents) + count(body.nested)", 6),
        ("get(body, 'nested.deep.0.name')", "found"),
        ("get(body, 'nested.deep.7.name')", None),
        ("get(body, 'name.x.y')", None),
        ("get(body.none, 'x')", None),
        ("get(body, 'nested.deep." + "9" * 3000 + "')", None),
    ],
)
def test_functions(source, expected):
    assert value(f"${{{source}}}") == expected


def test_no_function_raises_whatever_it_is_given():
    for function in FUNCTIONS.values():
        for given in (None, "", "é", 1, -1.5, float("inf"), 10**30, True, [], [None, [1]], {}, {"a": {1: 2}}):
            function(*[given] * len(signature(function).parameters))


def test_a_joined_text_does_not_grow_without_end():
    assert len(FUNCTIONS["join"](["x" * 1_000] * 100_000, "y" * 1_000)) < 1_100_000


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nope", "there is no variable nope"),
        ("body.a + env.b", "there is no variable env"),
        ("open('x')", "there is no function open"),
        ("size(body.a)", "there is no function size"),
        ("timestamp('2026-01-01T00:00:00Z')", "there is no function timestamp"),
        ("body.a.map(i, i)", "has a loop (map)"),
        ("body.a.map(body, body)", "has a loop (map)"),
        ("body.a . filter (path, true)", "has a loop (filter)"),
        ("body.a. // \n filter(path, true)", "has a loop (filter)"),
        ("body.a.exists(i, i == 1)", "has a loop (exists)"),
        ("body.a.exists_one(body, true)", "has a loop (exists_one)"),
        ("body.l.existsOne(path, path == query)", "has a loop (existsOne)"),
        ("body.l.sortBy(path, path)", "there is no function sortBy"),
        ("default(body.x)", "default takes 2 arguments, not 1"),
        ("text()", "text takes 1 arguments, not 0"),
        ("join(pluck(body.l, 'a,b'), ', ', '(')", "join takes 2 arguments, not 3"),
        ("body.x.lower('y')", "lower takes 1 arguments, not 2"),
        ("body.a.all(i, i == 1)", "has a loop (all)"),
        ("google.protobuf.Timestamp{}", "makes a google.protobuf.Timestamp; there are only texts, numbers, lists"),
        ("has(body.Thing {a: 1}.a)", "makes a body.Thing;"),
        ("body . a // one\n . Thing // two\n {}", "makes a body.a.Thing;"),
        ("google.protobuf.Timestamp", "there is no variable google"),
        ("body.a +", "cannot be read: line 1, column 9: Syntax error"),
        ("", "cannot be read"),
        ("'" + "x" * 4_096 + "'", "is longer than 4,096 bytes"),
        ("'" + "é" * 2_048 + "'", "is longer than 4,096 bytes"),
        ("body" + ".a" * 101, "names a member of members deeper than 100"),
        ("body.a in [" + "1," * 500 + "1]", "has more than 1,000 names, numbers and signs"),
        ("(" * 101 + "1" + ")" * 101, "is nested deeper than 100"),
    ],
)
def test_the_fence(source, reason):
    with pytest.raises(BadExpression) as caught:
        Expression(source)
    assert reason in str(caught.value)


def test_a_name_in_a_text_or_a_comment_is_no_name():
    expression = Expression("'body.a.map(x, x)' + body.name // body.other.map(x, x)")
    assert expression.compiled.body_fields == {"name"}
    assert not expression.compiled.reads_whole_body
    assert expression.value(Context({"body": {"name": "n"}}, frozenset())) == "body.a.map(x, x)n"


@pytest.mark.parametrize("source", ["get(body, 'a')", "body['a']", "'a' in body", "body == 1"])
def test_who_reads_all_of_the_body_is_known(source):
    assert Expression(source).compiled.reads_whole_body


@pytest.mark.parametrize("source", ["!" * 999 + "true", "-" * 999 + "1", "1" + "+1" * 499, "[" * 90 + "]" * 90])
def test_the_longest_that_is_allowed_does_no_harm(source):
    Expression(source).value(Context({}, frozenset()))


def test_a_brace_that_is_missing():
    with pytest.raises(BadExpression, match="without its }"):
        parse_template("a ${'}'")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("${body.zzz}", "there is no 'zzz'"),
        ("${body.name + 1}", "types do not mix"),
        ("${1 / 0}", ""),
        ("${body.steps[9]}", ""),
    ],
)
def test_what_gives_no_value_fails_and_says_why(source, reason):
    with pytest.raises(Failed) as caught:
        value(source)
    assert reason in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_a_panic_of_the_library_is_a_failure(monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(source):
        raise PanicException("absurd")

    monkeypatch.setattr(sys.modules["cel"], "compile", panic)
    with pytest.raises(BadExpression, match="absurd"):
        Expression("1")


def test_depth():
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    assert not too_deep(deep)
    assert too_deep({"a": deep})
    assert not too_deep("x")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("body.state", "`body.state` cannot be told: body is a list, not an object"),
        ('headers.one["two-three"]', '`headers.one["two-three"]` cannot be told: headers.one is a text, not an object'),
        ("item.a.b == 1", "`item.a.b` cannot be told: item.a is a number, not an object"),
        (
            'has(item.yes.b) && get(body, "0.a") == 1',
            "`item.yes.b` cannot be told: item.yes is true or false, not an object",
        ),
        ("item.a.contains(headers.one)", "`item.a.contains(headers.one)` asks of a value what its type cannot do"),
        ("item.a + headers.one", "`item.a + headers.one` asks of a value what its type cannot do"),
        ("int(headers.one)", "Function 'int' error: string parse error"),
    ],
)
def test_a_value_of_another_type_is_told_in_plain_words(source, message):
    expression = Expression(source, ALL_VARIABLES)
    variables = {"body": [{"a": 1}], "headers": {"one": "x"}, "item": {"a": 1, "yes": True}}
    for work in (None, Work()):
        names = merged(expression.compiled.paths) if work else None
        context = Context(variables, expression.compiled.functions, work=work, names=names)
        with pytest.raises(Failed) as failed:
            expression.value(context)
        assert str(failed.value).startswith(message)
        assert "CEL" not in str(failed.value)


@pytest.mark.parametrize("before", ["r", "R", "bR", "Br"])
def test_a_text_that_is_written_raw_ends_at_its_quote(before):
    bare = without_texts(rf'xr == {before}"\" + body.a')
    assert bare.split() == ["xr", "==", before, "+", "body.a"]
    assert without_texts(r'"\" + body.a').split() == []


async def test_who_reads_a_definition_in_a_thread_gives_way_after_each_expression(monkeypatch):
    slept = []
    monkeypatch.setattr("webhooks.compiling.time", SimpleNamespace(perf_counter=time.perf_counter, sleep=slept.append))
    Expression("body.a == 1")
    assert slept == []
    await asyncio.to_thread(Expression, "body.a == 1")
    assert len(slept) == 2
    assert all(0 < each <= 0.1 for each in slept)
