"""Walking a graph in SQL: the two databases allow a recursive table to be named in different places."""

from collections.abc import Callable, Sequence

from sqlalchemy import CTE, ColumnElement, Select, literal_column, select, true, union_all

from models.dialect import few_are

# From the node that was reached: where to go, and under which conditions (their tables are joined by them).
Step = Callable[[ColumnElement[str]], tuple[ColumnElement[str], Sequence[ColumnElement[bool]]]]


def walk(dialect: str, start: Select[tuple[object, str]], steps: Sequence[Step], depth: ColumnElement[int]) -> CTE:
    """A recursive table of (root, node, distance): `start` gives `root` and `node`, each step goes one further.

    A node may be there at several distances, at each once, none beyond `depth`; so cycles end.
    """
    table = start.add_columns(literal_column("0").label("distance")).cte("walk", recursive=True)
    further = table.c.distance + 1
    if dialect == "postgresql":
        # One term may name the recursive table, once.
        neighbours = union_all(
            *(select(to.label("id")).where(*conditions).correlate(table) for to, conditions in _taken(table, steps))
        ).lateral("neighbour")
        term = select(table.c.root, neighbours.c.id, further).select_from(table.join(neighbours, true()))
        return table.union(term.where(table.c.distance < depth))
    # No lateral joins, but as many terms as one likes. SQLite takes a walk for a million rows, and would read the whole
    # table of edges to make a filter for them.
    within = few_are(table.c.distance < depth)
    return table.union(
        *(select(table.c.root, to, further).where(within, *conditions) for to, conditions in _taken(table, steps))
    )


def _taken(table: CTE, steps: Sequence[Step]) -> list[tuple[ColumnElement[str], Sequence[ColumnElement[bool]]]]:
    return [step(table.c.node) for step in steps]
