"""What a document will cost is told before it is read, and is what reading it finds."""

import pytest
from graphql import parse

from resolvers.query.tokens import tokens_in
from web.dashboard_page import page_documents

SPECIAL = [
    "{a}",
    "\ufeff { a,,, b } # a comment {",
    "#\r\n#{\n{ a } #",
    "query A($a: [Int!]! = -12.5e+3 @b) @c { ...F ... on D @include(if: $a) { e(f: {g: [1 -2], h: E}) } }",
    'query($a: String = "a \\" b # {\\u00e9") { a(b: "", c: "é") }',
    '{ a(b: """ one " two "" three \\""" \\ four\n # five """, c: """""") }',
    "fragment F on A { b } subscription S { c d }",
]


@pytest.mark.parametrize("text", [*SPECIAL, *page_documents().values()])
def test_tokens_are_counted_as_the_parser_counts_them(text):
    assert tokens_in(text, 10_000) == parse(text).token_count


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("{ a " * 9, 7),
        ('{ a(b: "c', 6),
        ('{ a(b: """c', 6),
        ("{ é ? }", 4),
        ("#" * 9, 1),
        ("{ a " * 100_000, 7),
    ],
)
def test_no_more_is_counted_than_will_be_read_and_what_is_no_document_is_counted_too(text, tokens):
    assert tokens_in(text, 7) == tokens


@pytest.mark.parametrize("piece", ["a ", "#\n", " ", ", ", '"', '\\"', '""" ', '\\"""', "1", "...", "-", "é"])
@pytest.mark.parametrize("beginning", ["", "{", '"', '"""'])
def test_of_a_very_long_text_only_the_beginning_is_looked_at(beginning, piece):
    assert tokens_in(beginning + piece * 1_000_000, 10**9) <= 50_000
