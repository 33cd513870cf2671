"""The issues on one scope, as far as a batch has them, found by the extra parts of their fingerprints."""

from collections import defaultdict
from collections.abc import Sequence

from resolvers.mutation.fingerprint import extra_parts
from resolvers.mutation.rows import IssueRow
from resolvers.mutation.values import PartValue


class ScopeIssues:
    """The ids of the issues. There may be thousands, of which each success of a storm is about one."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        # Those that are not in there yet, and those that are.
        self._unsorted: dict[str, IssueRow] = {}
        self._by_part: defaultdict[PartValue, set[str]] = defaultdict(set)

    def add(self, issue: IssueRow) -> None:
        """An issue is there, or has other parts than before."""
        self._ids.add(issue.id)
        self._unsorted[issue.id] = issue

    def discard(self, id: str) -> None:
        """An issue is no longer there."""
        self._ids.discard(id)

    def having(self, parts: Sequence[PartValue]) -> list[str]:
        """All that may have all of these parts, oldest first; where one is wanted, few others."""
        wanted = [part for part in parts if part.value]
        if not wanted:
            return sorted(self._ids)
        for id, issue in self._unsorted.items():
            for part in extra_parts(issue.fingerprint_parts):
                self._by_part[part].add(id)
        self._unsorted.clear()
        fewest = min((self._by_part.get(part, set()) for part in wanted), key=len)
        return sorted(fewest & self._ids)
