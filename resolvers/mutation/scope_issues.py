"""The active issues of one namespace on one scope, as far as a batch has them, found by the extra parts of their
fingerprints."""

from collections import defaultdict
from collections.abc import Sequence

from resolvers.mutation.fingerprint import extra_parts
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.values import PartValue


class ScopeIssues:
    """The ids of the issues. There may be thousands, of which each success of a storm is about one, or none."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        # `fingerprint_parts` of those that are not in the indexes yet, and the parts of those that are.
        self._unsorted: dict[str, str] = {}
        self._parts: dict[str, tuple[PartValue, ...]] = {}
        self._by_part: defaultdict[PartValue, set[str]] = defaultdict(set)
        # By names that somebody asked for: those that have none of them. None: those that have no part at all.
        self._without: dict[frozenset[str] | None, set[str]] = {}

    def add(self, issue: IssueRow) -> None:
        """An issue is there."""
        self._ids.add(issue.id)
        self._unsorted[issue.id] = issue.fingerprint_parts

    def discard(self, id: str) -> None:
        """An issue is no longer there, or has other parts than before."""
        self._ids.discard(id)
        self._unsorted.pop(id, None)
        for part in self._parts.pop(id, ()):
            self._by_part[part].discard(id)
        for ids in self._without.values():
            ids.discard(id)

    def having(self, parts: Sequence[PartValue] | None) -> list[str]:
        """All that have all of these parts, oldest first: as `fingerprint.has_parts` tells of each."""
        if parts is None:
            return sorted(self._ids)
        self._sort()
        lacking = frozenset(part.name for part in parts if not part.value)
        wanted = [self._by_part[part] if part in self._by_part else set[str]() for part in parts if part.value]
        if not wanted:
            return sorted(self._those_without(lacking if parts else None))
        found = min(wanted, key=len).intersection(*wanted)
        return sorted(id for id in found if _is_without(self._parts[id], lacking))

    def _those_without(self, names: frozenset[str] | None) -> set[str]:
        if names not in self._without:
            self._without[names] = {id for id, parts in self._parts.items() if _is_without(parts, names)}
        return self._without[names]

    def _sort(self) -> None:
        for id, text in self._unsorted.items():
            parts = self._parts[id] = extra_parts(text)
            for part in parts:
                self._by_part[part].add(id)
            for names, ids in self._without.items():
                if _is_without(parts, names):
                    ids.add(id)
        self._unsorted.clear()


def _is_without(parts: Sequence[PartValue], names: frozenset[str] | None) -> bool:
    if names is None:
        return not parts
    return not any(part.value and part.name in names for part in parts)
