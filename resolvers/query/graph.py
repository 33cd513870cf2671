"""The neighbourhood of issues: one recursive statement finds the nodes, one their edges, one what stays hidden."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union,
)

from models import Issue, Relation, Scope
from models.base import Id, Word
from models.database import Row, Steps
from models.dialect import ListOf, any_of
from models.recursion import Step, walk
from resolvers.errors import BadRequest
from resolvers.query.condition import Conditions, Rows
from resolvers.query.found_graph import DISTANCE, NODE, NOWHERE, SOURCE, TARGET, FoundGraph, Places, distribute
from resolvers.query.lists import scope_of
from resolvers.query.made import Made, at, constant, each_of, make_object
from resolvers.query.objects import make_of, object_of
from resolvers.query.plan import Arguments, Build, Fetch, Groups, Run, whole_number
from resolvers.query.selection import Field
from resolvers.query.source import Source, groups_of
from resolvers.query.where import ids, issue_where, uses_scope

_Stepped = tuple[ColumnElement[str], Sequence[ColumnElement[bool]]]
# From a graph, what was fetched for its nodes and edges, and how many neighbours each node has.
_MakePart = Callable[[Run, FoundGraph, Groups, Groups, Mapping[str, int]], Any]
_ENDS = {"OUT": ("source_id", "target_id"), "IN": ("target_id", "source_id")}
_EDGE_ENDS = {"sourceId": SOURCE, "targetId": TARGET}


def graphs(build: Build, field: Field) -> Fetch:
    """For each issue, by its id, the graph around it."""
    return _Graphs(build, field, of_ids=False).fetch


def graph_of_ids(build: Build, field: Field) -> Fetch:
    """For the key None, the graph around the field's `ids`."""
    return _Graphs(build, field, of_ids=True).fetch


class _Graphs:
    def __init__(self, build: Build, field: Field, *, of_ids: bool) -> None:
        self._build, self._field, self._of_ids = build, field, of_ids
        # At the root all is asked in one statement where it can be: what hangs on the nodes finds them in it.
        self._is_one = of_ids and build.asks_at_once
        arguments = field.arguments()
        wanted = str(arguments["direction"])
        self._directions = [direction for direction in _ENDS if wanted in (direction, "BOTH")]
        self._same_scope: bool = arguments["sameScope"]
        self._roots, self._prefix = build.name("roots"), build.name("where") + "_"
        self._depth = build.parameter("depth", BigInteger())
        self._max_nodes = build.parameter("nodes", BigInteger())
        self._kinds = build.parameter("kinds", ListOf(Word()))
        self._keys = build.parameter("keys", ListOf(Id()))
        self._scopes = build.parameter("scopes", ListOf(Id()))
        self._tree = build.tree(self._prefix, field, ["where"], lambda given: issue_where(given.get("where")))
        self._bind()

        self._nodes = Source(build, self._ranked())
        self._issue = self._nodes.join(
            self._nodes.table, "issue", Issue, lambda issue: issue.c.id == self._nodes.table.c.node
        )
        for expression in self._nodes.table.c.node, self._nodes.table.c.distance:
            self._nodes.column(expression)
        self._edges = Source(build, build.alias(Relation, "edge"))
        for name in ("source_id", "target_id"):
            self._edges.column(self._edges.table.c[name])
        self._wants_edges = self._wants_hidden = False
        self._entries = [(each.key, self._make(each)) for each in field.fields()]
        self._places = Places(
            root=NOWHERE if of_ids else self._nodes.column(self._nodes.table.c.root),
            fits=self._nodes.column(self._fits(self._nodes, self._issue)) if self._wants_hidden else NOWHERE,
            scope=self._nodes.column(self._issue.c.scope_id) if self._same_scope else NOWHERE,
        )
        self._compile()

    def _bind(self) -> None:
        build, field, limits = self._build, self._field, self._build.setting.limits
        depth, nodes, kinds, roots = self._depth.key, self._max_nodes.key, self._kinds.key, self._roots
        halves = 2 if self._same_scope else 1

        def steps(given: Arguments) -> Mapping[str, Any]:
            return {depth: halves * whole_number("depth", given["depth"], 0, limits.graph_depth)}

        def found(given: Arguments) -> Mapping[str, Any]:
            if len(given["ids"]) > limits.ids:
                raise BadRequest(f"ids may have {limits.ids} items at most")
            return {roots: ids(given["ids"])}

        build.bind(field, ["depth"], steps)
        build.bind(
            field,
            ["maxNodes"],
            lambda given: {nodes: whole_number("maxNodes", given["maxNodes"], 1, limits.graph_nodes) + 1},
        )
        build.bind(field, ["kinds"], lambda given: {kinds: [str(kind) for kind in given["kinds"]]})
        if self._of_ids:
            build.bind(field, ["ids"], found)

    # Statements

    def _ranked(self) -> FromClause:
        """Root, node, distance, and the place of a node among its root's."""
        build = self._build
        root = build.alias(Issue, "root")
        of_root = literal_column("0") if self._of_ids else root.c.id
        start = select(of_root.label("root"), root.c.id.label("node")).where(
            any_of(root.c.id, bindparam(self._roots, type_=ListOf(Id()))), *build.visible(root.c.namespace)
        )
        steps: list[Step] = [self._along(direction) for direction in self._directions]
        if self._same_scope:
            # Each step in two halves, by way of a relation or a scope: n issues of one scope are not n * n steps.
            halves = [half for direction in self._directions for half in self._halves_along(direction)]
            steps = [*halves, self._to_scope, self._from_scope]
        walked = walk(build.setting.database.name, start, steps, self._depth)
        halves_of_step = literal_column("2" if self._same_scope else "1", Integer())
        distance = func.min(walked.c.distance, type_=Integer()) // halves_of_step
        nearest = (
            select(walked.c.root, walked.c.node, distance.label("distance"))
            .where(walked.c.distance % halves_of_step == 0)
            .group_by(walked.c.root, walked.c.node)
            .subquery("nearest")
        )
        place = func.row_number().over(partition_by=nearest.c.root, order_by=(nearest.c.distance, nearest.c.node))
        ranked = select(nearest, place.label("place")).subquery("ranked")
        reached = select(ranked).where(ranked.c.place <= self._max_nodes)
        name = build.name("reached")
        return reached.cte(name) if self._is_one else reached.subquery(name)

    def _along(self, direction: str) -> Step:
        """From one end of relations to the other."""
        near, far = _ENDS[direction]

        def step(node: ColumnElement[str]) -> _Stepped:
            edge = self._build.alias(Relation, "edge")
            there, conditions = self._there()
            return there.c.id, [
                edge.c[near] == node,
                any_of(edge.c.kind, self._kinds),
                there.c.id == edge.c[far],
                *conditions,
            ]

        return step

    def _halves_along(self, direction: str) -> list[Step]:
        """From an issue to the relations at one end of which it is, and from a relation to its other end."""
        near, far = _ENDS[direction]

        def first(node: ColumnElement[str]) -> _Stepped:
            edge = self._build.alias(Relation, "edge")
            return edge.c.id, [edge.c[near] == node, any_of(edge.c.kind, self._kinds)]

        def second(node: ColumnElement[str]) -> _Stepped:
            edge = self._build.alias(Relation, "edge")
            there, conditions = self._there()
            return there.c.id, [edge.c.id == node, there.c.id == edge.c[far], *conditions]

        return [first, second]

    def _to_scope(self, node: ColumnElement[str]) -> _Stepped:
        here = self._build.alias(Issue, "here")
        return here.c.scope_id, [here.c.id == node]

    def _from_scope(self, node: ColumnElement[str]) -> _Stepped:
        there, conditions = self._there()
        return there.c.id, [there.c.scope_id == node, *conditions]

    def _there(self) -> tuple[FromClause, list[ColumnElement[bool]]]:
        """An issue that may be walked to."""
        there = self._build.alias(Issue, "there")
        tables, conditions = [there], self._build.visible(there.c.namespace)
        if uses_scope(self._tree):
            scope = self._build.alias(Scope, "scope")
            conditions.append(scope.c.id == there.c.scope_id)
            tables.append(scope)
        return there, [*conditions, Conditions(self._prefix).of(self._tree, Rows(*tables))]

    def _fits(self, source: Source, issue: FromClause) -> ColumnElement[Any]:
        """Whether a node could be walked to: a root is there whether it fits or not."""
        tables = [issue]
        if uses_scope(self._tree):
            tables.append(scope_of(source, issue))
        holds = Conditions(self._prefix).of(self._tree, Rows(*tables))
        return case((holds, literal_column("1")), else_=literal_column("0"))

    def _compile(self) -> None:
        build = self._build
        ask = build.ask_first if self._is_one else build.compile
        reached = self._nodes.table
        nodes = self._nodes.select().order_by(reached.c.root, reached.c.place)
        self._select_nodes = build.ask_first(nodes, are_many=True) if self._of_ids else build.compile(nodes)
        edge = self._edges.table
        inside = [self._is_shown(edge.c[name]) for name in ("source_id", "target_id")]
        between = self._edges.select(*inside, any_of(edge.c.kind, self._kinds)).order_by(edge.c.id)
        self._select_edges = ask(between) if self._wants_edges else None
        self._count_neighbours = ask(self._neighbours()) if self._wants_hidden else None
        counts_scopes = self._wants_hidden and self._same_scope
        self._count_in_scopes = ask(self._in_scopes()) if counts_scopes else None

    def _is_shown(self, id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether the issue is a node of the answer."""
        if not self._is_one:
            return any_of(id, self._keys)
        reached = self._nodes.table
        # One more was walked to.
        return id.in_(select(reached.c.node).where(reached.c.place < self._max_nodes))

    def _is_scope_of_shown(self, id: ColumnElement[str]) -> ColumnElement[bool]:
        if not self._is_one:
            return any_of(id, self._scopes)
        issue = self._build.alias(Issue, "issue")
        return id.in_(select(issue.c.scope_id).where(self._is_shown(issue.c.id)))

    def _neighbours(self) -> Any:
        """How many issues could be walked to from each of the nodes by relations; not those of its scope if all are."""
        pairs = []
        for direction in self._directions:
            near, far = _ENDS[direction]
            edge = self._build.alias(Relation, "edge")
            there, conditions = self._there()
            if self._same_scope:
                here = self._build.alias(Issue, "here")
                conditions += [here.c.id == edge.c[near], here.c.scope_id != there.c.scope_id]
            pairs.append(
                select(edge.c[near].label("node"), edge.c[far].label("neighbour")).where(
                    self._is_shown(edge.c[near]),
                    any_of(edge.c.kind, self._kinds),
                    there.c.id == edge.c[far],
                    *conditions,
                )
            )
        distinct = (pairs[0].distinct() if len(pairs) == 1 else union(*pairs)).subquery("pairs")
        return select(distinct.c.node, func.count()).group_by(distinct.c.node)

    def _in_scopes(self) -> Any:
        """How many issues of each scope could be walked to."""
        there, conditions = self._there()
        counted = select(there.c.scope_id, func.count()).where(self._is_scope_of_shown(there.c.scope_id), *conditions)
        return counted.group_by(there.c.scope_id)

    def _neighbours_of(self, run: Run, graphs: Collection[FoundGraph]) -> Steps[dict[str, int]]:
        """Of each node that is shown, how many issues could be walked to from it."""
        shown = {id: row for found in graphs for id, row in found.nodes.items()}
        neighbours: dict[str, int] = defaultdict(int)
        if self._count_neighbours is not None:
            counts = yield from run.fetch(self._count_neighbours, {self._keys.key: list(shown)})
            neighbours.update((row[0], row[1]) for row in counts)
        if self._count_in_scopes is not None:
            fits, scope = self._places.fits, self._places.scope
            scopes = {self._scopes.key: list(dict.fromkeys(row[scope] for row in shown.values()))}
            counts = yield from run.fetch(self._count_in_scopes, scopes)
            in_scope = {row[0]: row[1] for row in counts}
            for id, row in shown.items():
                neighbours[id] += in_scope.get(row[scope], 0) - row[fits]
        return neighbours

    # What is made of a graph

    def _make(self, field: Field) -> _MakePart:
        match field.name:
            case "__typename":
                return lambda run, found, *_: field.parent
            case "truncated":
                return lambda run, found, *_: found.truncated
            case "position":
                self._build.want_position()
                return lambda run, found, *_: run.position
            case "roots":
                make = make_of(self._nodes, self._issue, field.fields()).compiled()
                return lambda run, found, groups, *_: [make(row, groups, run) for row in self._roots_of(run, found)]
            case "nodes":
                return self._make_nodes(field)
            case _:
                return self._make_edges(field)

    def _roots_of(self, run: Run, found: FoundGraph) -> list[Row]:
        roots = {id: row for id, row in found.nodes.items() if row[DISTANCE] == 0}
        wanted = dict.fromkeys(run.values[self._roots]) if self._of_ids else roots
        return [roots[id] for id in wanted if id in roots]

    def _make_nodes(self, field: Field) -> _MakePart:
        def make_field(each: Field) -> Made:
            match each.name:
                case "distance":
                    return at(DISTANCE)
                case "hiddenCount":
                    self._wants_hidden = self._wants_edges = True
                    return Made(f"groups[-1][row[{NODE}]]")
            return make_of(self._nodes, self._issue, each.fields())

        make = each_of("row", object_of(field.fields(), make_field)).compiled()

        def nodes(
            run: Run, found: FoundGraph, groups: Groups, edge_groups: Groups, neighbours: Mapping[str, int]
        ) -> Any:
            rows: Any = found.nodes.values()
            if not self._wants_hidden:
                return make(rows, groups, run)
            shown = found.neighbours(self._directions, same_scope=self._same_scope)
            hidden = {id: neighbours.get(id, 0) - len(shown.get(id, ())) for id in found.nodes}
            return make(rows, (*groups, hidden), run)

        return nodes

    def _make_edges(self, field: Field) -> _MakePart:
        self._wants_edges = True
        related: list[tuple[str, Made]] = []
        by_scope: list[tuple[str, Made]] = []
        for each in field.fields():
            match each.name:
                case "__typename":
                    made = other = constant("IssueGraphEdge")
                case "sourceId" | "targetId":
                    made = other = at(_EDGE_ENDS[each.name])
                case _:
                    made, other = make_of(self._edges, self._edges.table, each.fields()), constant(None)
            related.append((each.key, made))
            by_scope.append((each.key, other))
        make, make_of_scopes = (each_of("row", make_object(each)).compiled() for each in (related, by_scope))

        def edges(
            run: Run, found: FoundGraph, groups: Groups, edge_groups: Groups, neighbours: Mapping[str, int]
        ) -> Any:
            shown = make(found.edges, edge_groups, run)
            return [*shown, *make_of_scopes(found.pairs_of_scopes(), (), run)] if self._same_scope else shown

        return edges

    # In motion

    def fetch(self, run: Run, keys: list[Any]) -> Steps[dict[Any, Any]]:
        """The graph of each key."""
        most = run.values[self._max_nodes.key] - 1
        if self._of_ids:
            rows = yield from run.fetch(self._select_nodes)
            graphs: dict[Any, FoundGraph] = {None: FoundGraph.of(self._places, rows, most)}
        else:
            rows = yield from run.fetch(self._select_nodes, {self._roots: keys})
            rows_of: dict[Any, list[Row]] = {key: [] for key in keys}
            root = self._places.root
            for row in rows:
                rows_of[row[root]].append(row)
            graphs = {key: FoundGraph.of(self._places, each, most) for key, each in rows_of.items()}
        groups: Groups = ()
        if self._nodes.children:
            shown = [row for found in graphs.values() for row in found.nodes.values()]
            groups = yield from groups_of(run, self._nodes.children, shown)
        edge_groups: Groups = ()
        if self._select_edges is not None:
            ids = {} if self._is_one else {self._keys.key: list({id for each in graphs.values() for id in each.nodes})}
            edges = yield from run.fetch(self._select_edges, ids)
            edge_groups = yield from groups_of(run, self._edges.children, edges)
            if self._of_ids:
                graphs[None].edges = edges
            else:
                distribute(edges, graphs.values())
        neighbours = (yield from self._neighbours_of(run, graphs.values())) if self._wants_hidden else {}
        return {
            key: {name: make(run, found, groups, edge_groups, neighbours) for name, make in self._entries}
            for key, found in graphs.items()
        }
