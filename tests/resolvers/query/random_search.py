"""Random lines for the query bar, and whether an issue fits one, as docs/search.md has it."""

import re

TOKENS = (
    "severity:critical",
    "SEVERITY:Minor,major",
    "-severity:info",
    "type:build,test",
    "state:resolved",
    "-state:active",
    "namespace:TEAM,team_b",
    "namespace:other%",
    "source:tekton",
    "-source:tekton,github_1",
    "scope:äpi",
    "scope:component/API",
    "-scope:Application/api",
    "scope:%",
    "label:team",
    "label:team=ä",
    '-label:"Team=ß%"',
    "label:Team=",
    "is:active",
    "-is:acknowledged",
    "is:recurring",
    "-is:resolved",
)
WORDS = (
    "öl",
    "ÖL",
    "strasse",
    "one two",
    '"one two"',
    "%",
    "_",
    "12:30",
    "severity:unheard",
    "-",
    '"',
    "is:",
    "i\u0307",
)


def random_search(dice):
    """None, one or some words and tokens."""
    return " ".join(dice.choice((*TOKENS, *WORDS)) for _ in range(dice.choice((1, 1, 0, 2, 3))))


# What the page says, once more, over the JSON of an answer: nothing of it is shared with what is tested.

PART = re.compile(r'(-?\w+:)?"([^"]*)"|(\S+)')
FIELDS = {"severity": "severity", "type": "issueType", "state": "state", "namespace": "namespace", "source": "source"}
KNOWN = {
    "severity": ("info", "minor", "major", "critical"),
    "type": ("build", "test", "release", "dependency", "pipeline", "incident"),
    "state": ("active", "resolved"),
}


def search_holds(search, issue):
    """Whether an issue, as JSON, fits what somebody typed."""
    return all(_part_holds(issue, *part.groups()) for part in PART.finditer(search or ""))


def _part_holds(issue, before_quote, quoted, plain):
    if quoted is not None and before_quote is None:
        return _has_text(issue, quoted)
    text = before_quote + quoted if plain is None else plain
    name, colon, value = text.removeprefix("-").partition(":")
    fits = _token_holds(name.casefold(), value, issue) if colon and value else None
    if fits is None:
        return _has_text(issue, text)
    return fits is not text.startswith("-")


def _has_text(issue, text):
    return any(text.casefold() in issue[field].casefold() for field in ("title", "description"))


def _token_holds(name, value, issue):
    """None when it is no token."""
    folded, scope = value.casefold(), issue["scope"]
    if name in FIELDS:
        values = folded.split(",")
        if not set(values) <= set(KNOWN.get(name, values)):
            return None
        return (issue[FIELDS[name]] or "").casefold() in values
    if name == "scope":
        kind, slash, resource = folded.partition("/")
        if slash:
            return (scope["resourceType"].casefold(), scope["resourceName"].casefold()) == (kind, resource)
        return folded in scope["resourceName"].casefold()
    if name == "label":
        label, equals, wanted = value.partition("=")
        values = [each["value"].casefold() for each in issue["labels"] if each["name"] == label]
        return wanted.casefold() in values if equals else bool(values)
    if name == "is":
        return {
            "active": issue["state"] == "ACTIVE",
            "resolved": issue["state"] == "RESOLVED",
            "acknowledged": issue["acknowledgedAt"] is not None,
            "recurring": issue["occurrenceCount"] > 1,
        }.get(folded)
    return None
