"""Rows that the writer knows without reading: what it wrote or read last, as long as nobody else has written since."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from resolvers.mutation.rows import ROW_CHARACTERS, IssueRow, RelationRow, ScopeKey, ScopeRow
from resolvers.mutation.working_set import NotRead, WorkingSet

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_FINGERPRINTS = 8_192
# Of the texts of an issue; a larger one is read again each time, as is one with more relations.
MAX_CHARACTERS = 4_096
MAX_RELATIONS = 100
MAX_SCOPES = 8_192
# Of all together: some 10,000 issues of usual length.
MAX_ISSUES_CHARACTERS = 20_000_000
MAX_RELATIONS_CHARACTERS = 20_000_000

# The active issue of a fingerprint and the last resolved one.
Pair = tuple[IssueRow | None, IssueRow | None]


class Memory:
    """Of fingerprints, issues and scopes, those that commands named lately.

    Whoever changes an issue or a scope makes the log longer, in the same transaction. So what is kept here is true for
    a transaction that finds the log as the last one of this writer left it, and the row of that batch: a database that
    was restored, or that lost its last commits, may have the same end with other lines.
    """

    def __init__(self) -> None:
        # The last batch that wrote, and the identity and the end of the log since then.
        self.batch_id: str | None = None
        self._log: tuple[str, int] | None = None
        self._issues: _Recent[str, IssueRow] = _Recent(MAX_ISSUES_CHARACTERS)
        self._pairs: _Recent[str, tuple[str | None, str | None]] = _Recent(MAX_FINGERPRINTS)
        # All of an issue's.
        self._relations: _Recent[str, tuple[RelationRow, ...]] = _Recent(MAX_RELATIONS_CHARACTERS)
        self._scopes: _Recent[ScopeKey, ScopeRow] = _Recent(MAX_SCOPES)

    def believe(self, identity: str, end: int, *, batch_is_there: bool) -> None:
        """Forgets everything unless the log is as it was left."""
        if not batch_is_there or self._log != (identity, end):
            self._log = (identity, end)
            for recent in (self._issues, self._pairs, self._relations, self._scopes):
                recent.clear()

    def pairs(self, fingerprints: Iterable[str]) -> dict[str, Pair]:
        """The issues of those fingerprints that are known."""
        pairs: dict[str, Pair] = {}
        for fingerprint, ids in self._pairs.known(fingerprints).items():
            issues = self._issues.known(id for id in ids if id is not None)
            active, last = (None if id is None else issues.get(id) for id in ids)
            if len(issues) == sum(id is not None for id in ids):
                pairs[fingerprint] = (active, last)
        return pairs

    def issues(self, ids: Iterable[str]) -> dict[str, IssueRow]:
        """Those issues that are known."""
        return self._issues.known(ids)

    def relations(self, issue_ids: Iterable[str]) -> dict[str, tuple[RelationRow, ...]]:
        """All relations of those issues of which they are known."""
        return self._relations.known(issue_ids)

    def scopes(self, keys: Iterable[ScopeKey]) -> dict[ScopeKey, ScopeRow]:
        """Those scopes that are known."""
        return self._scopes.known(keys)

    def keep(self, found: WorkingSet, batch_id: str) -> None:
        """Takes over what a batch that wrote has committed."""
        assert self._log
        self._log = (self._log[0], found.end)
        self.batch_id = batch_id
        for id in found.read_issues.keys() - found.issues.keys():
            self._issues.drop(id)
            self._relations.drop(id)
        for id, issue in found.issues.items():
            if (characters := issue.characters) <= MAX_CHARACTERS:
                self._issues.put(id, issue, ROW_CHARACTERS + characters)
            else:
                self._issues.drop(id)
        changed = found.changed_fingerprints
        for fingerprint in found.fingerprints:
            try:
                pair = found.active(fingerprint), found.last_resolved(fingerprint)
            except NotRead:
                if fingerprint in changed:
                    self._pairs.drop(fingerprint)
            else:
                self._pairs.put(fingerprint, (pair[0] and pair[0].id, pair[1] and pair[1].id))
        drawn_or_removed = found.relations.keys() ^ found.read_relations.keys()
        for id in drawn_or_removed:
            relation = found.relations.get(id) or found.read_relations[id]
            self._relations.drop(relation.source_id)
            self._relations.drop(relation.target_id)
        for id in found.related & found.issues.keys():
            relations = found.relations_of(id)
            if len(relations) <= MAX_RELATIONS:
                reasons = sum(ROW_CHARACTERS + len(relation.reason or "") for relation in relations)
                self._relations.put(id, tuple(relations), ROW_CHARACTERS + reasons)
            else:
                self._relations.drop(id)
        for key, scope in found.scopes.items():
            if scope:
                self._scopes.put(key, scope)


class _Recent(Generic[Key, Value]):
    """A dict that holds so much at most: the ones not written for longest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Key, Value] = {}
        self._sizes: dict[Key, int] = {}
        self._held = 0

    def clear(self) -> None:
        self._values.clear()
        self._sizes.clear()
        self._held = 0

    def known(self, keys: Iterable[Key]) -> dict[Key, Value]:
        return {key: self._values[key] for key in keys if key in self._values}

    def put(self, key: Key, value: Value, size: int = 1) -> None:
        self.drop(key)
        self._values[key] = value
        self._sizes[key] = size
        self._held += size
        while self._held > self._most:
            self.drop(next(iter(self._values)))

    def drop(self, key: Key) -> None:
        if key in self._values:
            del self._values[key]
            self._held -= self._sizes.pop(key)
