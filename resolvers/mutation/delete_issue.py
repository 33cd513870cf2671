"""DeleteIssue: it should never have been there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteIssue:
    """Removes an issue with its relations; its lines in the log stay."""

    id: str
