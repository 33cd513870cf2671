"""A graph that was found: its rows, and what lies between them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models.database import Row

# The first columns of the statement of nodes, and of that of edges.
NODE, DISTANCE = range(2)
SOURCE, TARGET = range(2)
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Places:
    """Where in a row of a node are its root, whether it could be walked to, and its scope; NOWHERE, if not asked."""

    root: int = NOWHERE
    fits: int = NOWHERE
    scope: int = NOWHERE


@dataclass(slots=True)
class FoundGraph:
    """One graph: rows of nodes by their ids, nearest first, and rows of relations (source, target, ..) between them."""

    places: Places
    nodes: dict[str, Row]
    truncated: bool
    edges: Sequence[Row] = ()

    @classmethod
    def of(cls, places: Places, rows: Sequence[Row], most: int) -> "FoundGraph":
        """From the nodes of one graph and one more, without its edges."""
        return cls(places, {row[NODE]: row for row in rows[:most]}, len(rows) > most)

    def pairs_of_scopes(self) -> list[tuple[str, str]]:
        """Two nodes about one scope, without a relation between them."""
        ends = [(row[SOURCE], row[TARGET]) for row in self.edges]
        related = {*ends, *((target, source) for source, target in ends)}
        return [
            (one, other)
            for members in self._by_scope().values()
            for place, one in enumerate(members)
            for other in members[place + 1 :]
            if (one, other) not in related
        ]

    def neighbours(self, directions: Collection[str], *, same_scope: bool) -> Mapping[str, set[str]]:
        """Of each node, the neighbours that are in the answer: along OUT, IN or both, and those of its scope."""
        shown: dict[str, set[str]] = defaultdict(set)
        for row in self.edges:
            if "OUT" in directions:
                shown[row[SOURCE]].add(row[TARGET])
            if "IN" in directions:
                shown[row[TARGET]].add(row[SOURCE])
        if same_scope:
            for members in self._by_scope().values():
                for id in members:
                    shown[id].update(other for other in members if other != id)
        fits = self.places.fits
        fitting = {id for id, row in self.nodes.items() if row[fits]}
        return {id: near & fitting for id, near in shown.items()}

    def _by_scope(self) -> Mapping[str, list[str]]:
        scope = self.places.scope
        by_scope: dict[str, list[str]] = defaultdict(list)
        for id in sorted(self.nodes):
            by_scope[self.nodes[id][scope]].append(id)
        return by_scope


def distribute(edges: Sequence[Row], graphs: Collection[FoundGraph]) -> None:
    """Gives each graph the edges between its nodes."""
    holders: dict[str, list[tuple[FoundGraph, list[Row]]]] = defaultdict(list)
    for found in graphs:
        own: list[Row] = []
        found.edges = own
        for id in found.nodes:
            holders[id].append((found, own))
    for edge in edges:
        for found, own in holders[edge[SOURCE]]:
            if edge[TARGET] in found.nodes:
                own.append(edge)
