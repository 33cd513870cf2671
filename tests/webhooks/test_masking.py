"""What a definition masks, in texts that were made of a delivery."""

import pytest

from webhooks.masking import MAX_SEEN, MAX_VALUES, Masking, hide, names_of


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("s3cret", "it is 's3cret', S3CRET and s3cre", "it is '***', *** and s3cre"),
        (917, "id 917 of 1917", "id *** of 1***"),
        ({"b": ["one", {"c": "two"}]}, "one, two, three", "***, ***, three"),
        (["ab", "abb", "abc"], "abx abbx abb", "***x ***x ***"),
        ("a long one that was cut", "a long one tha… (cut)", "***… (cut)"),
        ("a long one that was cut", "a long on the other hand", "*** the other hand"),
        ("two\nlines 'q'", "two\\nlines 'q'", "***"),
        ('"quoted"', '{"a":"\\"quoted\\""}', '{"a":"***"}'),
        ("it's", repr('it\'s "the" secret'), "'*** \"the\" secret'"),
        ('it\'s "it"', repr('so it\'s "it"'), "'so ***'"),
        ("two\nlines", repr('{"a":"two\\nlines"}'), '\'{"a":"***"}\''),
        ("it's\n", repr('{"a":"it\'s\\n"}'), '\'{"a":"***"}\''),
        ("two\nlines", '["{\\"a\\":\\"two\\\\nlines\\"}"]', '["{\\"a\\":\\"***\\"}"]'),
        ("sekret\0sekret99", "ev sekret\ufffdsekret99 and sekret\0sekret99", "ev *** and ***"),
        ("a\ufffdb", "a\0b", "***"),
        ("İstanbul", "in İSTANBUL", "in ***"),
        (True, "True, true", "True, true"),
        (None, "null", "null"),
        ("", "a", "a"),
        ("x", "", ""),
    ],
)
def test_a_masked_value_is_hidden_wherever_it_stands(value, text, shown):
    assert Masking(["body.a"], {"body": {"a": value, "b": "id"}}).text(text) == shown


@pytest.mark.parametrize("length", [5, 12])
@pytest.mark.parametrize("shown", range(1, 13))
def test_a_value_is_hidden_where_the_text_is_cut_within_it(length, shown):
    secret = "S3cr3tS3cr3t"[:length]
    masking = Masking(["body.a"], {"body": {"a": secret}})
    assert (
        masking.text("." * (1_000 - shown) + secret + " more")
        == "." * (1_000 - shown) + "***" + " more"[: max(0, shown - length)]
    )
    assert masking.text("." * 2_000) == "." * 1_000
    assert Masking([], {}).text("." * 2_000) == "." * 1_000


def test_paths_lead_into_lists_headers_and_queries():
    masking = Masking(
        ["body.runs.key", "headers.x-a.b", "query.q", "body.none"],
        {
            "body": [{"runs": [{"key": "one"}, {"key": "two"}, 3]}],
            "headers": {"x-a.b": "three"},
            "query": {"q": "four"},
        },
    )
    assert masking.text("one two three four five") == "*** *** *** *** five"
    assert Masking(["body.a.b"], {"body": "a text"}).text("a text") == "a text"
    assert Masking([], {"body": {"a": "b"}}).text("b") == "b"


def test_where_very_much_is_masked_texts_are_hidden_whole():
    values = [f"value {number}" for number in range(MAX_VALUES)]
    assert Masking(["body.a"], {"body": {"a": values}}).text("of value 17") == "of ***"
    assert Masking(["body.a"], {"body": {"a": [*values, "one more"]}}).text("anything") == "***"


def test_where_very_much_has_to_be_looked_at_texts_are_hidden_whole():
    rows = [{"a": "secret", "b": number} for number in range(MAX_SEEN)]
    assert Masking(["body.a"], {"body": rows[: MAX_SEEN // 2 - 1]}).text("a secret") == "a ***"
    assert Masking(["body.a"], {"body": rows}).text("anything") == "***"


def test_what_is_masked_is_hidden_where_it_stands_however_the_paths_meet():
    body = {"a": {"b": 1, "c": 2}, "l": [[{"k": "one"}], {"k": {"m": "two"}}, "k"], "n": None}
    hide(body, names_of(["body.a.b", "body.a.b.c", "body.l.k", "body.n", "body.none", "query.a"], "body"))
    assert body == {"a": {"b": "***", "c": 2}, "l": [[{"k": "***"}], {"k": "***"}, "k"], "n": "***"}
    query = {"a": "1", "b": "2", "c.d": "3"}
    hide(query, names_of(["body.b", "query.a", "query.c.d"], "query"))
    assert query == {"a": "***", "b": "2", "c.d": "***"}
