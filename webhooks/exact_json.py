"""JSON in which two whole numbers stay two: beyond 64 bits a number is the text of its digits."""

import re
from typing import Any

import orjson

# More than that takes too long to read while others wait.
MAX_LARGE = 10_000

_LEAST, _MOST = -(2**63), 2**64 - 1
_MOST_DIGITS = len(str(_MOST))
_SAME_DIGITS = bytes.maketrans(b"123456789", b"000000000")
# Where there is none of these, in a text or not, no number is large.
_LONG = (b"0" * 20, b"-" + b"0" * 19)
_LARGE = rb"(?:\d{20,}+|-\d{19,}+)(?![.eE])"
_OTHERS = rb'[^"\d-]++|"(?:[^"\\]++|\\.)*+"|(?!' + _LARGE + rb")-?\d++(?:\.\d++)?+(?:[eE][+-]?+\d++)?+"
# To be matched, not searched: where there are no more it goes to the end.
_TO_LARGE = re.compile(rb"(?:" + _OTHERS + rb")*+(" + _LARGE + rb")", re.DOTALL)


def loads(body: bytes | str) -> Any:
    """As orjson reads it, but for such numbers. Raises ValueError, for what is no JSON orjson.JSONDecodeError."""
    value = orjson.loads(body)
    body = body.encode() if isinstance(body, str) else body
    same = body.translate(_SAME_DIGITS)
    return orjson.loads(_quoted(body)) if any(long in same for long in _LONG) else value


def whole_number(digits: str) -> int | str:
    """The number, or its digits where it has more than 64 bits."""
    if len(digits) > _MOST_DIGITS:
        return digits
    number = int(digits)
    return number if _LEAST <= number <= _MOST else digits


def _quoted(body: bytes) -> bytes:
    """JSON with such numbers in quotes. Raises ValueError for very many."""
    pieces: list[bytes] = []
    at = 0
    while found := _TO_LARGE.match(body, at):
        if len(pieces) >= 2 * MAX_LARGE:
            raise ValueError(f"it has more than {MAX_LARGE:,} whole numbers of more than 64 bits")
        digits = found[1]
        is_text = isinstance(whole_number(digits.decode()), str)
        pieces += (body[at : found.start(1)], b'"%b"' % digits if is_text else digits)
        at = found.end()
    return b"".join((*pieces, body[at:]))
