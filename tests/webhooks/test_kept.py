"""What is kept of users' definitions is bounded, and what copies have in common is there once."""

from itertools import count

from webhooks import kept
from webhooks.definition import ours, parse_single
from webhooks.expressions import Expression
from webhooks.kept import KeptDefinitions

numbers = count()


def definition(rules=1, *, of="body.a", text=""):
    each = "".join(f"  - {{when: '{of} == {number}', ignore: a}}\n" for number in range(rules))
    return parse_single("x", f"title: x{text}\nrules:\n{each}")


def kept_of(definitions):
    those = KeptDefinitions()
    for number, each in enumerate(definitions):
        those.put(number, each)
    return [number for number in range(len(definitions)) if number in those]


def test_the_same_text_is_compiled_once_however_many_have_it():
    source = f"body.a == {next(numbers)} && body.b"
    one, two = Expression(source, place="a"), Expression(source, place="b")
    assert one.compiled is two.compiled
    assert (one.place, two.place) == ("a", "b")


def test_copies_of_a_large_one_stay():
    (shipped,) = [each for each in ours().single if each.name == "github"]
    copies = [parse_single("x", shipped.text.replace("title: ", f"title: {number} ", 1)) for number in range(300)]
    assert kept_of(copies) == list(range(300))


def test_different_ones_are_bounded_by_their_memory(monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 300_000)
    one = definition(20, of="body.a")
    size = 170 * sum(len(each.source) for each in one.expressions) + 600 * 20 + len(one.text)
    several = [definition(20, of=f"body.{letter}") for letter in "abcdefghij"]
    assert len(kept_of(several)) == 300_000 // size
    assert kept_of(several)[-1] == 9
    # What a copy takes by itself is little.
    assert len(kept_of([definition(20, text=number) for number in range(12)])) == 12


def test_who_goes_takes_its_texts_along_and_no_others(monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    those = KeptDefinitions()
    for number, of in enumerate(("body.a", "body.a", "body.b", "body.c")):
        those.put(number, definition(5, of=of))
    assert [number in those for number in range(4)] == [False, False, True, True]
    assert sum(those._sources.values()) == 10
    monkeypatch.setattr(kept, "MOST", 0)
    those.put("last", definition())
    assert (those._sources, those._bytes) == ({}, 0)
