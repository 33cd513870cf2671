"""What is wrong is told in few words, however long what is wrong is."""

import pytest

import schema
from resolvers.errors import RequestError
from resolvers.query import DocumentLimits
from resolvers.query.document import Documents
from schema.problems import errors_of

LONG = 900_000
WHERE = "query ($w: IssueWhere) { issues(where: $w) { totalCount } }"


def errors(text, variables=None, name=None):
    with pytest.raises(RequestError) as refused:
        Documents(schema.schema._schema, DocumentLimits()).operation(text, name, variables)
    return errors_of(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{" + "a" * LONG + "}", "A name may have at most 1,000 characters; this one has 900,000."),
        ("{a:" + "a" * 1_001 + "}", "A name may have at most 1,000 characters; this one has 1,001."),
        ("{issues(first:" + "9" * LONG + ")}", "A number may have at most 100 characters; this one has 900,000."),
        ("{issues(first:-" + "9" * 100 + ")}", "A number may have at most 100 characters; this one has 101."),
        (
            "{issues(first:" + "9" * 70 + "." + "9" * 70 + ")}",
            "A number may have at most 100 characters; this one has 141.",
        ),
    ],
)
def test_absurd_words_are_refused_in_our_own(text, message):
    (error,) = errors(text)
    assert (error["message"], error["extensions"]) == (message, {"code": "TOO_COMPLEX"})
    assert error["locations"][0]["line"] == 1


@pytest.mark.parametrize("text", ["{" + "a" * 1_000 + "}", "{issues(first:" + "9" * 100 + "){totalCount}}"])
def test_what_is_only_long_is_told_as_ever(text):
    (error,) = errors(text)
    assert error["message"].startswith(("Cannot query field 'aaa", "Int cannot represent non 32-bit signed integer"))


async def test_long_words_in_strings_are_no_names(house):
    answer = await house.ask('{ issues(where: {title: {eq: "' + "a" * LONG + '"}}) { totalCount } }')
    assert answer == {"issues": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("text", "variables", "begins", "ends"),
    [
        ("{" + "a" * LONG, None, "Syntax Error: Expected Name", ""),
        ("{ position } " + "a" * LONG, None, "Syntax Error: Unexpected Name 'aaa", "a'."),
        ('{ issues(first: "' + "9" * LONG + '") { totalCount } }', None, "Int cannot represent non-integer", '9"'),
        (
            '{ issues(where: {severity: "' + "9" * LONG + '"}) { totalCount } }',
            None,
            "Expected value of type 'SeverityFilter' to be an object, found: \"999",
            '9".',
        ),
        (WHERE, {"w": {"severity": {"eq": "a" * LONG}}}, "Variable '$w' has invalid value at .severity.eq", "enum."),
        (WHERE, {"w": {"a" * LONG: 1}}, "Variable '$w' has invalid value: Expected value of type 'IssueWhere'", "."),
        ("{ position }", None, "Unknown operation named 'aaa", "a'."),
        ("{ issue(id: 1, " + " ".join(f"a{n}: 1" for n in range(1_000)) + ") { id } }", None, "Unknown argument", ""),
        ("{ issues(where: {" + " ".join(f"a{n}: 1" for n in range(1_600)) + "}) { totalCount } }", None, "Exp", ""),
    ],
)  # fmt: skip
def test_an_error_quotes_the_ends_of_what_is_long(text, variables, begins, ends):
    found = errors(text, variables, "a" * LONG if text == "{ position }" else None)
    assert found[0]["message"].startswith(begins)
    assert found[0]["message"].endswith(ends)
    assert all(len(error["message"]) <= 500 and len(error.get("locations", [])) <= 20 for error in found)
    assert len(found) <= 101
