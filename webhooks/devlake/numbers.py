"""Numbers and truths of DevLake's bodies, as weakly as its decoder (Go's mapstructure) reads them and no more so."""

import re
from math import isinf
from typing import Any, Literal

from webhooks.go_json import word_of

Kind = Literal["integer", "unsigned", "number", "boolean"]

_GO_NAMES: dict[Kind, str] = {"integer": "int", "unsigned": "uint", "number": "float", "boolean": "bool"}
# Of strconv: a leading 0 is octal, digits may be parted by `_` where the base is told.
_WHOLE = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?[0-9])*)", re.ASCII
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_NO_NUMBERS = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_MOST = 2**63
_MAX_DIGITS = 80


def number_text(name: str, kind: Kind, value: Any) -> str:
    """What stands there as text, "" for nothing: an integer without what is after its point, a truth as 1 or 0.

    Raises ValueError in the decoder's words.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        text = _from_text(kind, value)
        if text is None:
            raise ValueError(f"cannot parse '{name}' as {_GO_NAMES[kind]}: {value[:40]!r}")
        return text
    if isinstance(value, dict | list):
        raise ValueError(f"expected type '{_GO_NAMES[kind]}', got '{word_of(value)}'")
    if kind == "boolean" or isinstance(value, bool):
        return "1" if value else "0"
    if abs(value) >= _MOST and (kind != "number" or isinf(value)):
        raise ValueError(f"cannot parse '{name}' as {_GO_NAMES[kind]}: value out of range")
    is_float = kind == "number" and (value % 1 or abs(value) >= _MOST)
    return str(value) if is_float else str(int(value))


def _from_text(kind: Kind, text: str) -> str | None:
    """None for what is none."""
    if kind == "boolean":
        return "1" if text in _TRUE else "0" if text in _FALSE else None
    if kind == "number":
        is_one = (_DECIMAL.fullmatch(text) and not isinf(float(text))) or _NO_NUMBERS.fullmatch(text)
        return text if is_one else None
    if len(text) > _MAX_DIGITS or not _WHOLE.fullmatch(text) or (kind == "unsigned" and text[0] in "+-"):
        return None
    digits = text.lstrip("+-").replace("_", "")
    is_octal = digits[0] == "0" and digits[1:2].isdigit()
    whole = int(digits, 8 if is_octal else 0) * (-1 if text[0] == "-" else 1)
    most = _MOST * 2 if kind == "unsigned" else _MOST
    return str(whole) if -most <= whole < most else None
