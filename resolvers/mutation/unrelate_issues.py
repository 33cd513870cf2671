"""UnrelateIssues: one issue has nothing to do with another."""

from dataclasses import dataclass

from models.words import RELATION_KINDS
from resolvers.caller import Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.relate_issues import existing
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrelateIssues:
    """Removes the edges of `kind` (None: of every kind) from source to target; RELATED either way. Raises Invalid."""

    source_id: str
    target_id: str
    kind: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.word(("kind",), self.kind, RELATION_KINDS)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issues tell."""

    def name_keys(self, keys: Keys) -> None:
        """Both issues and what is between them."""
        source, target = name_issue(keys, self.source_id), name_issue(keys, self.target_id)
        if source and target:
            keys.pairs |= {(source, target), (target, source)}

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """Counts what it removed."""
        source = named_issue(found, caller, Permission.RESPOND, self.source_id, ("sourceId",))
        target = named_issue(found, caller, Permission.RESPOND, self.target_id, ("targetId",))
        if isinstance(source, UserError) or isinstance(target, UserError):
            return failure(found, *(end for end in (source, target) if isinstance(end, UserError)))
        kinds = RELATION_KINDS if self.kind is None else (self.kind,)
        relations = [relation for kind in kinds for relation in existing(found, source.id, target.id, kind)]
        for relation in relations:
            found.unrelate(relation, caller.actor)
        return Outcome(position=found.end, issue_ids=(source.id, target.id), count=len(relations))
