"""Random arguments, as JSON, for each field that takes some."""

from tests.resolvers.query.random_issues import LABELS, moment
from tests.resolvers.query.random_search import random_search
from tests.resolvers.query.random_where import SCOPE_TEXTS, WORDS, RandomWhere
from tests.resolvers.query.world import ORDERS, order_by

RELATION_KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF", "RECURRENCE_OF")
EVENT_KINDS = (
    "CREATED",
    "OCCURRED",
    "UPDATED",
    "ACKNOWLEDGED",
    "RESOLVED",
    "REOPENED",
    "RELATED",
    "UNRELATED",
    "DELETED",
)
ORDER_FIELDS = (
    "DETECTED_AT",
    "LAST_DETECTED_AT",
    "CREATED_AT",
    "UPDATED_AT",
    "RESOLVED_AT",
    "SEVERITY",
    "OCCURRENCE_COUNT",
    "TITLE",
)


class RandomArguments:
    """`of(type name, field name)`; the values are mostly those of a world, or lie just beside them."""

    def __init__(self, dice, world):
        self._dice = dice
        self._issues = [issue["id"] for issue in world.issues]
        self._scopes = world.scopes
        scope_ids = [scope["id"] for scope in world.scopes]
        gone = [line["issueId"] for line in world.lines if line["kind"] == "DELETED"]
        relations = [relation["id"] for relation in world.relations]
        self.ids = (*self._issues, *scope_ids, *relations, *gone, self._issues[0].upper(), "nonsense")
        self._wheres = RandomWhere(dice, self._issues, scope_ids)
        self._cursors = {}
        for cursor, (kind, _) in world.cursors.items():
            self._cursors.setdefault(kind, []).append(cursor)

    def of(self, type_name, name):
        """The arguments of a field by name; none where it takes none."""
        make = getattr(self, f"_{type_name}_{name}", None)
        return make() if make else {}

    def where(self):
        """An IssueWhere."""
        return self._wheres.issues(2)

    def word(self, type_name):
        """Another value for a variable of a simple type; None where there is none to choose from."""
        pick = self._dice.choice
        makers = {
            "Boolean": lambda: pick((True, False)),
            "Int": lambda: self._dice.randrange(1, 5),
            "ID": lambda: pick(self.ids),
            "IssueWhere": self.where,
            "StringFilter": lambda: self._wheres.text(("öl", "team", "api")),
            "Severity": lambda: pick(WORDS["severity"]),
            "RelationKind": lambda: pick(RELATION_KINDS),
            "TimeBucket": lambda: pick(("HOUR", "DAY", "WEEK")),
        }
        return makers[type_name]() if type_name in makers else None

    def _maybe(self, likely, **makers):
        """Some of these arguments."""
        return {name: make() for name, make in makers.items() if self._dice.random() < likely}

    def _paging(self, kind):
        size = self._dice.choice((None, 2, 1, 3, 5, 100))
        given = {} if size is None else {self._dice.choice(("first", "first", "last")): size}
        if cursors := self._cursors.get(kind):
            given |= self._maybe(0.2, **dict.fromkeys(("after", "before"), lambda: self._dice.choice(cursors)))
        return given

    def _sorted(self, list_name):
        """An order with its paging: of some orders cursors are known."""
        number = self._dice.randrange(2 * len(ORDERS))
        if number < len(ORDERS):
            steps, kind = ORDERS[number], f"{list_name} {number}"
        else:
            kind = ""
            steps = [
                (self._dice.choice(ORDER_FIELDS), self._dice.choice(("ASC", "DESC")))
                for _ in range(self._dice.choice((1, 2, 3)))
            ]
        given = {"orderBy": order_by(steps)} if steps or self._dice.random() < 0.3 else {}
        if len(steps) == 1 and self._dice.random() < 0.3:
            given = {"orderBy": order_by(steps)[0]}
        return given | self._paging(kind)

    def _search(self):
        return random_search(self._dice)

    def _kinds(self):
        return self._dice.sample(RELATION_KINDS, self._dice.choice((2, 1, 0, 3, 4)))

    def _direction(self):
        return self._dice.choice(("OUT", "IN", "BOTH"))

    def _some_ids(self, ids):
        return [self._dice.choice(ids) for _ in range(self._dice.choice((1, 2, 0, 4)))]

    def _Query_issue(self):
        return {"id": self._dice.choice((*self._issues, *self._issues, *self.ids))}

    def _Query_node(self):
        return {"id": self._dice.choice(self.ids)}

    def _Query_nodes(self):
        return {"ids": self._some_ids(self.ids)}

    def _Query_issues(self):
        return self._maybe(0.5, where=self.where) | self._maybe(0.3, search=self._search) | self._sorted("issues")

    def _Query_issueStats(self):
        return self._maybe(0.5, where=self.where) | self._maybe(0.3, search=self._search)

    def _Query_scope(self):
        scope = self._dice.choice(self._scopes)
        if self._dice.random() < 0.5:
            return {"id": scope["id"]}
        return {"key": {name: scope[name] for name in ("resourceType", "resourceName", "resourceNamespace")}}

    def _Query_scopes(self):
        return self._maybe(0.4, where=self._scope_where) | self._paging("scopes")

    def _scope_where(self):
        texts = {name: lambda values=values: self._wheres.text(values) for name, values in SCOPE_TEXTS.items()}
        ids = {"eq": self._dice.choice(self._scopes)["id"]}
        return self._maybe(0.3, **texts, id=lambda: ids)

    def _Query_issueGraph(self):
        return {"ids": self._some_ids((*self._issues, *self._issues, *self.ids))} | self._Issue_graph()

    def _Issue_graph(self):
        return self._maybe(
            0.4,
            depth=lambda: self._dice.choice((1, 2, 3, 0, 5, 10)),
            direction=self._direction,
            kinds=self._kinds,
            where=self.where,
            sameScope=lambda: self._dice.choice((True, False)),
            maxNodes=lambda: self._dice.choice((3, 1, 2, 5, 1000)),
        )

    def _Query_issueEvents(self):
        return self._maybe(0.7, where=self._event_where) | self._paging("issueEvents")

    def _event_where(self):
        pick = self._dice.choice
        return self._maybe(0.6, issue=self.where) | self._maybe(
            0.2,
            kind=lambda: pick(({"eq": pick(EVENT_KINDS)}, {"in": self._dice.sample(EVENT_KINDS, pick((1, 3, 0)))})),
            at=lambda: {pick(("gte", "lt")): moment(pick((0, 10)))},
            actor=self._actor_where,
            search=self._search,
        )

    def _actor_where(self):
        pick = self._dice.choice
        return self._maybe(
            0.4,
            kind=lambda: pick(("PERSON", "WEBHOOK", "RULE")),
            id=lambda: pick(({"eq": "bob"}, {"in": ["ada", "tekton", "x"]}, {"eq": "ADA"})),
            name=lambda: pick(({"ne": "Ada"}, {"startsWith": "b"}, {"contains": "K"})),
        )

    def _Issue_related(self):
        given = self._maybe(0.3, direction=self._direction, kinds=self._kinds, where=self.where)
        return given | self._paging(f"related {given.get('direction', 'BOTH')}")

    def _Issue_relatedFrom(self):
        return self._maybe(0.3, kinds=self._kinds) | self._paging("relatedFrom")

    def _Issue_relatedTo(self):
        return self._maybe(0.3, kinds=self._kinds) | self._paging("relatedTo")

    def _Issue_occurrences(self):
        return self._paging("occurrences")

    def _Issue_timeline(self):
        return self._paging("timeline")

    def _Scope_issues(self):
        return self._maybe(0.3, where=self.where) | self._sorted("issues of a scope")

    def _greatest(self):
        return self._maybe(0.5, first=lambda: self._dice.choice((1, 2, 100)))

    _IssueStats_byNamespace = _IssueStats_byScope = _IssueStats_bySource = _greatest

    def _IssueStats_byLabel(self):
        return {"name": self._dice.choice(LABELS).name} | self._greatest()

    def _IssueStats_series(self):
        start = self._dice.randrange(-3, 9)
        end = moment(start + self._dice.choice((1, 3, 12)))
        return {"from": moment(start), "to": end, "bucket": self._dice.choice(("HOUR", "DAY", "WEEK"))}
