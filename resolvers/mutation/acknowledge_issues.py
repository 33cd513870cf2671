"""AcknowledgeIssue, AcknowledgeIssues and UnacknowledgeIssue: somebody has seen it, or has not after all."""

from dataclasses import dataclass

from resolvers.mutation.checks import Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeIssues:
    """Notes who has seen each issue first and when. Raises Invalid."""

    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        checks = Checks()
        checks.ids(self.ids)
        checks.done()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeIssue:
    """The same of one issue."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacknowledgeIssue:
    """Forgets who has seen it."""

    id: str
