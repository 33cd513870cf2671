"""The functions of our own that expressions may call. Each takes whatever it is given: none ever raises."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import orjson

from webhooks.times import TIMES
from webhooks.work import CHARACTERS_OF_A_UNIT, affordable

MAX_TEXT_LENGTH = 1_000_000
MAX_PIECES = 10_000
# How many values `find` looks at.
MAX_LOOKED_AT = 10_000
# What an item of a list, a member of an object costs, as a text of so many characters would.
_EACH = 50
# What is not ASCII takes longer to handle.
_WIDE = 5


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
        return _json_of(value)
    return str(value)


def _json_of(value: Any) -> str:
    if not affordable(CHARACTERS_OF_A_UNIT):
        return ""
    try:
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # nested deeper than JSON is written
        return ""
    return text if affordable(len(text)) else ""


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


def _handled(value: Any) -> str:
    """A value as text, "" where that is more than the delivery may cost."""
    text = text_of(value)
    return text if affordable(len(text) if text.isascii() else _WIDE * len(text)) else ""


def _lower(value: Any) -> str:
    return _handled(value).lower()


def _upper(value: Any) -> str:
    return _handled(value).upper()


def _trim(value: Any) -> str:
    return _handled(value).strip()


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        return [value]
    return list(value) if affordable(_EACH * len(value)) else []


def _urlencode(value: Any) -> str:
    return quote(_handled(value), safe="/", errors="replace")


def _join(value: Any, separator: Any) -> str:
    between = text_of(separator)
    joined: list[str] = []
    length = 0
    for item in _items(value):
        if length > MAX_TEXT_LENGTH:
            break
        joined.append(text_of(item))
        length += len(joined[-1]) + len(between)
    return between.join(joined) if affordable(length) else ""


def _pluck(value: Any, path: Any) -> list[Any]:
    found = (get(item, path) for item in _items(value))
    return [each for each in found if each is not None]


def _first(value: Any) -> Any:
    return next(iter(_items(value)), None)


def _last(value: Any) -> Any:
    return next(reversed(_items(value)), None)


def _count(value: Any) -> int:
    return len(value) if isinstance(value, str | dict) else len(_items(value))


def _concat(value: Any, other: Any) -> list[Any]:
    return _items(value) + _items(other)


def _member(value: Any, name: Any) -> Any:
    return value.get(text_of(name)) if isinstance(value, dict) else None


def _split(value: Any, separator: Any) -> list[str]:
    text, between = _handled(value), text_of(separator)
    return text.split(between, MAX_PIECES - 1) if between else [text]


def _replace(value: Any, old: Any, new: Any) -> str:
    text, old, new = _handled(value), text_of(old), text_of(new)
    times = (MAX_TEXT_LENGTH - min(len(text), MAX_TEXT_LENGTH)) // max(1, len(new))
    if not old or not affordable(min(text.count(old), times) * len(new)):
        return text
    return text.replace(old, new, times)


def _before(value: Any, separator: Any) -> str:
    return _handled(value).partition(text_of(separator) or "\0")[0]


def _after(value: Any, separator: Any) -> str:
    return _handled(value).partition(text_of(separator) or "\0")[2]


def _last_part(value: Any, separator: Any) -> str:
    return _handled(value).rpartition(text_of(separator) or "\0")[2]


def _matches_any(value: Any, words: Any) -> bool:
    texts = [_handled(item).casefold() for item in _items(value)]
    wanted = [word for word in (text_of(item).casefold() for item in _items(words)) if word]
    return affordable(len(wanted) * sum(map(len, texts))) and any(word in text for word in wanted for text in texts)


def _find(value: Any, path: Any) -> Any:
    path = text_of(path)
    for place in _places(value):
        found = get(place, path)
        if found is not None:
            return found
    return None


def _places(value: Any) -> Iterator[dict[str, Any]]:
    """The objects within, in the order of the document."""
    looked_at, waiting = 0, [value]
    while waiting and looked_at < MAX_LOOKED_AT and affordable(_EACH * 5):
        place = waiting.pop()
        looked_at += 1
        if isinstance(place, dict):
            yield place
            below = list(place.values())
        elif isinstance(place, list | tuple):
            below = list(place)
        else:
            continue
        looked_at += len(below)
        if not affordable(_EACH * len(below)):
            return
        waiting.extend(item for item in reversed(below) if isinstance(item, dict | list | tuple))


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not affordable(10 * len(value)):
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _digest(value: Any) -> str:
    return hashlib.sha256(_handled(value).encode(errors="replace")).hexdigest()


def _pairs(value: Any, name: Any, content: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in _items(value):
        key = get(item, name)
        if key is not None:
            found.setdefault(text_of(key), get(item, content))
    return found


def _keep(value: Any, names: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {name: value[name] for name in map(text_of, _items(names)) if name in value}


_OURS: dict[str, Callable[..., Any]] = {
    "after": _after,
    "before": _before,
    "concat": _concat,
    "count": _count,
    "default": _default,
    "digest": _digest,
    "find": _find,
    "first": _first,
    "get": get,
    "join": _join,
    "json": _json,
    "keep": _keep,
    "last": _last,
    "lastPart": _last_part,
    "lower": _lower,
    "matchesAny": _matches_any,
    "member": _member,
    "pairs": _pairs,
    "pluck": _pluck,
    "replace": _replace,
    "split": _split,
    "text": text_of,
    "trim": _trim,
    "upper": _upper,
    "urlencode": _urlencode,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {**_OURS, **TIMES}
