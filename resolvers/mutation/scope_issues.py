"""The active issues of one namespace on one scope, as far as a batch has them, found by the extra parts of their
fingerprints."""

from collections import defaultdict
from collections.abc import Sequence

from resolvers.mutation.fingerprint import extra_parts
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.values import PartValue

_NONE: set[str] = set()


class ScopeIssues:
    """The ids of the issues. There may be thousands, of which each success of a storm is about one, or none."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        # `fingerprint_parts` of those that are not in the indexes yet, and the parts of those that are.
        self._unsorted: dict[str, str] = {}
        self._parts: dict[str, tuple[PartValue, ...]] = {}
        self._by_part: defaultdict[PartValue, set[str]] = defaultdict(set)
        # Those of which a part of this name has a value, and those that have parts at all.
        self._by_name: defaultdict[str, set[str]] = defaultdict(set)
        self._with_parts: set[str] = set()

    def add(self, issue: IssueRow) -> None:
        """An issue is there."""
        self._ids.add(issue.id)
        self._unsorted[issue.id] = issue.fingerprint_parts

    def discard(self, id: str) -> None:
        """An issue is no longer there, or has other parts than before."""
        self._ids.discard(id)
        self._unsorted.pop(id, None)
        self._with_parts.discard(id)
        for part in self._parts.pop(id, ()):
            self._by_part[part].discard(id)
            self._by_name[part.name].discard(id)

    def having(self, parts: Sequence[PartValue] | None) -> list[str]:
        """All that have all of these parts, oldest first: as `fingerprint.has_parts` tells of each."""
        if parts is None:
            return sorted(self._ids)
        self._sort()
        if not parts:
            return sorted(self._ids - self._with_parts)
        wanted = [self._by_part.get(part, _NONE) for part in parts if part.value]
        lacking = (self._by_name.get(part.name, _NONE) for part in parts if not part.value)
        found = min(wanted, key=len).intersection(*wanted) if wanted else self._ids
        return sorted(found.difference(*lacking))

    def _sort(self) -> None:
        for id, text in self._unsorted.items():
            parts = self._parts[id] = extra_parts(text)
            if parts:
                self._with_parts.add(id)
            for part in parts:
                self._by_part[part].add(id)
                if part.value:
                    self._by_name[part.name].add(id)
        self._unsorted.clear()
