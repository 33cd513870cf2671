"""Definitions of users that are kept compiled, as far as memory goes."""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from threading import Lock

from webhooks.definition import SingleDefinition

MOST = 1_000
MOST_BYTES = 85_000_000
# What an expression takes by itself, and each character of what it was compiled from: that is there once for all that
# have the same text.
_BYTES_AN_EXPRESSION = 600
_BYTES_A_CHARACTER = 170


class KeptDefinitions:
    """By their keys; the least used go. For threads too."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, SingleDefinition] = OrderedDict()
        self._sources: Counter[str] = Counter()
        self._bytes = 0
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable) -> SingleDefinition | None:
        """What was put there, if it is still kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, definition: SingleDefinition) -> None:
        """Keeps a definition, without its samples."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = definition = replace(definition, samples=())
            self._bytes += _own_bytes(definition)
            for source in _sources_of(definition):
                self._bytes += 0 if self._sources[source] else _bytes_of(source)
                self._sources[source] += 1
            while len(self._kept) > MOST or self._bytes > MOST_BYTES:
                self._forget(self._kept.popitem(last=False)[1])

    def _forget(self, definition: SingleDefinition) -> None:
        self._bytes -= _own_bytes(definition)
        for source in _sources_of(definition):
            self._sources[source] -= 1
            if not self._sources[source]:
                del self._sources[source]
                self._bytes -= _bytes_of(source)


def _sources_of(definition: SingleDefinition) -> set[str]:
    return {expression.source for expression in definition.expressions}


def _own_bytes(definition: SingleDefinition) -> int:
    return len(definition.text) + _BYTES_AN_EXPRESSION * len(definition.expressions)


def _bytes_of(source: str) -> int:
    return _BYTES_A_CHARACTER * len(source)
