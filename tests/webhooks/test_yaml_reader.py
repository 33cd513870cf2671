"""YAML as definitions are written in: what is used again, and what JSON would have in a sample."""

from pathlib import Path

import pytest

from webhooks.yaml_reader import MAX_CHARACTERS, MAX_VALUES, DefinitionError, read_text

FILE = Path("a.yaml")


def read(text):
    return read_text(text, FILE).data()


def test_values_are_those_that_json_would_have():
    told = "{a: null, b: 'null', c: true, d: \"7\", e: 7, f: -1.5, g: on, h: ~, i: 007, j: [1, [false]], k: '', l: }"
    assert read(told) == {
        "a": None,
        "b": "null",
        "c": True,
        "d": "7",
        "e": 7,
        "f": -1.5,
        "g": "on",
        "h": None,
        "i": "007",
        "j": [1, [False]],
        "k": "",
        "l": None,
    }


def test_what_is_named_can_be_used_again_and_changed():
    assert read("a: &one {x: 1, y: 2}\nb: *one\nc: {<<: *one, y: 3, z: 4}") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3, "z": 4},
    }


def test_several_can_be_used_again_at_once_and_the_first_has_the_say():
    told = "a: &one {x: 1, y: 2}\nb: &two {y: 3, z: 4}\nc: {<<: [*one, *two], z: 5}\nd: {<<: [*two, {<<: *one, w: 6}]}"
    assert read(told)["c"] == {"x": 1, "y": 2, "z": 5}
    assert read(told)["d"] == {"x": 1, "y": 3, "z": 4, "w": 6}
    assert read("a: {'<<': {b: 1}}") == {"a": {"<<": {"b": 1}}}
    assert read("a: {<<: , b: 1}\nc: {<<: ~, d: 1}") == {"a": {"b": 1}, "c": {"d": 1}}


@pytest.mark.parametrize("text", ["text", "[{b: 1}, 2]", "''", "[[{b: 1}]]"])
def test_what_cannot_be_used_again_in_a_mapping_is_refused_where_it_is(text):
    with pytest.raises(DefinitionError) as refused:
        read(f"a: 1\nc:\n  <<: {text}\n  d: 1")
    assert (refused.value.keys, refused.value.line) == ("c.<<", 3)
    assert refused.value.problem == "must be a mapping, or a list of mappings"


def test_numbers_are_those_that_a_payload_would_have():
    told = (
        "[12345678901234567890, 123456789012345678901234567890, 1e3, -0.5, 0x1f, 1_000, .5, .inf, 12:30:45, 2026-11-20]"
    )
    assert read(f"a: {told}")["a"] == [
        *(12345678901234567890, 1.2345678901234568e29, 1000.0, -0.5),
        *("0x1f", "1_000", ".5", ".inf", "12:30:45", "2026-11-20"),
    ]
    for number in ("1e400", "1" * 400):
        with pytest.raises(DefinitionError, match=r":2: b: is a number that is too large"):
            read(f"a: 1\nb: {number}")
        assert read(f"b: '{number}'") == {"b": number}


def test_words_may_be_in_upper_case_and_keys_are_texts():
    assert read("{a: True, b: FALSE, c: Null, d: tRUE, e: yes, f: off}") == {
        "a": True,
        "b": False,
        "c": None,
        "d": "tRUE",
        "e": "yes",
        "f": "off",
    }
    assert read("{1: a, true: b, on: c, ~: d, 2026-11-20: e}") == {
        "1": "a",
        "true": "b",
        "on": "c",
        "~": "d",
        "2026-11-20": "e",
    }


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3", 3, "is here twice"),
        ("a: 1\n---\nb: 2", 2, "is not YAML: but found another document"),
        ("a: ü\nb: '\0'", 2, "is not YAML: control characters are not allowed"),
        ("a: 1\nb: *c", 2, "is not YAML: found undefined alias"),
        ("# nothing", 1, "is empty"),
    ],
)
def test_what_is_no_single_document_is_refused_with_the_line(text, line, problem):
    with pytest.raises(DefinitionError) as refused:
        read(text)
    assert (refused.value.line, refused.value.problem) == (line, problem)


def test_few_lines_that_are_very_much_are_refused():
    doubled = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))
    with pytest.raises(DefinitionError, match=rf"has more than {MAX_CHARACTERS:,} characters"):
        read(f"a0: &a0 lol\n{doubled}")


def test_a_long_text_that_is_used_often_is_refused():
    with pytest.raises(DefinitionError, match="what is used again counted each time"):
        read(f"a: &a {'x' * 50_000}\nb: [{', '.join(['*a'] * 10)}]")


def test_what_holds_itself_is_refused():
    with pytest.raises(DefinitionError, match="is nested deeper than 100"):
        read("a: &a [*a]")


@pytest.mark.parametrize("text", ["[" * 30_000, "- " * 30_000, "{a: " * 15_000, "[" * 10_000 + "]" * 10_000])
def test_depth_without_end_is_refused_and_ends_no_process(text):
    with pytest.raises(DefinitionError, match=r":1: is nested deeper than 100"):
        read(text)


def test_more_values_than_a_definition_needs_are_refused():
    rows = [f"k{number}: v" for number in range(MAX_VALUES // 2)]
    assert len(read("\n".join(rows[:-1]))) == MAX_VALUES // 2 - 1
    with pytest.raises(DefinitionError, match=f":{MAX_VALUES // 2}: has more than 8,000 values"):
        read("\n".join(rows))


def test_depth_that_is_put_together_of_shallow_pieces_is_refused():
    pieces = "\n".join(f"a{n}: &a{n} {'[' * 60}{f'*a{n - 1}' if n else 'x'}{']' * 60}" for n in range(3))
    with pytest.raises(DefinitionError, match="is nested deeper than 100"):
        read(pieces)


@pytest.mark.parametrize("tag", ["!!python/object:os.system", "!mine", "!!int", "!!binary"])
def test_tags_are_refused_where_they_are(tag):
    with pytest.raises(DefinitionError, match=r"tags such as !.* are not read") as refused:
        read(f"a: 1\nb:\n  c: {tag} 'd!'")
    assert refused.value.line == 3
    assert read("a: wow!") == {"a": "wow!"}


def test_a_key_that_is_no_text_is_told_by_its_place():
    with pytest.raises(DefinitionError) as refused:
        read("a:\n  ? [1, 2]\n  : b")
    assert (refused.value.keys, refused.value.line, refused.value.problem) == ("a", 2, "a key must be a text")
