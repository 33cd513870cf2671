"""The query bar: what a person types, as the same tree that `where` is. docs/search.md describes it."""

import re
from collections.abc import Callable, Sequence

from models.values import fold
from models.words import ISSUE_STATES, ISSUE_TYPES, SEVERITIES
from resolvers.errors import BadRequest
from resolvers.query.leaf import Leaf, NoLeaf
from resolvers.query.where import ALWAYS, All, HasLabel, Node, Not, Some, Test, both

MAX_SEARCH_LENGTH = 1_000
MAX_SEARCH_TERMS = 30

# A term: -key:"several words", "several words", or what stands between two spaces.
_TERM = re.compile(r'(?P<minus>-)?(?:(?P<key>[a-z]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))', re.IGNORECASE)


def search_where(text: str | Leaf | None) -> Node:
    """The tree of a search text; an empty one lets everything through.

    Raises BadRequest for one too long, NoLeaf for a leaf.
    """
    if not text:
        return ALWAYS
    if isinstance(text, Leaf):
        raise NoLeaf
    if len(text) > MAX_SEARCH_LENGTH:
        raise BadRequest(f"search may have {MAX_SEARCH_LENGTH:,} characters at most")
    if "\0" in text:
        raise BadRequest("search contains a NUL character")
    terms = list(_TERM.finditer(text))
    if len(terms) > MAX_SEARCH_TERMS:
        raise BadRequest(f"search may have {MAX_SEARCH_TERMS} words and tokens at most")
    return both(*map(_term, terms))


def contains_text(text: str) -> Node:
    """The text occurs in the title or the description, ignoring case."""
    folded = fold(text)
    return Some((Test("title_folded", "contains", folded), Test("description_folded", "contains", folded)))


def _term(match: re.Match[str]) -> Node:
    key, quoted, plain = match["key"], match["quoted"], match["plain"]
    value = quoted if plain is None else plain
    token = _TOKENS.get(key.lower()) if key else None
    node = token(value) if token and value else None
    if node is None:
        # Whatever is no token is looked for as it was typed: 12:30, http://host, severity:unheard-of.
        typed = value if key is None else f"{key}:{value}"
        return contains_text(f"-{typed}" if match["minus"] else typed)
    return Not(node) if match["minus"] else node


def _one_of(member: str, words: Sequence[str]) -> Callable[[str], Node | None]:
    by_fold = {fold(word): word for word in words}

    def token(value: str) -> Node | None:
        named = [by_fold.get(fold(word)) for word in value.split(",")]
        return None if None in named else Test(member, "in", named)

    return token


def _exactly(member: str) -> Callable[[str], Node | None]:
    def token(value: str) -> Node | None:
        return Test(f"{member}_folded", "in", [fold(word) for word in value.split(",")])

    return token


def _scope(value: str) -> Node | None:
    """`type/name`, or only a part of the name."""
    kind, slash, name = value.partition("/")
    if not slash:
        return Test("resource_name_folded", "contains", fold(value))
    return All((Test("resource_type_folded", "eq", fold(kind)), Test("resource_name_folded", "eq", fold(name))))


def _label(value: str) -> Node | None:
    name, equals, wanted = value.partition("=")
    return HasLabel(name, Test("value_folded", "eq", fold(wanted)) if equals else ALWAYS)


def _is(value: str) -> Node | None:
    match fold(value):
        case "active" | "resolved":
            return Test("state", "eq", value.upper())
        case "acknowledged":
            return Test("acknowledged_at", "is_null", False)
        case "recurring":
            return Test("occurrence_count", "gt", 1)
    return None


_TOKENS: dict[str, Callable[[str], Node | None]] = {
    "severity": _one_of("severity", SEVERITIES),
    "type": _one_of("issue_type", ISSUE_TYPES),
    "state": _one_of("state", ISSUE_STATES),
    "namespace": _exactly("namespace"),
    "source": _exactly("source"),
    "scope": _scope,
    "label": _label,
    "is": _is,
}
