"""RelateIssues: one issue has to do with another."""

from dataclasses import dataclass

from models.values import new_id
from models.words import RELATION_KINDS
from resolvers.caller import Actor, Caller, Permission
from resolvers.errors import UserError
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.rows import IssueRow, RelationRow
from resolvers.mutation.working_set import WorkingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class RelateIssues:
    """Draws an edge from source to target, or finds the one that is there; RELATED has no direction. Raises Invalid."""

    source_id: str
    target_id: str
    kind: str = "RELATED"
    reason: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.word(("kind",), self.kind, RELATION_KINDS)
        checks.reason(self.reason)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issues tell."""

    def name_keys(self, keys: Keys) -> None:
        """Both issues and what is between them; for RECURRENCE_OF all relations of the source."""
        source, target = name_issue(keys, self.source_id), name_issue(keys, self.target_id)
        if source and target:
            keys.pairs |= {(source, target), (target, source)}
        if source and self.kind == "RECURRENCE_OF":
            keys.related_ids.add(source)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """`created` is False when the relation was there already."""
        source = named_issue(found, caller, Permission.RESPOND, self.source_id, ("sourceId",))
        target = named_issue(found, caller, Permission.RESPOND, self.target_id, ("targetId",))
        if isinstance(source, UserError) or isinstance(target, UserError):
            return failure(found, *(end for end in (source, target) if isinstance(end, UserError)))
        ends = (source.id, target.id)
        if source.id == target.id:
            message = "an issue cannot be related to itself"
            return failure(found, UserError(code="SELF_RELATION", field=("targetId",), message=message))
        there = existing(found, *ends, self.kind)
        if there:
            return Outcome(position=found.end, issue_ids=ends, relation_id=there[0].id, created=False)
        if self.kind == "RECURRENCE_OF" and not _recurs(found, source, target):
            message = "the target must be an earlier, resolved issue of the same fingerprint, the first one named"
            return failure(found, UserError(code="INVALID", field=("kind",), message=message))
        relation = relate(found, caller.actor, self.kind, source, target, self.reason)
        return Outcome(position=found.end, issue_ids=ends, relation_id=relation.id)


def relate(
    found: WorkingSet, actor: Actor, kind: str, source: IssueRow, target: IssueRow, reason: str | None = None
) -> RelationRow:
    """Draws a relation that is not there yet."""
    relation = RelationRow(
        id=new_id(),
        kind=kind,
        source_id=source.id,
        target_id=target.id,
        reason=reason,
        created_by_kind=actor.kind.value,
        created_by_id=actor.id,
        created_by_name=actor.name,
        created_at=found.at,
    )
    found.relate(relation, actor)
    return relation


def existing(found: WorkingSet, source_id: str, target_id: str, kind: str) -> list[RelationRow]:
    """The relations of a kind from source to target; RELATED ones the other way too."""
    relations = found.between(source_id, target_id)
    if kind == "RELATED":
        relations += found.between(target_id, source_id)
    return [relation for relation in relations if relation.kind == kind]


def _recurs(found: WorkingSet, source: IssueRow, target: IssueRow) -> bool:
    """Whether `source` may be the recurrence of `target`, and of no other issue."""
    earlier = (target.created_at, target.id) < (source.created_at, source.id)
    same = source.fingerprint == target.fingerprint
    previous = [
        relation
        for relation in found.relations_of(source.id)
        if relation.kind == "RECURRENCE_OF" and relation.source_id == source.id
    ]
    return earlier and same and not target.is_active and not previous
