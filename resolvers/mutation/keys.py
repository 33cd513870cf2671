"""What a batch of commands has to read before it can decide."""

from collections.abc import Callable
from dataclasses import dataclass, field

from resolvers.mutation.rows import IssueRow, ScopeKey
from resolvers.mutation.successes import Place


@dataclass(slots=True)
class Keys:
    """Collected from all commands of a batch, read with one statement a table."""

    issue_ids: set[str] = field(default_factory=set)
    # The active and the last resolved issue of each.
    fingerprints: set[str] = field(default_factory=set)
    # Fingerprint and run digest.
    runs: set[tuple[str, str]] = field(default_factory=set)
    scopes: set[ScopeKey] = field(default_factory=set)
    # The active issues of a namespace on a scope.
    places: set[tuple[str, ScopeKey]] = field(default_factory=set)
    # Those whose active issue is shown afterwards, with all its relations.
    shown: set[str] = field(default_factory=set)
    # Issues that need all their relations, with the issues at the other ends.
    related_ids: set[str] = field(default_factory=set)
    # Relations between two issues: source and target.
    pairs: set[tuple[str, str]] = field(default_factory=set)
    # Of what is told beside issues; issues of other trackers with ours, and a child's and its parent's.
    deployments: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    tracked: set[str] = field(default_factory=set)
    tracked_pairs: set[tuple[str, str]] = field(default_factory=set)
    # Successes that are told, and where failures look for those after them, with the time of the first such failure.
    successes: set[str] = field(default_factory=set)
    well_since: dict[Place, str] = field(default_factory=dict)
    # Caller's id and idempotency key.
    answers: set[tuple[str, str]] = field(default_factory=set)
    # Deliveries that are replayed.
    deliveries: set[str] = field(default_factory=set)
    # What an issue leads to, once it is found: adds to the keys of the second round.
    second_round: list[tuple[str, Callable[["IssueRow", "Keys"], None]]] = field(default_factory=list)
