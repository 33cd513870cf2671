"""Request bodies read as Kite's clients know it: forgiving where Kite is, refused in the words of Go's decoder."""

import json
from typing import Any

import orjson

from webhooks.expressions import too_deep

_WHITE = " \t\r\n"
_AT_A_VALUE = "looking for beginning of value"
_AFTER = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


class BadBody(Exception):
    """A body that is not what the route takes; the message is for the answer's `details`."""


def read_json(body: bytes, *, whole: bool = False) -> Any:
    """The first JSON value of a body; what follows it is ignored, unless it is to be the `whole`. Raises BadBody."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _read_slowly(body, whole)
    if too_deep(value):
        raise BadBody("exceeded max depth")
    return value


def word_of(value: Any) -> str:
    """What Go's decoder calls the kind of a JSON value that is not null."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


def _read_slowly(body: bytes, whole: bool) -> Any:
    text = body.decode(errors="replace").lstrip(_WHITE)
    if not text:
        raise BadBody("EOF")
    try:
        value, end = json.JSONDecoder(parse_constant=_no_constant, parse_int=_number).raw_decode(text)
    except json.JSONDecodeError as error:
        raise BadBody(_words(error.msg, text, error.pos)) from None
    except RecursionError:
        raise BadBody("exceeded max depth") from None
    if whole and text[end:].strip(_WHITE):
        raise BadBody("something follows the first value")
    return _without_halves(value)


def _no_constant(word: str) -> Any:
    raise BadBody(f"invalid character '{word.strip('-')[0]}' looking for beginning of value")


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else float(digits)


def _words(message: str, text: str, at: int) -> str:
    if message.startswith("Unterminated string") or not text[at:].strip(_WHITE):
        return "unexpected EOF"
    if message.startswith("Invalid") and at + 1 >= len(text):
        return "unexpected EOF"
    if message.startswith("Expecting ',' delimiter"):
        where = "after object key:value pair" if _is_in_object(text[:at]) else "after array element"
    else:
        where = next((where for start, where in _AFTER.items() if message.startswith(start)), _AT_A_VALUE)
    if message.startswith("Invalid"):
        character = text[at + ("\\" in message)]
    else:
        character = text[at:].lstrip(_WHITE)[0]
    shown = "'\\''" if character == "'" else "'\"'" if character == '"' else json.dumps(character).replace('"', "'")
    return f"invalid character {shown} {where}"


def _is_in_object(text: str) -> bool:
    """Whether the innermost bracket that is open at the end of a text is a brace."""
    opened: list[str] = []
    in_text = escaped = False
    for character in text:
        if in_text:
            in_text = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_text = True
        elif character in "{[":
            opened.append(character)
        elif character in "}]" and opened:
            opened.pop()
    return bool(opened) and opened[-1] == "{"


def _without_halves(value: Any) -> Any:
    """Halves of surrogate pairs become U+FFFD, as Go reads them. Deep data was refused by the decoder."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_halves(item) for item in value]
    return value
