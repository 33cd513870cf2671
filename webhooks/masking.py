"""What a definition masks in a delivery stays hidden in the texts that are made of it: messages, notices, the event."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import orjson

from resolvers.mutation.record_delivery import MAX_MESSAGE_LENGTH
from webhooks.functions import text_of
from webhooks.paths import Names, merged

MASK = "***"
# Where more is masked than that, texts are hidden whole,
MAX_VALUES = 3_000
# as where so much has to be looked at to find it.
MAX_SEEN = 12_000
# So many of its first characters tell a value, of which the rest may be cut.
_TELLING = 8


class Masking:
    """Hides values of one delivery. `mask` are paths such as `body.token`, `variables` what they lead into.

    Upper and lower case are the same. What is true, false or null is no secret.
    """

    def __init__(self, mask: Sequence[str], variables: Mapping[str, Any]) -> None:
        self._mask = mask
        self._variables = variables

    def text(self, text: str) -> str:
        """Its first 1,000 characters, with `***` for each masked value.

        It must not be cut before: of a value that is cut, the first characters alone would not tell it.
        """
        if not self._mask or not text:
            return text[:MAX_MESSAGE_LENGTH]
        if self._values is None:
            return MASK
        text = _storable(text)
        if not self._values:
            return text[:MAX_MESSAGE_LENGTH]
        # What begins before the end shows by what stands behind that.
        folded = _folded(text[: MAX_MESSAGE_LENGTH + _TELLING])
        text = text[:MAX_MESSAGE_LENGTH]
        parts: list[str] = []
        at = shown = 0
        while at < len(text):
            length = self._length_at(folded, at)
            if length:
                parts += (text[shown:at], MASK)
                shown = at + length
            at += length or 1
        return "".join(parts) + text[shown:]

    def _length_at(self, text: str, at: int) -> int:
        """How long the longest value is that stands there, or the beginning of one; 0 for none."""
        longest = 0
        if text[at : at + _TELLING] in self._beginnings:
            rest = text[at:]
            place = bisect.bisect(self._long, rest)
            for value in self._long[max(0, place - 1) : place + 1]:
                longest = max(longest, _alike(value, rest))
        short = (length for length in self._lengths if text[at : at + length] in self._short)
        return max(longest, next(short, 0))

    @cached_property
    def _values(self) -> frozenset[str] | None:
        """None: there are too many."""
        plain: set[str] = set()
        for what in ("body", "headers", "query"):
            for value in _leaves(self._variables.get(what), names_of(self._mask, what)):
                if value is None or len(plain) > MAX_VALUES:
                    return None
                # The beginning of a longer one is found too.
                plain.add(value[:MAX_MESSAGE_LENGTH])
        found = {_folded(_storable(form)) for value in plain for form in _forms(value)}
        return None if len(found) > MAX_VALUES else frozenset(found - {""})

    @cached_property
    def _long(self) -> list[str]:
        return sorted(value for value in self._values or () if len(value) >= _TELLING)

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(value[:_TELLING] for value in self._long)

    @cached_property
    def _short(self) -> frozenset[str]:
        return frozenset(value for value in self._values or () if len(value) < _TELLING)

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(value) for value in self._short}, reverse=True)


def names_of(mask: Sequence[str], what: str) -> Names:
    """Those of the paths that lead into one of body, headers and query, as a tree. Of headers they have no members."""
    split = (path.partition(".") for path in mask)
    paths = (names for first, _, names in split if first == what)
    return merged(tuple(names.split(".")) if what == "body" else (names,) for names in paths)


def hide(value: Any, names: Names) -> None:
    """Puts MASK where these lead to, of a list in each of its items."""
    waiting = [(value, names)]
    while waiting:
        value, names = waiting.pop()
        if isinstance(value, list):
            waiting += ((item, names) for item in value)
        elif isinstance(value, dict):
            for name in _named(value, names):
                below = names[name]
                if below is None:
                    value[name] = MASK
                else:
                    waiting.append((value[name], below))


def _leaves(value: Any, names: Names) -> Iterator[str | None]:
    """The texts and numbers under names, of a list in each of its items; then None, where there is too much to see."""
    waiting: list[Iterator[tuple[Any, Names | None]]] = [iter([(value, names)])]
    seen = 0
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            continue
        seen += 1
        if seen > MAX_SEEN:
            yield None
            return
        value, below = found
        if isinstance(value, list):
            waiting.append(zip(value, repeat(below)))
        elif isinstance(value, Mapping):
            if below is None:
                waiting.append(zip(value.values(), repeat(None)))
            else:
                waiting.append(iter([(value[name], below[name]) for name in _named(value, below)]))
        elif below is None and value is not None and not isinstance(value, bool):
            yield text_of(value)


def _forms(value: str) -> Iterator[str]:
    """How a text is written within others: as it is, in quotes of Python, in a text that has both kinds; and each of
    these of its JSON, as of a text that a value was made into."""
    in_json = _in_json(value)
    for form in (value, in_json):
        yield form
        yield repr(form)[1:-1]
        yield repr(f"{form}'\"")[1:-4]
    yield _in_json(in_json)


def _in_json(value: str) -> str:
    return orjson.dumps(value).decode()[1:-1]


def _named(value: Mapping[str, Any], names: Names) -> list[str]:
    """The members that are named: there may be many of either."""
    few, many = (value, names) if len(value) < len(names) else (names, value)
    return [name for name in few if name in many]


def _alike(one: str, other: str) -> int:
    """How many of their first characters are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((length for length, (mine, yours) in pairs if mine != yours), min(len(one), len(other)))


def _storable(text: str) -> str:
    """As texts are kept, some of which come so: no database has NUL."""
    return text.replace("\0", "\ufffd")


def _folded(text: str) -> str:
    """In lower case, each character in its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(each if len(each.lower()) != 1 else each.lower() for each in text)
