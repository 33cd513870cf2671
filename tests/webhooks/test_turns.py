"""The worst definitions with the worst payloads: nobody else waits long for their turn.

Turns are measured in time of the processor, and beside what the same processor takes at that moment to read one large
body: a slow or busy machine makes both longer.
"""

import asyncio
import re
import statistics
import threading
import time
from types import SimpleNamespace

import orjson
import pytest

from tests.resolvers.mutation.house import caller
from tests.webhooks.test_deliver import Own
from webhooks.catalog import Catalog
from webhooks.definition import parse_single
from webhooks.deliver import Webhooks
from webhooks.expressions import Expression
from webhooks.fence import MAX_WORDS, BadExpression, without_texts
from webhooks.head import head_of
from webhooks.payload import read_payload
from webhooks.sqibs import Sqibs
from webhooks.verification import Verifier

# What another request waits for, at most, where reading LIST takes no longer than this. Elsewhere as much more.
MOST_SECONDS = 0.050
SECONDS_OF_READING = 0.012
# Whoever is served in between needs this many turns.
TURNS_OF_A_REQUEST = 3
# Work that shares the processor's caches makes every turn longer, now and then.
ATTEMPTS = 5
SOURCE = 3_900
TEXT = orjson.dumps({"t": "x" * 999_000})
WIDE = orjson.dumps({"t": "é" * 499_000})
ITEMS = orjson.dumps({"l": [{"a": index, "b": "x" * 150} for index in range(5_000)]})
LIST = orjson.dumps({"l": [{"a": index, "b": "x"} for index in range(19_000)]})
SMALL = orjson.dumps({"l": [{"a": index, "b": "x" * 100} for index in range(300)], "t": "x" * 2_500})
EMPTY = b'{"l":[' + b",".join([b"[]"] * 19_000) + b"]}"


def often(piece, between):
    """As many of these as an expression may have."""
    words = len(re.findall(r"\w+|[^\w\s]", without_texts(piece + between)))
    return between.join([piece] * min(SOURCE // (len(piece) + len(between)), (MAX_WORDS - 10) // words))


def rules(*sources):
    return "rules:\n" + "".join(f"  - {{when: '{source}', ignore: a}}\n" for source in sources)


WORST = {
    "texts put together": (rules(*[often("body.t", "+") + ' == "a"'] * 15), TEXT),
    "shorter texts put together": (rules(*[often("body.t", "+") + ' == "a"'] * 15), SMALL),
    "long texts": (rules(*[often("lower(body.t)", "+") + ' == "a"'] * 15), TEXT),
    "long texts of another script": (rules(*[often("upper(body.t)", "+") + ' == "a"'] * 15), WIDE),
    "words in long texts": (rules(*[often('matchesAny(body.t, ["é"])', "||")] * 15), WIDE),
    "texts that become longer": (rules("replace(" * 40 + "body.t" + ',"x","xx")' * 40 + '=="1"'), TEXT),
    "templates that become longer": ('rules:\n  - ignore: "' + "${body.t}" * 6_000 + '"\n', TEXT),
    "regular expressions": (rules(*[r'body.t.matches("\\w(a|b|x)*z")||body.t.matches("(x+x+)+y")'] * 200), TEXT),
    "searches": (rules(*[often('find(body, "z")==1', "||")] * 15), LIST),
    "all of a body": (rules(*[often("count(body)", "+") + "==1"] * 15), LIST),
    "all of a small body": (rules(*[often("count(body.l)", "+") + "== -1"] * 15), SMALL),
    "comparisons of a body": (rules(*[often("body!=body", "||")] * 15), LIST),
    "comparisons of a small body": (rules(*[often("body!=body", "||")] * 15), SMALL),
    "digests": (rules(*[often("digest(body)==1", "||")] * 15), LIST),
    "members of lists": (rules(*[often('"q" in body.l', "||")] * 15), LIST),
    "many empty lists": (rules("body.l == 1"), EMPTY),
    "calculations": (rules(*[often("1", "+") + "==1"] * 15), TEXT),
    "masks": ("mask: [body.l.a, body.l.b, body.t]\nevent: ${body.t}\n" + rules("false"), LIST),
    "masks of much": (
        "mask: ["
        + ", ".join(f"body.l.a{n}" for n in range(99))
        + ', body.l]\nevent: ${join(body.l, "")}\n'
        + rules("false"),
        LIST,
    ),
    "many rules": (rules(*['body.t=="a"'] * 200), TEXT),
    "many items": ("each: ${body.l}\n" + rules(*[often("item.a==-1", "||")] * 15), ITEMS),
    "many items for CEL": ("each: ${body.l}\n" + rules(*[often("item.a+1==-1", "||")] * 15), ITEMS),
    "many items beside the body": ("each: ${body.l}\n" + rules(*["count(body.l)+1==-1"] * 3), ITEMS),
}


class Nothing:
    """Keeps no deliveries."""

    def __init__(self):
        self.plans = []

    async def carry_out(self, received, plans, caller):
        self.plans = plans
        return []


async def no_answer(url):
    raise ConnectionError


def turns(call):
    """The seconds of each turn that a coroutine takes which only ever lets others have theirs."""
    found = []
    while True:
        begun = time.thread_time()
        try:
            call.send(None)
        except StopIteration:
            return [*found, time.thread_time() - begun]
        found.append(time.thread_time() - begun)


def allowed():
    """MOST_SECONDS, as this machine is now."""
    found = []
    for _ in range(5):
        begun = time.thread_time()
        read_payload("application/json", LIST)
        found.append(time.thread_time() - begun)
    return MOST_SECONDS * max(1.0, statistics.median(found) / SECONDS_OF_READING)


def delivery_of(body, webhooks):
    """A coroutine that delivers it, and what is sent then."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/webhooks/tool",
        "path_params": {"name": "tool"},
        "query_string": b"namespace=team",
        "headers": [(b"content-type", b"application/json")],
        "caller": caller(team=["REPORT"]),
    }
    return webhooks(scope, receive, send), sent


def check_turns(begin):
    """`begin` gives a coroutine: no few turns of it together take longer than what is allowed."""
    found = []
    for _ in range(ATTEMPTS):
        taken = turns(begin())
        longest = max(sum(taken[at : at + TURNS_OF_A_REQUEST]) for at in range(len(taken)))
        found.append((longest, allowed()))
        if longest < found[-1][1]:
            return
    raise AssertionError(f"the longest turns, and what was allowed, in seconds: {found}")


@pytest.mark.parametrize("name", WORST)
def test_nobody_waits_long_for_the_worst_that_is_accepted(name):
    text, body = WORST[name]
    assert len(body) <= 1_000_000
    own = Own(definition=f"title: x\n{text}")
    assert len(own.definition) <= 65_536
    catalog = Catalog([], SimpleNamespace(find=lambda name: own))
    catalog.definition_of(own)
    deliveries, answers = Nothing(), []
    webhooks = Webhooks(catalog, deliveries, Verifier(no_answer), public_url="http://here")

    def begin():
        work, sent = delivery_of(body, webhooks)
        answers.append(sent)
        return work

    check_turns(begin)
    assert {sent[-2]["status"] for sent in answers} == {200}
    assert len(deliveries.plans) == (5_000 if "items" in name else 1)


UNREADABLE = {
    "a text without end": b"[" * 20_001 + b'"' + rb"\"" * 480_000,
    "a text that ends in a backslash": b"[" * 20_001 + b'"' + b"\\" * 480_000 + b"\\",
    "lists without end": b"[" * 1_000_000,
    "deep lists": b"[" * 499_000 + b"]" * 499_000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_nobody_waits_long_for_what_cannot_be_read(name):
    own = Own(definition="title: x\n" + rules("true"))
    catalog = Catalog([], SimpleNamespace(find=lambda name: own))
    catalog.definition_of(own)
    answers = []
    webhooks = Webhooks(catalog, Nothing(), Verifier(no_answer), public_url="http://here")

    def begin():
        work, sent = delivery_of(UNREADABLE[name], webhooks)
        answers.append(sent)
        return work

    check_turns(begin)
    assert {sent[-2]["status"] for sent in answers} == {400}


@pytest.mark.parametrize("source", ["a" + " " * 4_000 + "==1", "1" + " ." * 2_000, "(" + " " * 4_000, "lower " * 600])
def test_nobody_waits_long_for_a_source_that_is_none(source):
    async def read():
        with pytest.raises(BadExpression):
            Expression(source, frozenset({"body"}), "")

    check_turns(read)


async def test_a_definition_is_compiled_beside_everything_else():
    own = Own(definition="title: x\n" + rules(*[often("1", "+") + "==1"] * 5))
    catalog = Catalog([], SimpleNamespace(find=lambda name: own))
    webhooks = Webhooks(catalog, Nothing(), Verifier(no_answer), public_url="http://here")
    others = 0

    async def count():
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    target = await webhooks._target("tool")
    counting.cancel()
    assert target.definition is not None
    assert others > 10


async def test_what_a_broken_definition_says_of_its_senders_is_read_beside_everything_else(monkeypatch):
    own, threads = Own(definition="title: x\nnonsense: 1\n" + rules("true")), []

    def read(definition):
        threads.append(threading.current_thread())
        return head_of(definition)

    monkeypatch.setattr("webhooks.deliver.head_of", read)
    catalog = Catalog([], SimpleNamespace(find=lambda name: own))
    webhooks = Webhooks(catalog, Nothing(), Verifier(no_answer), public_url="http://here")
    target = await webhooks._target("tool")
    assert target.definition is None
    assert threading.main_thread() not in threads
    assert len(threads) == 1


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_source_of_sqibs_with_many_items_is_looked_at_in_turns(is_stored):
    own = Own(name="alertmanager", definition="title: x\neach: ${body.l}\n" + rules("item.a == -1"))
    shipped = [] if is_stored else [parse_single(own.name, own.definition)]
    catalog = Catalog(shipped, SimpleNamespace(find=lambda name: own))
    catalog.definition_of(own)
    deliveries, sent = Nothing(), []
    webhooks = Webhooks(catalog, deliveries, Verifier(no_answer), public_url="http://here")
    sqibs = Sqibs(catalog, deliveries, webhooks, public_url="http://here")

    async def receive():
        return {"type": "http.request", "body": ITEMS}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/process",
        "query_string": b"from=Alertmanager&namespace=team",
        "headers": [(b"content-type", b"application/json")],
        "caller": caller(team=["REPORT"]),
    }
    taken = turns(sqibs(scope, receive, send))
    assert sent[0]["status"] == 202
    assert len(deliveries.plans) == 5_000
    assert len(taken) > 5
