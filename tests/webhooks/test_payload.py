"""Bodies as tools send them, whatever they call them."""

import codecs
import json

import pytest

from webhooks.payload import FORM, Unreadable, read_payload

VALUES = [{"a": "b=c&d=é"}, [1, {"a": None}], {}, []]


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8", "application/json", "text/plain", "", None])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8, b" \r\n"])
def test_json_is_json_whatever_it_is_said_to_be(kind, value, mark):
    assert read_payload(kind, mark + json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_mark_tells_how_a_text_is_written(encoding):
    mark = b"" if encoding == "utf-16" else codecs.BOM_UTF16_BE
    assert read_payload("application/json", mark + '{"a": "é"}'.encode(encoding)) == {"a": "é"}


def test_a_form_is_a_form():
    assert read_payload(FORM, b"a=1&b=%7B%7D&a=2") == {"a": "1", "b": "{}"}
    assert read_payload(FORM, b'payload={"a": [1]}') == {"a": [1]}
    assert read_payload(FORM, b"[0]=a&[1]=b") == {"[0]": "a", "[1]": "b"}
    assert read_payload(FORM, b"") == {}


def test_what_is_json_but_too_much_is_no_form():
    with pytest.raises(Unreadable, match="nested deeper"):
        read_payload(FORM, b"[" * 200 + b"]" * 200)
    with pytest.raises(Unreadable, match="not JSON"):
        read_payload(FORM, b'{"a": ')
    with pytest.raises(Unreadable, match="not JSON"):
        read_payload("application/json", codecs.BOM_UTF8 + b"a=b")


def test_a_form_of_escapes_is_refused():
    body = b"payload=" + b"%22" * 100_001
    with pytest.raises(Unreadable, match="escapes"):
        read_payload("application/x-www-form-urlencoded", body)


@pytest.mark.parametrize("more", ["\n", " ", ""])
@pytest.mark.parametrize("value", ['{"a": 1}', '{"a": 1,}', "[1]"])
def test_a_body_is_one_value_however_long_it_is(value, more):
    two = f"{value}{more}{value}".encode()
    for body in (two, two + b" " * 100_000):
        with pytest.raises(Unreadable, match="not JSON"):
            read_payload("application/json", body)
    assert read_payload("text/plain", two) == two.decode()
