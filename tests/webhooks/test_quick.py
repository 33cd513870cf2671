"""Expressions that are read without CEL give what CEL gives, or leave it to CEL."""

from contextlib import suppress
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.expressions import VARIABLES, Context, Expression, Failed
from webhooks.functions import FUNCTIONS
from webhooks.quick import Absent, NotPlain, quick

PLAIN = [
    "body.name",
    " body . name ",
    "body.inner.name",
    "path",
    "'text'",
    '""',
    '"" + "it\'s"',
    "body.name + ': ' + body.inner.name",
    "default(body.name, 'none')",
    "default(body.link, settings.base + urlencode(body.name))",
    "upper(trim(body.name)) + lower(body.inner.name)",
    "count(body.name)",
    "text(body.name)",
    "join(body.name, ',')",
    "first(body.name)",
    "get(body.name, 'a.b')",
    "body",
    "1",
    "true",
    "null",
    "(body.name)",
    "body['name']",
    "body.name == 'a'",
    "body.inner.name != body.name",
    "body.name == 1 || body.name == null",
    "!(body.name == 'a') && body.link == null",
    "body.name in ['a', 'b', null, true, 1]",
    "body.name in body.inner",
    "'name' in body",
    "get(body, 'inner.name') in ['a', 'x']",
    "body.name == 'a' ? 'yes' : 'no'",
    "body.link == 'a' || body.name == 'a' || body.inner.name == true",
    "body.link == 'a' && body.name == 'a'",
    "body.name.startsWith('a')",
    "body.inner.name < 'b'",
    "body.name >= 2",
    "first(['a', body.name]) == body.name",
    "keep(body, ['name']).name",
    "split('a/b', '/') == ['a', 'b']",
    "{'a': 1}.a",
    "[{'a': body.name, 'b': {}}]",
    "body.name == 'a' ? [{'name': ''}] : {'x': body.inner}.x",
]
FOR_CEL = [
    "has(body.name)",
    "'it\\'s'",
    "r'text'",
    "'''text'''",
    "body.name ? 1 : 2",
    "-body.count",
    "body.name // so",
    "{1: 1}",
    "{'a': 1, 'a': 2}",
    "1 + 1",
    "body.name.matches('a')",
    "body.name + 1",
    "1.5",
    "body.name == ['a']",
]
values = st.none() | st.booleans() | st.text(max_size=8) | st.integers(-9, 9) | st.floats(-9, 9) | st.just(["a", "b"])
inner = values | st.fixed_dictionaries({"name": values})
bodies = st.fixed_dictionaries({}, optional={"name": values, "link": values, "inner": inner})


def outcome(expression, body):
    context = Context({"body": body, "path": "/p", "settings": {"base": "https://x/"}}, frozenset(FUNCTIONS))
    try:
        return expression.value(context)
    except Failed:
        # Whatever CEL says of it: what is not there, or is null, has no members.
        return "failed"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLAIN), bodies)
def test_they_give_what_cel_gives(source, body):
    expression, by_cel = Expression(source), Expression(source)
    # What both are compiled to is the same.
    by_cel.compiled = copy(by_cel.compiled)
    by_cel.compiled.quick = None
    assert expression.compiled.quick is not None
    found, expected = outcome(expression, body), outcome(by_cel, body)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("source", PLAIN)
def test_they_do_not_need_cel(source):
    variables = {"body": {"name": "a", "link": None, "inner": {"name": "b"}}, "path": "/p", "settings": {"base": "c"}}
    found = quick(source, VARIABLES)
    assert found is not None
    with suppress(NotPlain, Absent):  # values of other kinds may need it all the same
        found(variables)


@pytest.mark.parametrize("source", FOR_CEL)
def test_others_are_for_cel(source):
    found = quick(source, VARIABLES)
    if found is not None:
        with pytest.raises(NotPlain):
            found({"body": {"name": "a"}})
