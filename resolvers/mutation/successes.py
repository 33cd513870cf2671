"""What was told to be well again, and when: a failure from before that, told later, is over."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import orjson

from resolvers.mutation.fingerprint import DIGEST_BYTES, extra_parts, has_parts
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.values import PartValue

# A success and the parts that it asks for.
_Told = tuple["SuccessRow", tuple[PartValue, ...] | None]
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
    told_at: str | None


def place_of(namespace: str, scope: ScopeKey) -> Place:
    """Where successes of a scope are found that are told in a namespace."""
    return namespace, _digest([namespace, *scope])


def success_key(place: Place, issue_type: str | None, parts: tuple[PartValue, ...] | None) -> str:
    """What a success is remembered under; the order of the parts does not matter."""
    return _digest([place, issue_type, _in_order(parts)])


class Successes:
    """Those that a batch asked for, and what the batch adds and changes; `now` is its time."""

    def __init__(self, now: str) -> None:
        self._now = now
        # Of the keys that were asked for and of all that are here; None is known to be none.
        self._known: dict[str, SuccessRow | None] = {}
        # By place and one of the parts that they ask for, or None.
        self._about: defaultdict[tuple[Place, PartValue | None], dict[str, _Told]] = defaultdict(dict)
        self._part_of: dict[str, PartValue | None] = {}
        self._read: set[str] = set()
        self.changed: dict[str, SuccessRow] = {}

    def take(self, keys: Iterable[str], rows: Iterable[SuccessRow]) -> None:
        """Rows as the database has them; all of `keys` are among them."""
        self._known.update(dict.fromkeys(keys))
        for row in rows:
            self._put(row)
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
        """Something went well; it is remembered where somebody asked for its key."""
        key = success_key(place, issue_type, parts)
        if key not in self._known:
            return
        known = self._known[key]
        if known is None or known.at < at:
            text = None if parts is None else orjson.dumps(_in_order(parts)).decode()
            self.changed[key] = SuccessRow(key, *place, issue_type, text, at, self._now)
            self._put(self.changed[key])

    def after(self, at: str, place: Place, issue_type: str, parts: str) -> str | None:
        """The newest success of an issue of this fingerprint (`parts` as its row has them) after a moment, if any.

        It must have been asked for those of the place since then.
        """
        found = (
            row.at
            for part in (None, *extra_parts(parts))
            for row, asked in self._about.get((place, part), {}).values()
            if row.at > at and row.issue_type in (None, issue_type) and has_parts(parts, asked)
        )
        return max(found, default=None)

    def _put(self, row: SuccessRow) -> None:
        before = self._known.get(row.key)
        self._known[row.key] = row
        place, parts = (row.namespace, row.place), _parts(row.parts)
        if before is not None:
            # It has the same parts.
            part = self._part_of[row.key]
        else:
            # Of a part that all have, each failure would look at all.
            valued = [part for part in parts or () if part.value]
            part = min(valued, key=lambda each: len(self._about[place, each]), default=None)
            self._part_of[row.key] = part
        self._about[place, part][row.key] = (row, parts)


def _in_order(parts: tuple[PartValue, ...] | None) -> list[PartValue] | None:
    return None if parts is None else sorted(parts, key=lambda part: (part.name, part.value))


def _parts(text: str | None) -> tuple[PartValue, ...] | None:
    return None if text is None else tuple(PartValue(**part) for part in orjson.loads(text))


def _digest(value: object) -> str:
    return blake2b(orjson.dumps(value), digest_size=DIGEST_BYTES).hexdigest()
