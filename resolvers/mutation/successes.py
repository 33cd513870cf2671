"""What was told to be well again, and when: a failure from before that, told later, is over."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import orjson

from resolvers.mutation.fingerprint import DIGEST_BYTES, has_parts
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.values import PartValue

# Namespace, and digest of it and of a scope.
Place = tuple[str, str]


class SuccessRow(NamedTuple):
    """As the table has it."""

    key: str
    namespace: str
    place: str
    issue_type: str | None
    parts: str | None
    at: str


def place_of(namespace: str, scope: ScopeKey) -> Place:
    """Where successes of a scope are found that are told in a namespace."""
    return namespace, _digest([namespace, *scope])


class Successes:
    """Those of the places that a batch asked for, and what the batch adds and changes."""

    def __init__(self) -> None:
        # By their places, of those that were asked for.
        self._there: dict[Place, dict[str, SuccessRow]] = {}
        self._read: set[str] = set()
        self.changed: dict[str, SuccessRow] = {}

    def take(self, places: Iterable[Place], rows: Iterable[SuccessRow]) -> None:
        """Rows as the database has them; all of `places` are among them."""
        self._there.update((place, {}) for place in places)
        for row in rows:
            self._there[row.namespace, row.place][row.key] = row
            self._read.add(row.key)

    @property
    def new(self) -> list[SuccessRow]:
        """Those of `changed` that the database does not have."""
        return [row for key, row in self.changed.items() if key not in self._read]

    @property
    def later(self) -> list[SuccessRow]:
        """Those of `changed` that it has, with an earlier time."""
        return [row for key, row in self.changed.items() if key in self._read]

    def tell(self, place: Place, issue_type: str | None, parts: tuple[PartValue, ...] | None, at: str) -> None:
        """Something went well; it is remembered where somebody asked for the place."""
        if place not in self._there:
            return
        in_order = None if parts is None else sorted(parts, key=lambda part: (part.name, part.value))
        ordered = None if in_order is None else orjson.dumps(in_order).decode()
        key = _digest([place, issue_type, ordered])
        known = self._there[place].get(key)
        if known is None or known.at < at:
            self._there[place][key] = self.changed[key] = SuccessRow(key, *place, issue_type, ordered, at)

    def after(self, at: str, place: Place, issue_type: str, parts: str) -> str | None:
        """The newest success of an issue of this fingerprint (`parts` as its row has them) after a moment, if any.

        The place must have been asked for.
        """
        found = (
            row.at
            for row in self._there[place].values()
            if row.at > at and row.issue_type in (None, issue_type) and has_parts(parts, _parts(row.parts))
        )
        return max(found, default=None)


def _parts(text: str | None) -> tuple[PartValue, ...] | None:
    return None if text is None else tuple(PartValue(**part) for part in orjson.loads(text))


def _digest(value: object) -> str:
    return blake2b(orjson.dumps(value), digest_size=DIGEST_BYTES).hexdigest()
