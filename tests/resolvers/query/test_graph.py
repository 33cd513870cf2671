"""The neighbourhood of issues, against networkx: cycles, hubs, limits and what stays hidden."""

import asyncio
import random

import networkx
import pytest

from models import Issue
from resolvers.mutation import RelateIssues
from tests.resolvers.mutation.house import report, success
from tests.resolvers.query.bulk import copies, relate_all
from tests.resolvers.query.random_issues import populate, rows
from tests.resolvers.query.random_where import FIELDS, holds

KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
BELOW = """{
    roots { id } truncated
    nodes { issue { id } distance hiddenCount }
    edges { sourceId targetId relation { id kind source { id } target { id } } }
}"""
ARGUMENTS = """$depth: Int!, $direction: RelationDirection!, $kinds: [RelationKind!]!, $where: IssueWhere,
    $sameScope: Boolean!, $maxNodes: Int!"""
PASSED = """depth: $depth, direction: $direction, kinds: $kinds, where: $where, sameScope: $sameScope,
    maxNodes: $maxNodes"""
GRAPH = f"query ($ids: [ID!]!, {ARGUMENTS}) {{ issueGraph(ids: $ids, {PASSED}) {BELOW} }}"
USUAL = {"depth": 2, "direction": "BOTH", "kinds": list(KINDS), "where": None, "sameScope": False, "maxNodes": 200}
WHERES = (
    None,
    {"state": {"eq": "ACTIVE"}},
    {"severity": {"gte": "MAJOR"}},
    {"scope": {"resourceType": {"eq": "component"}}},
    {"or": []},
)


class Oracle:
    """The same question, answered by networkx: `issues` by id, `relations` as (source, target, kind)."""

    def __init__(self, issues, relations):
        self._issues, self._relations = issues, relations

    def neighbours(self, depth, direction, kinds, where, sameScope, maxNodes):
        """A graph with an edge for each step that may be taken."""
        steps = networkx.DiGraph()
        steps.add_nodes_from(self._issues)
        for source, target, kind in self._relations:
            if kind in kinds and direction in ("OUT", "BOTH"):
                steps.add_edge(source, target)
            if kind in kinds and direction in ("IN", "BOTH"):
                steps.add_edge(target, source)
        if sameScope:
            ids = self._issues
            scopes = {id: issue["scope"]["id"] for id, issue in ids.items()}
            steps.add_edges_from((a, b) for a in ids for b in ids if a != b and scopes[a] == scopes[b])
        unfit = {id for id, issue in self._issues.items() if not holds(where or {}, issue)}
        steps.remove_edges_from([(one, other) for one, other in steps.edges if other in unfit])
        return steps

    def answer(self, ids, **arguments):
        """As `BELOW` has it, edges without their relations' ids."""
        steps = self.neighbours(**arguments)
        roots = [id for id in dict.fromkeys(ids) if id in self._issues]
        depth, most = arguments["depth"], arguments["maxNodes"]
        distances = networkx.multi_source_dijkstra_path_length(steps, set(roots), cutoff=depth) if roots else {}
        nearest = sorted(distances, key=lambda id: (distances[id], id))
        shown = nearest[:most]
        pairs = [edge for edge in self._relations if edge[2] in arguments["kinds"] and {*edge[:2]} <= {*shown}]
        related = {frozenset(edge[:2]) for edge in pairs}
        beside = set()
        if arguments["sameScope"]:
            scopes = {id: self._issues[id]["scope"]["id"] for id in shown}
            beside = {frozenset((a, b)) for a in shown for b in shown if a != b and scopes[a] == scopes[b]} - related
        return {
            "roots": [id for id in roots if id in shown],
            "nodes": [(id, distances[id], len(set(steps.successors(id)) - set(shown))) for id in shown],
            "edges": sorted(pairs),
            "beside": beside,
            "truncated": len(nearest) > most,
        }


def told(graph):
    """An answer as the oracle has it; each edge must be told once and agree with its relation."""
    edges = [edge for edge in graph["edges"] if edge["relation"]]
    for edge in edges:
        assert edge["relation"]["source"]["id"] == edge["sourceId"]
        assert edge["relation"]["target"]["id"] == edge["targetId"]
    assert all(type(node["distance"]) is int for node in graph["nodes"])
    beside = [frozenset((edge["sourceId"], edge["targetId"])) for edge in graph["edges"] if not edge["relation"]]
    assert len(beside) == len(set(beside))
    return {
        "roots": [issue["id"] for issue in graph["roots"]],
        "nodes": [(node["issue"]["id"], node["distance"], node["hiddenCount"]) for node in graph["nodes"]],
        "edges": sorted((edge["sourceId"], edge["targetId"], edge["relation"]["kind"]) for edge in edges),
        "beside": set(beside),
        "truncated": graph["truncated"],
    }


async def random_graph(house, dice, issues=16, relations=22):
    """Issues with relations among them, and what the oracle must know of them."""
    made = await populate(house, dice, issues)
    drawn = set()
    while len(drawn) < relations:
        # Few of them have many: hubs, and issues on their own.
        source, target = dice.choices(made, weights=range(1, issues + 1), k=2)
        if source != target:
            drawn.add((source, target, dice.choice(KINDS)))
    ends = ({"source_id": source, "target_id": target, "kind": kind} for source, target, kind in sorted(drawn))
    await asyncio.gather(*(house.do(RelateIssues(**each)) for each in ends))
    nodes = (await house.ask(f"{{ issues(first: 100) {{ nodes {{ {FIELDS} }} }} }}"))["issues"]["nodes"]
    kinds = "edges { node { kind source { id } target { id } } }"
    answer = await house.ask(f"{{ issues(first: 100) {{ nodes {{ relatedFrom {{ {kinds} }} }} }} }}")
    known = {
        (edge["node"]["source"]["id"], edge["node"]["target"]["id"], edge["node"]["kind"])
        for issue in answer["issues"]["nodes"]
        for edge in issue["relatedFrom"]["edges"]
    }
    # A RELATED edge may be the one that was drawn the other way.
    assert {(frozenset(edge[:2]), edge[2]) for edge in known} == {(frozenset(edge[:2]), edge[2]) for edge in drawn}
    return made, Oracle({issue["id"]: issue for issue in nodes}, sorted(known))


def random_arguments(dice):
    """Of a graph."""
    return {
        "depth": dice.choice((0, 1, 1, 2, 3, 5, 10)),
        "direction": dice.choice(("OUT", "IN", "BOTH", "BOTH")),
        "kinds": dice.choice((list(KINDS), ["CAUSED_BY"], ["RELATED", "DUPLICATE_OF"], [])),
        "where": dice.choice(WHERES) if dice.random() < 0.5 else None,
        "sameScope": dice.random() < 0.3,
        "maxNodes": dice.choice((1, 2, 3, 5, 200, 200, 200)),
    }


@pytest.mark.parametrize("seed", range(2))
async def test_any_graph_is_the_one_that_networkx_finds(house, seed):
    dice = random.Random(seed)
    made, oracle = await random_graph(house, dice)
    assert not networkx.is_directed_acyclic_graph(oracle.neighbours(**{**USUAL, "direction": "OUT"}))
    for _ in range(60):
        ids, arguments = dice.choices([*made, "nonsense"], k=dice.choice((1, 1, 2, 3))), random_arguments(dice)
        graph = (await house.ask(GRAPH, ids=ids, **arguments))["issueGraph"]
        assert told(graph) == oracle.answer(ids, **arguments), (ids, arguments)


async def test_graphs_in_a_list_are_each_the_graph_of_its_issue(house):
    dice = random.Random(7)
    _, oracle = await random_graph(house, dice)
    text = f"query ({ARGUMENTS}) {{ issues {{ nodes {{ id graph({PASSED}) {BELOW} }} }} }}"
    for _ in range(15):
        arguments = random_arguments(dice)
        for issue in (await house.ask(text, **arguments))["issues"]["nodes"]:
            assert told(issue["graph"]) == oracle.answer([issue["id"]], **arguments), arguments


async def test_each_part_of_a_graph_can_be_asked_for_alone(house):
    made, oracle = await random_graph(house, random.Random(8))
    whole = (await house.ask(GRAPH, ids=made[-3:], **USUAL))["issueGraph"]
    assert told(whole) == oracle.answer(made[-3:], **USUAL)
    for part in (
        "roots { id }",
        "nodes { hiddenCount }",
        "nodes { distance }",
        "nodes { issue { id } }",
        "edges { sourceId }",
        "truncated",
    ):
        answer = await house.ask(f"query ($ids: [ID!]!) {{ issueGraph(ids: $ids) {{ {part} }} }}", ids=made[-3:])
        (name,) = answer["issueGraph"]
        known = whole[name]
        if isinstance(known, list):
            keys = answer["issueGraph"][name][0].keys()
            known = [{key: each[key] for key in keys} for each in known]
        assert answer["issueGraph"][name] == known


async def test_the_defaults_follow_every_kind_but_recurrences(house):
    second = (await house.do(report(run_id="1"))).issue_ids[0]
    await house.do(success())
    first = (await house.do(report(run_id="2"))).issue_ids[0]
    third = (await house.do(report(resource_name="web"))).issue_ids[0]
    await house.do(RelateIssues(source_id=first, target_id=third, kind="CAUSED_BY"))
    text = f'{{ issue(id: "{first}") {{ graph {BELOW} }} issueGraph(ids: ["{first}"]) {BELOW} }}'
    answer = await house.ask(text)
    for graph in (answer["issue"]["graph"], answer["issueGraph"]):
        assert [(node["issue"]["id"], node["hiddenCount"]) for node in graph["nodes"]] == [(first, 0), (third, 0)]
        assert len(graph["edges"]) == 1
    graph = (await house.ask(GRAPH, ids=[first], **{**USUAL, "kinds": ["RECURRENCE_OF"]}))["issueGraph"]
    assert told(graph)["edges"] == [(first, second, "RECURRENCE_OF")]


async def test_a_hub_of_ten_thousand_edges_is_cut_at_max_nodes(house):
    hub = (await house.do(report())).issue_ids[0]
    (row,) = await rows(house, Issue, Issue.id == hub)
    around = await copies(house, row, 10_000, scope_id=row["scope_id"])
    await relate_all(house, [(hub, id) if number % 2 else (id, hub) for number, id in enumerate(around)])
    for root, depth, distances in (
        (hub, 1, [0] + [1] * 49),
        (hub, 10, [0] + [1] * 49),
        (around[0], 3, [0, 1] + [2] * 48),
    ):
        arguments = {**USUAL, "depth": depth, "maxNodes": 50}
        graph = (await house.ask(GRAPH, ids=[root], **arguments))["issueGraph"]
        assert [node["distance"] for node in graph["nodes"]] == distances
        assert graph["truncated"] is True
        assert len(graph["edges"]) == 49
        hidden = {node["issue"]["id"]: node["hiddenCount"] for node in graph["nodes"]}
        assert hidden.pop(hub) == 10_000 - 49
        assert set(hidden.values()) == {0}


async def test_ten_thousand_issues_of_one_scope_are_cut_at_max_nodes(house):
    root = (await house.do(report())).issue_ids[0]
    (row,) = await rows(house, Issue, Issue.id == root)
    await copies(house, row, 10_000)
    arguments = {**USUAL, "depth": 3, "maxNodes": 20, "sameScope": True}
    graph = (await house.ask(GRAPH, ids=[root], **arguments))["issueGraph"]
    assert [(node["distance"], node["hiddenCount"]) for node in graph["nodes"]] == [(0, 9_981)] + [(1, 9_981)] * 19
    assert len(graph["edges"]) == 190
    assert graph["truncated"] is True


async def test_limits_of_a_graph_are_errors_that_name_the_argument(house):
    id = (await house.do(report())).issue_ids[0]
    for argument, value in (("depth", -1), ("depth", 11), ("maxNodes", 0), ("maxNodes", 1001)):
        answer = await house.answer(GRAPH, {"ids": [id], **USUAL, argument: value})
        assert answer["data"] == {"issueGraph": None}
        assert answer["errors"][0]["message"].startswith(argument)
    answer = await house.answer(GRAPH, {"ids": [id] * 201, **USUAL})
    assert answer["errors"][0]["message"].startswith("ids")
    for ids in ([], ["nonsense"]):
        graph = (await house.ask(GRAPH, ids=ids, **USUAL))["issueGraph"]
        assert graph == {"roots": [], "nodes": [], "edges": [], "truncated": False}
