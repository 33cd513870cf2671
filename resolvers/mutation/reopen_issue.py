"""ReopenIssue: it is not repaired after all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIssue:
    """Makes a resolved issue active again, unless another active issue has its fingerprint."""

    id: str
