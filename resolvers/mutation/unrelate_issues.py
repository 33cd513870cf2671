"""UnrelateIssues: one issue has nothing to do with another."""

from dataclasses import dataclass

from models.words import RELATION_KINDS
from resolvers.mutation.checks import Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrelateIssues:
    """Removes the edges of `kind` (None: of every kind) from source to target; RELATED either way. Raises Invalid."""

    source_id: str
    target_id: str
    kind: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.word(("kind",), self.kind, RELATION_KINDS)
        checks.done()
