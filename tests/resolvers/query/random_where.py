"""Random filters, as clients send them, whose values are those of the random issues or lie just beside them."""

from tests.resolvers.query.random_issues import LABELS, NAMESPACES, RESOURCES, SOURCES, TITLES, moment

WORDS = {
    "severity": ("INFO", "MINOR", "MAJOR", "CRITICAL"),
    "issueType": ("BUILD", "TEST", "RELEASE", "DEPENDENCY", "PIPELINE", "INCIDENT"),
    "state": ("ACTIVE", "RESOLVED"),
}
TIMES = ("detectedAt", "lastDetectedAt", "resolvedAt", "updatedAt", "acknowledgedAt", "createdAt")
TEXTS = {
    "namespace": NAMESPACES,
    "title": TITLES,
    "description": TITLES,
    "source": tuple(source for source in SOURCES if source),
}
SCOPE_TEXTS = {
    "resourceType": tuple(kind for kind, _ in RESOURCES),
    "resourceName": tuple(name for _, name in RESOURCES),
    "resourceNamespace": ("team", "SHARED", "shared", "team-a"),
}
PARTS = ("", "%", "_", "ö", "SS", "ß", "i", "i\u0307", "İ", "t", "tea", "\\", "'", '"', "OF_", "100")


class RandomWhere:
    """`issues()` is an IssueWhere as JSON."""

    def __init__(self, dice, ids=(), scope_ids=()):
        self._dice = dice
        self._ids = [*ids, "00000000-0000-7000-8000-000000000000", "nonsense"]
        self._scope_ids = [*scope_ids, "nonsense"]

    def issues(self, depth=3):
        """Members of one object are ANDed: mostly few, so that something is found."""
        members = {}
        for _ in range(self._dice.choice((0, 1, 1, 1, 2, 3))):
            name = self._dice.choice(
                (
                    *("and", "or", "not") * (3 * bool(depth)),
                    "id",
                    *TEXTS,
                    *WORDS,
                    *TIMES,
                    "occurrenceCount",
                    "scope",
                    "label",
                )
            )
            members[name] = None if self._dice.random() < 0.05 else self._member(name, depth - 1)
        return members

    def _member(self, name, depth):
        pick = self._dice.choice
        if name in ("and", "or"):
            return [self.issues(depth) for _ in range(pick((0, 1, 2, 2, 3)))]
        if name == "not":
            return self.issues(depth)
        if name == "id":
            return self._some({"eq": lambda: pick(self._ids), "in": lambda: self._several(self._ids)})
        if name in TEXTS:
            return self.text(TEXTS[name])
        if name in WORDS:
            ops = {"eq": lambda: pick(WORDS[name]), "in": lambda: self._several(WORDS[name])}
            if name == "severity":
                ops |= {"gte": ops["eq"], "lte": ops["eq"]}
            return self._some(ops)
        if name in TIMES:
            ops = dict.fromkeys(("eq", "gt", "gte", "lt", "lte"), lambda: moment(self._dice.randrange(-1, 9)))
            return self._some({**ops, "isNull": lambda: pick((True, False))})
        if name == "occurrenceCount":
            return self._some(dict.fromkeys(("eq", "gt", "gte", "lt", "lte"), lambda: self._dice.randrange(4)))
        if name == "scope":
            texts = {key: lambda values=values: self.text(values) for key, values in SCOPE_TEXTS.items()}
            ids = {"eq": lambda: pick(self._scope_ids), "in": lambda: self._several(self._scope_ids)}
            return self._some({**texts, "id": lambda: self._some(ids)})
        label = pick(LABELS)
        value = {"value": self.text([each.value for each in LABELS])} if self._dice.random() < 0.7 else {}
        return {"name": label.name, **value}

    def text(self, values):
        """A StringFilter."""
        pick = self._dice.choice
        part = lambda: pick((*PARTS, pick(values)[:3], pick(values)[-3:].upper()))  # noqa: E731
        whole = lambda: pick((*values, pick(values).upper()))  # noqa: E731
        ops = {"eq": whole, "ne": whole, "in": lambda: self._several(values), "contains": part, "startsWith": part}
        return self._some(ops)

    def _several(self, values):
        return self._dice.sample(list(values), self._dice.randrange(min(4, len(values) + 1)))

    def _some(self, makers):
        names = self._dice.sample(list(makers), self._dice.choice((0, 1, 1, 1, 1, 2)))
        return {name: None if self._dice.random() < 0.05 else makers[name]() for name in names}


# What the contract says, once more, over the JSON of an answer: nothing of it is shared with what is tested.

FIELDS = """id namespace title description source severity issueType state detectedAt lastDetectedAt resolvedAt
    updatedAt acknowledgedAt createdAt occurrenceCount scope { id resourceType resourceName resourceNamespace }
    labels { name value }"""


def holds(where, issue):
    """Whether an IssueWhere holds for an issue, both as JSON."""
    return all(_member_holds(name, value, issue) for name, value in where.items() if value is not None)


def _member_holds(name, value, issue):
    match name:
        case "and":
            return all(holds(each, issue) for each in value)
        case "or":
            return any(holds(each, issue) for each in value)
        case "not":
            return not holds(value, issue)
        case "id":
            return compares(issue["id"], _lower(value))
        case "scope":
            return all(
                compares(issue["scope"][key], _lower(each) if key == "id" else each)
                for key, each in value.items()
                if each is not None
            )
        case "label":
            values = [label["value"] for label in issue["labels"] if label["name"] == value["name"]]
            return any(compares(each, value.get("value") or {}) for each in values)
        case "severity":
            rank = WORDS["severity"].index
            ranks = {op: rank(value[op]) for op in ("gte", "lte") if value.get(op) is not None}
            rest = {op: of for op, of in value.items() if op not in ranks}
            return compares(rank(issue["severity"]), ranks) and compares(issue["severity"], rest)
    return compares(issue[name], value)


def actor_holds(where, actor):
    """Whether an ActorWhere holds; where nobody is named it never does."""
    if actor is None:
        return False
    where = {name: value for name, value in where.items() if value is not None}
    kind = {"eq": where.pop("kind", None)}
    return compares(actor["kind"], kind) and all(compares(actor[name], value) for name, value in where.items())


def _lower(ids):
    """An IDFilter as ids are written."""
    many = ids.get("in")
    return {"eq": ids.get("eq") and ids["eq"].lower(), "in": None if many is None else [id.lower() for id in many]}


def compares(found, ops):
    """Whether a value meets all that a filter of one member says."""
    return all(_compare(op, found, value) for op, value in ops.items() if value is not None)


def _compare(op, found, value):
    if op == "isNull":
        return (found is None) is value
    if op == "ne":
        return found != value
    if found is None:
        return False
    match op:
        case "eq":
            return found == value
        case "in":
            return found in value
        case "contains":
            return value.casefold() in found.casefold()
        case "startsWith":
            return found.casefold().startswith(value.casefold())
    return {"gt": found > value, "gte": found >= value, "lt": found < value, "lte": found <= value}[op]
