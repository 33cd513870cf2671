"""The functions of our own that expressions may call. Each takes whatever it is given: none ever raises."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson

MAX_TEXT_LENGTH = 1_000_000


def text_of(value: Any) -> str:
    """A value as text: nothing is "", true and false are words, lists and objects are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list | tuple | dict):
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS).decode()
    return str(value)


def get(value: Any, path: Any) -> Any:
    """What stands at a path of names and indexes with dots (`build.steps.0.name`), or null."""
    for name in text_of(path).split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value


def _default(value: Any, fallback: Any) -> Any:
    return fallback if value is None or value == "" else value


def _lower(value: Any) -> str:
    return text_of(value).lower()


def _upper(value: Any) -> str:
    return text_of(value).upper()


def _trim(value: Any) -> str:
    return text_of(value).strip()


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _urlencode(value: Any) -> str:
    return quote(text_of(value), safe="/", errors="replace")


def _join(value: Any, separator: Any) -> str:
    between = text_of(separator)
    joined: list[str] = []
    length = 0
    for item in _items(value):
        if length > MAX_TEXT_LENGTH:
            break
        joined.append(text_of(item))
        length += len(joined[-1]) + len(between)
    return between.join(joined)


def _pluck(value: Any, path: Any) -> list[Any]:
    found = (get(item, path) for item in _items(value))
    return [each for each in found if each is not None]


def _first(value: Any) -> Any:
    return next(iter(_items(value)), None)


def _last(value: Any) -> Any:
    return next(reversed(_items(value)), None)


def _count(value: Any) -> int:
    return len(value) if isinstance(value, str | dict) else len(_items(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "count": _count,
    "default": _default,
    "first": _first,
    "get": get,
    "join": _join,
    "last": _last,
    "lower": _lower,
    "pluck": _pluck,
    "text": text_of,
    "trim": _trim,
    "upper": _upper,
    "urlencode": _urlencode,
}
