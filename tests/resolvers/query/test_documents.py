"""Whatever text comes as a document, nobody waits long for it; what it is found to be is kept."""

import asyncio
import gc
import time

import pytest
from graphql import parse

import schema
from resolvers.errors import RequestError
from resolvers.query import DocumentLimits, document
from resolvers.query.document import SHORT_CHARACTERS, Document, Documents
from resolvers.query.refused import Refused
from resolvers.turns import uncollected

NODES = "{{ issues {{ nodes {{ {} }} }} }}"
# Of what the most tokens take to be parsed, at that moment.
MOST_TIMES = 6
ATTEMPTS = 5


def numbered(count, text, between=" "):
    return between.join(text.replace("#", str(number)) for number in range(count))


def spread(count, body):
    return NODES.format(numbered(count, "...f#")) + numbered(count, f"fragment f# on Issue {{ {body} }}")


WORST = {
    "fragments of objects": spread(300, "scope{id} links{url}"),
    "fragments of leaves": spread(400, "title"),
    "fragments of what is unknown": spread(390, "a{b}"),
    "fragments in conflict": spread(300, "scope{id}") + "fragment z on Issue { scope { id: title } }",
    "fields of one name": NODES.format("title " * 1_900),
    "objects of one name": NODES.format("scope{id}" * 600),
    "objects of one name in conflict": NODES.format("scope{id}" * 600 + "scope{id:title}"),
    "one argument": "{issues(" + "first:1 " * 1_600 + "){totalCount}}",
    "unknown fields": NODES.format(numbered(1_900, "a#")),
    "unknown arguments": "{issues(" + numbered(1_600, "a#:1") + "){totalCount}}",
    "unknown members": "{issues(where:{" + numbered(1_600, "a#:1") + "}){totalCount}}",
    "unknown values": "{issues(where:{severity:{in:[" + "1 " * 4_900 + "]}}){totalCount}}",
    "inline fragments": NODES.format("... on Issue{id}" * 700),
    "fragments in circles": NODES.format("...f0") + numbered(35, "fragment f# on Issue{" + numbered(35, "...f#") + "}"),
    "variables": "query(" + numbered(1_200, "$a#:Int") + "){position}",
    "conditions": "{issues(where:{or:[" + "{severity:{eq:MAJOR}}" * 540 + "]}){totalCount}}",
    "operations": numbered(900, "query q# {position}"),
    "operations of one fragment": numbered(50, "query q#($a:Int){...f b#:position}")
    + "fragment f on Query{issues(where:{severity:{in:["
    + "$a " * 4_500
    + "]}}){totalCount}}",
    "tokens": "{position " * 6_000,
}  # fmt: skip


def documents(**limits):
    return Documents(schema.schema._schema, DocumentLimits(**limits))


def seconds(call, *arguments, **named):
    begun = time.thread_time()
    call(*arguments, **named)
    return time.thread_time() - begun


@pytest.mark.parametrize("name", WORST)
def test_reading_a_document_takes_some_times_what_parsing_one_takes(name):
    most = NODES.format("title " * 4_980)
    found = []
    for _ in range(ATTEMPTS):
        taken, allowed = seconds(documents()._read, WORST[name]), MOST_TIMES * seconds(parse, most)
        found.append((taken, allowed))
        if taken < allowed:
            return
    raise AssertionError(f"seconds taken and allowed: {found}")


@pytest.mark.parametrize("name", WORST)
async def test_whoever_does_not_ask_for_it_goes_on_meanwhile(name):
    here = documents()
    elsewhere = []

    def read(text):
        elsewhere.append(seconds(Documents._read, here, text))
        return Refused((), 0)

    here._read = read
    begun = time.thread_time()
    await here.read(WORST[name])
    assert time.thread_time() - begun < elsewhere[0] / 2


@pytest.mark.parametrize(
    "text",
    [
        NODES.format("scope{id}" * 50),
        spread(11, "scope{id}"),
        "{issues(where:{or:[" + "{}" * 230 + "]}){totalCount}}",
        "{a{" * 30,
        NODES.format("a " * 230),
    ],
)
def test_what_is_short_takes_less_than_parsing_what_is_long(text):
    assert len(text) <= SHORT_CHARACTERS
    most = NODES.format("title " * 4_980)
    assert any(seconds(documents()._read, text) < seconds(parse, most) for _ in range(ATTEMPTS))


LONG = "{ nothing }" + " " * SHORT_CHARACTERS


@pytest.fixture
def parsed(monkeypatch):
    """The texts that were parsed."""
    texts = []

    def counting(text, **limits):
        texts.append(text)
        return parse(text, **limits)

    monkeypatch.setattr(document, "parse", counting)
    return texts


@pytest.mark.parametrize("text", ["{ nothing }", "{ position", LONG, WORST["unknown members"]])
async def test_what_is_wrong_with_a_text_is_found_out_once(parsed, text):
    ours = documents()
    first, again = await ours.read(text), await ours.read(text)
    assert isinstance(first, Refused)
    assert first is again
    assert text in ours
    for _ in range(2):
        with pytest.raises(RequestError) as refused:
            ours.operation(text)
        assert refused.value.errors == first.errors
    assert parsed == [text]


async def test_refused_texts_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(document, "MAX_REFUSED_CHARACTERS", 3_500)
    ours = documents()
    texts = [f"{{ nothing{number} }}" for number in range(30)]
    for text in texts:
        await ours.read(text)
    assert ours._refused.weight <= 3_500
    assert texts[0] not in ours
    assert texts[-1] in ours


async def test_many_who_send_the_same_wait_for_one_reading(parsed):
    ours = documents()
    text = "{ position }" + " " * SHORT_CHARACTERS
    found = await asyncio.gather(*[ours.read(text) for _ in range(20)])
    assert {id(each) for each in found} == {id(found[0])}
    assert isinstance(found[0], Document)
    assert parsed == [text]


async def test_one_who_goes_away_takes_it_from_nobody():
    ours = documents()
    text = "{ position }" + " " * SHORT_CHARACTERS
    leaving, staying = asyncio.create_task(ours.read(text)), asyncio.create_task(ours.read(text))
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await staying, Document)
    assert leaving.cancelled()
    assert text in ours


@pytest.mark.parametrize("name", ["fragments of objects", "unknown fields", "objects of one name in conflict"])
def test_reading_leaves_little_that_the_collector_of_garbage_soon_looks_at(name):
    ours = documents()
    gc.collect()
    with uncollected():
        found = ours._read_whole(WORST[name])
        assert len(gc.get_objects(0)) + len(gc.get_objects(1)) < 2_000
    assert found.tokens > 1_500


async def test_what_is_trusted_stays_however_many_others_come(monkeypatch):
    monkeypatch.setattr(document, "MAX_DOCUMENTS_KEPT", 3)
    ours = documents()
    ours.trust(["{ position }"])
    first = await ours.read("{ position }")
    for number in range(5):
        await ours.read(f"{{ a{number}: position }}")
    assert await ours.read("{ position }") is first
    assert "{ a0: position }" not in ours


async def test_at_the_end_nobody_waits_for_a_document_that_is_still_to_be_read():
    ours = documents()
    texts = [NODES.format(f"a{number}: title " * 300) for number in range(30)]
    reading = [asyncio.ensure_future(ours.read(text)) for text in texts]
    await asyncio.sleep(0)
    ours.close()
    ended = await asyncio.gather(*reading, return_exceptions=True)
    assert isinstance(ended[-1], asyncio.CancelledError)
    with pytest.raises(RuntimeError):
        await ours.read(NODES.format("b: title " * 300))
