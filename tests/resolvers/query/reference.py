"""The reference: what a document's answer is, by graphql-core's own executor over Python lists.

Slow and plain, after the descriptions in the schema; nothing of it is shared with what is tested.
"""

from datetime import datetime

from graphql import execute_sync

from models.values import time_of
from tests.resolvers.query.counting import beginning, durations, greatest, points, words
from tests.resolvers.query.random_search import search_holds
from tests.resolvers.query.random_selection import PLAIN
from tests.resolvers.query.random_where import WORDS, actor_holds, compares, holds
from tests.resolvers.query.reference_graph import graph_of

# Any offset is taken.
PLAIN.get_type("DateTime").parse_value = lambda text: time_of(datetime.fromisoformat(text))


class Refused(Exception):
    """An argument that has no answer."""


class Cursor(str):
    """Stands for the planner's cursor: the kind of thing in the list, and its id."""

    __slots__ = ()


def answer(world, caller, document, variables):
    """Data and errors of a parsed document."""
    resolvers = Reference(world, caller)
    found = execute_sync(PLAIN, document, variable_values=variables, field_resolver=resolvers.resolve)
    for error in found.errors or ():
        if not isinstance(error.original_error, Refused):
            raise error
    return found


class Reference:
    """The resolvers: `Type_field` for each field that is more than a member of an object."""

    def __init__(self, world, caller):
        self._world, self._caller = world, caller
        self._patterns = [grant.namespace for grant in caller.grants if grant.permission.name == "READ"]
        self.issues = {one["id"]: one for one in world.issues if self._reads(one["namespace"])}
        self.relations = [one for one in world.relations if {one["sourceId"], one["targetId"]} <= self.issues.keys()]
        self.lines = [
            one
            for one in world.lines
            if self._reads(one["namespace"]) and (one["otherNamespace"] is None or self._reads(one["otherNamespace"]))
        ]
        seen = {issue["scope"]["id"] for issue in self.issues.values()}
        self.scopes = {one["id"]: one for one in world.scopes if one["id"] in seen}
        self.nodes = self.issues | self.scopes | {one["id"]: one for one in self.relations}

    def _reads(self, namespace):
        return any(
            namespace == pattern or (pattern.endswith("*") and namespace.startswith(pattern[:-1]))
            for pattern in self._patterns
        )

    def resolve(self, source, info, **arguments):
        """The value of any field."""
        method = getattr(self, f"{info.parent_type.name}_{info.field_name}", None)
        return method(source, **arguments) if method else source[info.field_name]

    # Lists

    def _page(self, kind, whole, found, first=None, after=None, last=None, before=None):
        """A page of `found`; `whole` is all there is of its kind, in order, also what is not in the list."""
        if (first is not None and last is not None) or not 1 <= (first or last or 50) <= 100 or 0 in (first, last):
            raise Refused("first and last")
        place = {item["id"]: number for number, item in enumerate(whole)}
        found = sorted(found, key=lambda item: place[item["id"]])
        low = -1 if after is None else place[self._world.cursors[after][1]]
        high = len(whole) if before is None else place[self._world.cursors[before][1]]
        between = [item for item in found if low < place[item["id"]] < high]
        shown = between[-last:] if last else between[: first or 50]
        cursors = [Cursor(f"{kind} {item['id']}") for item in shown]
        end, start = (place[shown[-1]["id"]], place[shown[0]["id"]]) if shown else (high - 1, low + 1)
        return {
            "edges": [{**item, "cursor": cursor, "node": item} for item, cursor in zip(shown, cursors, strict=True)],
            "nodes": shown,
            "pageInfo": {
                "hasNextPage": any(place[item["id"]] > end for item in found),
                "hasPreviousPage": any(place[item["id"]] < start for item in found),
                "startCursor": cursors[0] if shown else None,
                "endCursor": cursors[-1] if shown else None,
            },
            "totalCount": len(found),
            "position": self._world.position,
        }

    def _newest_first(self, kind, whole, found, paging):
        whole = sorted(whole, key=lambda item: item["id"], reverse=True)
        return self._page(kind, whole, found, **paging)

    def _issues(self, found, orderBy, paging):
        named = {}
        for step in orderBy or [{"field": "DETECTED_AT", "direction": "DESC"}]:
            named.setdefault(step["field"], step["direction"])
        steps = tuple(named.items())
        return self._page(f"Issue {steps}", self._ordered(steps), found, **paging)

    def _ordered(self, steps):
        if steps not in self._world.orders:
            self._world.orders[steps] = ordered(self._world.issues, steps)
        return self._world.orders[steps]

    def _which(self, where, search=None):
        return [one for one in self.issues.values() if holds(where or {}, one) and search_holds(search, one)]

    # The roots

    def Query_node(self, _, id):
        return self.nodes.get(id.lower())

    def Query_nodes(self, _, ids):
        return [self.nodes.get(id.lower()) for id in ids]

    def Query_viewer(self, _):
        return {"actor": self._caller.actor, "grants": self._caller.grants}

    def Query_position(self, _):
        return self._world.position

    def Query_issue(self, _, id):
        return self.issues.get(id.lower())

    def Query_issues(self, _, where=None, search=None, orderBy=None, **paging):
        return self._issues(self._which(where, search), orderBy, paging)

    def Query_issueStats(self, _, where=None, search=None):
        return self._which(where, search)

    def Query_scope(self, _, id=None, key=None):
        if (id is None) is (key is None):
            raise Refused("id or key")
        if id is not None:
            return self.scopes.get(id.lower())
        return next((one for one in self.scopes.values() if key.items() <= one.items()), None)

    def Query_scopes(self, _, where=None, **paging):
        names = ("resourceType", "resourceNamespace", "resourceName", "id")
        whole = sorted(self._world.scopes, key=lambda scope: [scope[name] for name in names])
        found = [one for one in self.scopes.values() if holds({"scope": where}, {"scope": one})]
        return self._page("Scope", whole, found, **paging)

    def Query_issueGraph(self, _, ids, **arguments):
        if not (0 <= arguments["depth"] <= 10 and 1 <= arguments["maxNodes"] <= 1000):
            raise Refused("depth or maxNodes")
        roots = [self.issues[id] for id in dict.fromkeys(id.lower() for id in ids) if id in self.issues]
        return graph_of(self.issues, self.relations, roots, **arguments) | {"position": self._world.position}

    def Query_issueEvents(self, _, where=None, **paging):
        where = {name: value for name, value in (where or {}).items() if value is not None}
        found = [line for line in self.lines if self._line_fits(line, **where)]
        return self._newest_first("IssueEvent", self._world.lines, found, paging)

    def _line_fits(self, line, kind=None, at=None, actor=None, issue=None, search=None):
        return (
            compares(line["kind"], kind or {})
            and compares(line["at"], at or {})
            and (actor is None or actor_holds(actor, line["actor"]))
            and any(holds(issue or {}, image) and search_holds(search, image) for image in line["images"])
        )

    # Below them

    def Issue_previous(self, issue):
        kind = "RECURRENCE_OF"
        ends = [self.issues[one["targetId"]] for one in self._relations("sourceId", issue, [kind])]
        return ends[0] if ends else None

    def Issue_graph(self, issue, **arguments):
        return self.Query_issueGraph(None, [issue["id"]], **arguments)

    def _relations(self, end, issue, kinds):
        return [one for one in self.relations if one[end] == issue["id"] and (kinds is None or one["kind"] in kinds)]

    def Issue_relatedFrom(self, issue, kinds=None, **paging):
        found = self._relations("sourceId", issue, kinds)
        return self._newest_first("Relation", self._world.relations, found, paging)

    def Issue_relatedTo(self, issue, kinds=None, **paging):
        found = self._relations("targetId", issue, kinds)
        return self._newest_first("Relation", self._world.relations, found, paging)

    def Issue_related(self, issue, direction, kinds=None, where=None, **paging):
        ways = {"OUT": ("sourceId", "targetId"), "IN": ("targetId", "sourceId")}
        found = [
            {"id": one["id"], "direction": way, "relation": one, "issue": self.issues[one[other]]}
            for way, (end, other) in ways.items()
            if direction in (way, "BOTH")
            for one in self._relations(end, issue, kinds)
            if holds(where or {}, self.issues[one[other]])
        ]
        page = self._newest_first("Relation", self._world.relations, found, paging)
        edges = [{**edge, "node": edge["issue"]} for edge in page["edges"]]
        return {**page, "edges": edges, "nodes": [edge["issue"] for edge in edges]}

    def Issue_occurrences(self, issue, **paging):
        found = [one for one in self._world.occurrences if one["issueId"] == issue["id"]]
        return self._newest_first("Occurrence", self._world.occurrences, found, paging)

    def Issue_timeline(self, issue, **paging):
        found = [line for line in self.lines if line["issueId"] == issue["id"]]
        return self._newest_first("IssueEvent", self._world.lines, found, paging)

    def IssueEvent_issue(self, line):
        return self.issues.get(line["issueId"])

    def RelationRef_relation(self, relation):
        return self.nodes.get(relation["id"])

    def Relation_source(self, relation):
        return self.issues[relation["sourceId"]]

    def Relation_target(self, relation):
        return self.issues[relation["targetId"]]

    def Scope_issues(self, scope, where=None, orderBy=None, **paging):
        return self._issues([one for one in self._which(where) if one["scope"] is scope], orderBy, paging)

    def Scope_stats(self, scope):
        return [one for one in self.issues.values() if one["scope"] is scope]

    def Actor_kind(self, actor):
        return _member(actor, "kind")

    def Actor_id(self, actor):
        return _member(actor, "id")

    def Actor_name(self, actor):
        return _member(actor, "name")

    def Grant_permission(self, grant):
        return grant.permission.value

    def Grant_namespace(self, grant):
        return grant.namespace

    # Counts: the object is the list of issues

    def IssueStats_position(self, _):
        return self._world.position

    def IssueStats_total(self, issues):
        return len(issues)

    def IssueStats_byState(self, issues):
        return words(issues, "state")

    def IssueStats_bySeverity(self, issues):
        return words(issues, "severity")

    def IssueStats_byType(self, issues):
        return words(issues, "issueType")

    def IssueStats_timeToResolve(self, issues):
        return durations(issues)

    def IssueStats_byNamespace(self, issues, first):
        return _counts("namespace", [issue["namespace"] for issue in issues], first)

    def IssueStats_bySource(self, issues, first):
        return _counts("source", [issue["source"] for issue in issues], first)

    def IssueStats_byScope(self, issues, first):
        counts = _counts("scope", [issue["scope"]["id"] for issue in issues], first)
        return [{**each, "scope": self.scopes[each["scope"]]} for each in counts]

    def IssueStats_byLabel(self, issues, name, first):
        values = [label["value"] for issue in issues for label in issue["labels"] if label["name"] == name]
        return [{**each, "label": {"name": name, "value": each["label"]}} for each in _counts("label", values, first)]

    def IssueStats_series(self, issues, bucket, to, **arguments):
        start, end = (datetime.fromisoformat(text) for text in (arguments["from"], to))
        ids = {issue["id"] for issue in issues}
        occurrences = [one for one in self._world.occurrences if one["issueId"] in ids]
        return points(issues, occurrences, beginning(start, bucket), end, bucket)


def _member(actor, name):
    return actor[name] if isinstance(actor, dict) else getattr(actor, name)


def _counts(name, values, first):
    if not 1 <= first <= 100:
        raise Refused("first")
    return [{name: value, "count": count} for value, count in greatest(values)[:first]]


SORTS = {
    "DETECTED_AT": lambda issue: issue["detectedAt"],
    "LAST_DETECTED_AT": lambda issue: issue["lastDetectedAt"],
    "CREATED_AT": lambda issue: issue["createdAt"],
    "UPDATED_AT": lambda issue: issue["updatedAt"],
    "RESOLVED_AT": lambda issue: issue["resolvedAt"],
    "SEVERITY": lambda issue: WORDS["severity"].index(issue["severity"]),
    "OCCURRENCE_COUNT": lambda issue: issue["occurrenceCount"],
    "TITLE": lambda issue: issue["title"].casefold(),
}


def ordered(issues, steps):
    """Null comes last both ways; ties go by id, in the direction of the first step."""
    found = sorted(issues, key=lambda issue: issue["id"], reverse=steps[0][1] == "DESC")
    for field, direction in reversed(steps):
        nulls = [issue for issue in found if SORTS[field](issue) is None]
        found = [issue for issue in found if SORTS[field](issue) is not None]
        found = sorted(found, key=SORTS[field], reverse=direction == "DESC") + nulls
    return found
