"""The words of definitions that are kept elsewhere, and what the server keeps for itself."""

from collections.abc import Mapping

from models.words import ISSUE_TYPES, SEVERITIES

# The words that reports may use beside our own; ours are what the database holds.
SEVERITY_WORDS = {word: word for word in SEVERITIES} | {"low": "info", "medium": "minor", "high": "major"}
ISSUE_TYPE_WORDS = {word: word for word in ISSUE_TYPES} | {"pipelinerun": "pipeline"}
# What the server answers itself, and all that lies below.
TAKEN_PATHS = (
    "/graphql",
    "/api/v1/issues",
    "/api/v1/health",
    "/api/v1/version",
    "/issues",
    "/graph",
    "/webhooks",
    "/deliveries",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/schema.graphql",
    "/healthz",
    "/readyz",
    "/static",
    "/sign-in",
    "/sign-out",
    "/plugins",
    "/v1",
    "/alerts",
    "/api/alerts",
    "/rest",
    "/api/plugins",
    "/api/rest",
)
# The members of the variable `settings`.
SETTINGS = frozenset({"logsUrl"})


def meaning_of(word: str, words: Mapping[str, str], *, in_any_case: bool) -> str | None:
    """Which of ours a sender's word is; None for none. `in_any_case`: `words` are in lower case, and spaces around do
    not matter."""
    return words.get(word.strip().casefold() if in_any_case else word)
