"""The reference's graph: a plain walk, one step at a time."""

from itertools import combinations

from tests.resolvers.query.random_where import holds


def graph_of(issues, relations, roots, depth, direction, kinds, sameScope, maxNodes, where=None):
    """An IssueGraph around the roots; `issues` by id and `relations` are what the caller may read."""
    related = [one for one in relations if one["kind"] in kinds]
    fits = {id: holds(where or {}, issue) for id, issue in issues.items()}
    near = {id: set() for id in issues}
    for one in related:
        if direction in ("OUT", "BOTH"):
            near[one["sourceId"]].add(one["targetId"])
        if direction in ("IN", "BOTH"):
            near[one["targetId"]].add(one["sourceId"])
    if sameScope:
        for one, other in combinations(issues.values(), 2):
            if one["scope"] is other["scope"]:
                near[one["id"]].add(other["id"])
                near[other["id"]].add(one["id"])
    near = {id: {other for other in others if fits[other]} for id, others in near.items()}

    distances = dict.fromkeys((root["id"] for root in roots), 0)
    for distance in range(1, depth + 1):
        reached = {other for id in distances for other in near[id]} - distances.keys()
        distances |= dict.fromkeys(reached, distance)
    nearest = sorted(distances, key=lambda id: (distances[id], id))
    shown = set(nearest[:maxNodes])

    drawn = [one for one in related if {one["sourceId"], one["targetId"]} <= shown]
    edges = [{"sourceId": one["sourceId"], "targetId": one["targetId"], "relation": one} for one in drawn]
    pairs = {frozenset((one["sourceId"], one["targetId"])) for one in drawn}
    scopes = {}
    for id in sorted(shown) if sameScope else ():
        scopes.setdefault(issues[id]["scope"]["id"], []).append(id)
    beside = (pair for members in scopes.values() for pair in combinations(members, 2) if frozenset(pair) not in pairs)
    edges += ({"sourceId": one, "targetId": other, "relation": None} for one, other in beside)
    return {
        "roots": [root for root in roots if root["id"] in shown],
        "nodes": [
            {"issue": issues[id], "distance": distances[id], "hiddenCount": len(near[id] - shown)}
            for id in nearest[:maxNodes]
        ],
        "edges": edges,
        "truncated": len(nearest) > maxNodes,
    }
