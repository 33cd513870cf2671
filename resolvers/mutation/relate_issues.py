"""RelateIssues: one issue has to do with another."""

from dataclasses import dataclass

from models.words import RELATION_KINDS
from resolvers.mutation.checks import Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class RelateIssues:
    """Draws an edge from source to target, or finds the one that is there; RELATED has no direction. Raises Invalid."""

    source_id: str
    target_id: str
    kind: str = "RELATED"
    reason: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.word(("kind",), self.kind, RELATION_KINDS)
        checks.reason(self.reason)
        checks.done()
