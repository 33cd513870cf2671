"""When two reports are one issue: the parts whose values make the key."""

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import orjson

from resolvers.mutation.checks import OWN_PARTS
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.values import PartValue

DIGEST_BYTES = 16
# Of the extra parts together: with more of them, a fingerprint is made each time.
MAX_KEPT_CHARACTERS = 500


class Fingerprint(NamedTuple):
    """`key` is the digest of `parts`, which is the JSON list of {name, value} that rows hold."""

    key: str
    parts: str


def fingerprint_of(namespace: str, issue_type: str, scope: ScopeKey, extra: tuple[PartValue, ...]) -> Fingerprint:
    """The fingerprint of an issue; the order of the extra parts does not matter."""
    characters = sum(len(part.name) + len(part.value) for part in extra)
    make = _kept if characters <= MAX_KEPT_CHARACTERS else _made
    return make(namespace, issue_type, scope, extra)


def _made(namespace: str, issue_type: str, scope: ScopeKey, extra: tuple[PartValue, ...]) -> Fingerprint:
    own = zip(OWN_PARTS, (namespace, issue_type, *scope), strict=True)
    parts = [PartValue(name, value) for name, value in own]
    parts += sorted(extra, key=lambda part: part.name)
    text = orjson.dumps(parts)
    return Fingerprint(key=_digest(text), parts=text.decode())


_kept = lru_cache(maxsize=4_096)(_made)


def extra_parts(parts: str) -> tuple[PartValue, ...]:
    """Of a row's `fingerprint_parts`, those that not every fingerprint has."""
    return tuple(PartValue(**part) for part in orjson.loads(parts)[len(OWN_PARTS) :])


def has_parts(parts: str, wanted: tuple[PartValue, ...] | None) -> bool:
    """Whether a row's `fingerprint_parts` have all the extra parts that are wanted, or none for an empty tuple.

    A part that is wanted empty is not there either.
    """
    if wanted is None:
        return True
    extra = {part.name: part.value for part in extra_parts(parts)}
    return all(extra.get(part.name, "") == part.value for part in wanted) if wanted else not extra


def all_parts(parts: str) -> tuple[PartValue, ...]:
    """Of a row's `fingerprint_parts`, its own and the extra ones."""
    return tuple(PartValue(**part) for part in orjson.loads(parts))


def run_digest(run_id: str) -> str:
    """What is remembered of a run's id."""
    return _digest(run_id.encode())


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=DIGEST_BYTES).hexdigest()
