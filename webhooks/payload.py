"""The body of a delivery, whatever a tool sends: JSON, a form, JSON in a form, JSON that says it is plain text."""

import codecs
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

from resolvers.turns import uncollected
from webhooks.escaped import MAX_ESCAPES
from webhooks.expressions import too_deep
from webhooks.fence import MAX_NESTING
from webhooks.go_json import BadBody, read_json

# More than that takes too long to read while others wait.
MAX_VALUES = 100_000
MAX_CONTAINERS = 20_000
# Beyond so many, the collector of garbage would look at them, and all else, again and again as they are made.
_MANY_CONTAINERS = 500
MAX_FORM_FIELDS = 1_000
# A body that is not quite JSON is read slowly.
MAX_SLOW_BYTES = 65_536
FORM = "application/x-www-form-urlencoded"
# What some senders put before a text, and how it is written then (None: as it should be).
_MARKS = {codecs.BOM_UTF8: None, codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# One that does not end goes to the end of the body: each quote in it would be tried as a beginning.
_TEXTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class Unreadable(Exception):
    """A body that is none; the message says why."""


def read_payload(content_type: str | None, body: bytes) -> Any:
    """What expressions see as `body`: what is JSON is, whatever it is said to be. Raises Unreadable."""
    body = without_mark(body)
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == FORM:
        # curl says so of whatever it is not told more of.
        return _json(body) if _looks_like_json(body) else _form(body)
    if kind.startswith("text/"):
        try:
            return _json(body)
        except Unreadable:
            return body.decode(errors="replace")
    return _json(body)


def without_mark(body: bytes) -> bytes:
    """As UTF-8 without the mark that tells the order of bytes."""
    for mark, encoding in _MARKS.items():
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, errors="replace").encode() if encoding else body[len(mark) :]
    return body


def _looks_like_json(body: bytes) -> bool:
    bare = body.strip()
    return bare[:1] == b"{" or (bare[:1] == b"[" and bare[-1:] == b"]")


def _loaded(body: bytes, containers: int) -> Any:
    if containers < _MANY_CONTAINERS:
        return orjson.loads(body)
    with uncollected():
        return orjson.loads(body)


def _form(body: bytes) -> Any:
    if body.count(b"%") > MAX_ESCAPES:
        raise Unreadable(f"the form has more than {MAX_ESCAPES:,} escapes")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise Unreadable(f"the form cannot be read: {error}") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    if "payload" in fields:
        return _json(fields["payload"].encode(errors="replace"))
    return fields


def _json(body: bytes) -> Any:
    containers = body.count(b"[") + body.count(b"{")
    if containers > MAX_CONTAINERS or containers + body.count(b",") > MAX_VALUES:
        bare = _TEXTS.sub(b"", body)
        containers = bare.count(b"[") + bare.count(b"{")
        if containers > MAX_CONTAINERS or containers + bare.count(b",") > MAX_VALUES:
            most = f"{MAX_VALUES:,} values, or more than {MAX_CONTAINERS:,} lists and objects"
            raise Unreadable(f"the body has more than {most}")
    try:
        value = _loaded(body, containers)
    except orjson.JSONDecodeError as error:
        if len(body) > MAX_SLOW_BYTES:
            raise Unreadable(f"the body is not JSON: {error}") from None
        try:
            return read_json(body, whole=True)
        except BadBody as wrong:
            raise Unreadable(f"the body is not JSON: {wrong}") from None
    if containers > MAX_NESTING and too_deep(value):
        raise Unreadable(f"the body is nested deeper than {MAX_NESTING}")
    return value
