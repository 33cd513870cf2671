"""Credentials in bodies: however they are written, nobody sees them."""

import codecs
import json
import re
from urllib.parse import quote, quote_plus

import orjson
import pytest

from webhooks.credentials import HIDDEN, body_without_tokens
from webhooks.payload import FORM, read_payload

OURS = f"igt_{'Az09' * 12}x"
SECRETS = ("q1w2e3r4/t5y6", 'with "quotes" & \\ of it', "a b&c=d/é of 🙂 the sender", "/begins-and-ends/", OURS)


def php(text):
    return json.dumps(text).replace("/", "\\/")


def go(text):
    return json.dumps(text, ensure_ascii=False).replace("&", "\\u0026").replace("/", "\\u002f")


def whole(text):
    return '"' + "".join(f"\\u{unit:04X}" for unit in units(text)) + '"'


def mixed(text):
    return '"' + "".join(f"\\u{unit:04x}" if unit % 2 else json.dumps(chr(unit))[1:-1] for unit in units(text)) + '"'


def units(text):
    pairs = text.encode("utf-16-be")
    return [pairs[at] << 8 | pairs[at + 1] for at in range(0, len(pairs), 2)]


def lower(text):
    return re.sub("%..", lambda match: match[0].lower(), quote_plus(text))


def in_part(text):
    return "".join(
        f"%{byte:02x}" if place % 2 or not chr(byte).isalnum() or byte > 127 else chr(byte)
        for place, byte in enumerate(text.encode())
    )


IN_JSON = [json.dumps, php, go, whole, mixed]


def in_text(write):
    return lambda text: write('{"token": ' + write(text) + "}")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("write", [*IN_JSON, *map(in_text, IN_JSON), *map(in_text, map(in_text, IN_JSON))])
@pytest.mark.parametrize("around", ["%s", "\n\\%s\\", '"/%s/"', "token=%s&b=c"])
def test_a_secret_is_hidden_however_json_writes_it(secret, write, around):
    text = write(around % secret)
    body = f'{{"a": [1, {text}], {text}: "rest é \\u00e9 \\/ %2f"}}'
    _hides(None, body.encode(), secret, "rest é é / %2f")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("write", [quote, quote_plus, lower, in_part, lambda text: quote(quote(text, safe=""))])
def test_a_secret_is_hidden_however_a_form_writes_it(secret, write):
    body = f"before=1%2f+2&token=by+{write(secret)}.&after={write('é')}"
    shown = read_payload(FORM, body_without_tokens(body.encode(), SECRETS))
    assert shown["before"] == "1/ 2"
    assert shown["token"] == f"by {HIDDEN}."
    # So it is in a text that is an address.
    text = read_payload(None, body_without_tokens(json.dumps([body]).encode(), SECRETS))[0]
    assert write(secret) not in text
    assert f"token=by+{HIDDEN}.&" in text


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("write", [*IN_JSON, *map(in_text, IN_JSON)])
@pytest.mark.parametrize("escape", [quote_plus, lower, in_part])
def test_a_secret_is_hidden_in_json_of_a_form(secret, write, escape):
    text = write(f"by {secret}.")
    body = "x=1&payload=" + escape(f'{{"a": {text}, "b": "rest"}}')
    _hides(FORM, body.encode(), secret, "rest")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_secret_is_hidden_in_any_encoding(encoding):
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
    body = mark + json.dumps({"a": SECRETS[0], "b": "rest"}).encode(encoding)
    _hides(None, body, SECRETS[0], "rest")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "q1w2e3r4\\/t5y7", "b": "\\u00e9\\u002f%2f"}',
        '{"a": "igt\\u005fshort"}',
        "\\" * 100 + "%5c" * 100,
        "\\u00",
        "%",
    ],
)
def test_a_body_without_any_stays_as_it_came(text):
    body = text.encode()
    assert body_without_tokens(body, SECRETS) is body
    marked = codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    assert body_without_tokens(marked, SECRETS) is marked


def _hides(kind, body, secret, rest):
    """`rest` is what else there is of it."""
    shown = body_without_tokens(body, SECRETS[:4])
    read = orjson.dumps(read_payload(kind, shown)).decode()
    assert rest in read
    assert HIDDEN in read
    # As whoever reads a text as JSON would see it, to any depth.
    for _ in range(4):
        assert secret not in read
        read = read.replace('\\"', '"').replace("\\\\", "\\").encode().decode("raw_unicode_escape").replace("\\/", "/")


@pytest.mark.parametrize("secret", ["/q1w2e3r4t5y6", '"q1w2e3r4t5y6', "\\q1w2e3r4t5y6", "q1w2e3r4t5y6\\"])
@pytest.mark.parametrize("write", [json.dumps, php])
def test_json_stays_json_where_a_secret_is_hidden(secret, write):
    body = b'{"a": %b, "b": "c"}' % write(secret).encode()
    shown = orjson.loads(body_without_tokens(body, [secret]))
    assert (shown["a"].rstrip("\\"), shown["b"]) == (HIDDEN, "c")


@pytest.mark.parametrize("secret", ["\\" * 16, "\\" * 16 + "a"])
def test_a_secret_of_backslashes_hides_nothing_else(secret):
    body = b'{"t": "a\\\\b"}'
    assert body_without_tokens(body, [secret]) == body


# Of each a megabyte: in a time that grows with its square that would take hours.
@pytest.mark.parametrize("unit", ["\\", "%5c", "%255C", "\\%5c", "%25%25", "igt", "\\/", "%2f", "+", "\\u005cu00"])
@pytest.mark.parametrize("secret", [OURS, "/" * 300 + "x", "q1w2e3r4/t5y6", "\\q1w2e3r4/t5y6"])
def test_a_large_body_of_escapes_is_looked_through_once(unit, secret):
    body = b'{"t": "\\u0069 ' + (unit * (1_000_000 // len(unit))).encode() + b'u00zz"}'
    assert body_without_tokens(body, [secret]) == body
