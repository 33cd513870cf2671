"""Rows that the writer knows without reading: what it wrote or read last, as long as nobody else has written since."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from resolvers.mutation.rows import IssueRow, ScopeKey, ScopeRow
from resolvers.mutation.working_set import NotRead, WorkingSet

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_FINGERPRINTS = 8_192
MAX_SCOPES = 8_192

# The active issue of a fingerprint and the last resolved one.
Pair = tuple[IssueRow | None, IssueRow | None]


class Memory:
    """Of fingerprints and scopes, those that commands named lately.

    Whoever changes an issue or a scope makes the log longer, in the same transaction. So what is kept here is true for
    a transaction that finds the log as the last one of this writer left it, and the row of that batch: a database that
    was restored, or that lost its last commits, may have the same end with other lines.
    """

    def __init__(self) -> None:
        # The last batch that wrote, and the identity and the end of the log since then.
        self.batch_id: str | None = None
        self._log: tuple[str, int] | None = None
        self._pairs: _Recent[str, Pair] = _Recent(MAX_FINGERPRINTS)
        self._scopes: _Recent[ScopeKey, ScopeRow] = _Recent(MAX_SCOPES)

    def believe(self, identity: str, end: int, *, batch_is_there: bool) -> None:
        """Forgets everything unless the log is as it was left."""
        if not batch_is_there or self._log != (identity, end):
            self._log = (identity, end)
            self._pairs.clear()
            self._scopes.clear()

    def pairs(self, fingerprints: Iterable[str]) -> dict[str, Pair]:
        """The issues of those fingerprints that are known."""
        return self._pairs.known(fingerprints)

    def scopes(self, keys: Iterable[ScopeKey]) -> dict[ScopeKey, ScopeRow]:
        """Those scopes that are known."""
        return self._scopes.known(keys)

    def keep(self, found: WorkingSet, batch_id: str) -> None:
        """Takes over what a batch that wrote has committed."""
        assert self._log
        self._log = (self._log[0], found.end)
        self.batch_id = batch_id
        for fingerprint in found.fingerprints:
            try:
                self._pairs.put(fingerprint, (found.active(fingerprint), found.last_resolved(fingerprint)))
            except NotRead:
                self._pairs.drop(fingerprint)
        for key, scope in found.scopes.items():
            if scope:
                self._scopes.put(key, scope)


class _Recent(Generic[Key, Value]):
    """A dict of at most so many: the ones not used for longest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Key, Value] = {}

    def clear(self) -> None:
        self._values.clear()

    def known(self, keys: Iterable[Key]) -> dict[Key, Value]:
        return {key: self._values[key] for key in keys if key in self._values}

    def put(self, key: Key, value: Value) -> None:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]

    def drop(self, key: Key) -> None:
        self._values.pop(key, None)
