"""ResolveIssue and ResolveIssues: somebody says that it is repaired."""

from dataclasses import dataclass

from resolvers.mutation.checks import Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIssues:
    """Resolves each issue that is not resolved yet, at `at` or now; `reason` goes into the log. Raises Invalid."""

    ids: tuple[str, ...]
    at: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.ids(self.ids)
        checks.reason(self.reason)
        checks.done()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIssue:
    """The same of one issue."""

    id: str
    at: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.reason(self.reason)
        checks.done()
