"""The rows that a batch of commands decides on: read at once, changed in memory, every change with its log line."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from models.values import new_id
from resolvers.caller import Actor
from resolvers.mutation.log_lines import Change, changed_line, created_line, gone_line, relation_line
from resolvers.mutation.outcome import LeftIssue, Outcome
from resolvers.mutation.records import Records
from resolvers.mutation.rows import (
    DeliveryChange,
    DeliveryRow,
    EventRow,
    IssueRow,
    OccurrenceRow,
    RelationRow,
    ScopeKey,
    ScopeRow,
)
from resolvers.mutation.scope_issues import ScopeIssues
from resolvers.mutation.successes import Successes
from resolvers.mutation.times import told_time
from resolvers.mutation.values import PartValue


class NotRead(Exception):
    """A command depends on rows that an earlier command of the batch made relevant: it belongs to the next batch."""


class WorkingSet:
    """What the database holds, as far as the batch asked, and as the commands so far have changed it.

    `at` is the time of everything that the batch does; `end` the position of the newest line.
    """

    def __init__(self, at: str, end: int) -> None:
        self.at = at
        self.end = end
        self.issues: dict[str, IssueRow] = {}
        # A key that is missing is not known, None is known to be none; so for fingerprints below.
        self.scopes: dict[ScopeKey, ScopeRow | None] = {}
        self.relations: dict[str, RelationRow] = {}
        self.runs: set[tuple[str, str]] = set()
        # By caller's id and idempotency key: digest of the command, and what it was answered.
        self.answers: dict[tuple[str, str], tuple[str, Outcome]] = {}

        # As read; what is not in here is new.
        self.read_issues: dict[str, IssueRow] = {}
        self.read_relations: dict[str, RelationRow] = {}
        self.lines: list[EventRow] = []
        self.new_scopes: list[ScopeRow] = []
        self.new_occurrences: list[OccurrenceRow] = []
        self.new_runs: list[tuple[str, str]] = []
        self.new_answers: list[tuple[str, str]] = []
        self.expired_answers: list[tuple[str, str]] = []
        # Where those stand that were asked for, and what is written of others and of those.
        self.deliveries: dict[str, int] = {}
        self.new_deliveries: list[DeliveryRow] = []
        self.replayed_deliveries: list[DeliveryChange] = []
        # Delivery and namespace.
        self.new_delivery_namespaces: list[tuple[str, str]] = []

        self.records = Records()
        self.successes = Successes(at)

        # Issues all of whose relations are here.
        self.related: set[str] = set()

        self._active: dict[str, str | None] = {}
        self._last_resolved: dict[str, str | None] = {}
        # By namespace and the scope's id.
        self._on_scope: defaultdict[tuple[str, str], ScopeIssues] = defaultdict(ScopeIssues)
        self._relations_of: defaultdict[str, set[str]] = defaultdict(set)

    # What was read, put in by `reading`.

    def take_scopes(self, keys: Iterable[ScopeKey], scopes: Iterable[ScopeRow]) -> None:
        """Rows as the database has them; all that there are of `keys` are among them."""
        for key in keys:
            self.scopes.setdefault(key, None)
        for scope in scopes:
            self.scopes[scope.key] = scope

    def take_issues(self, issues: Iterable[IssueRow], fingerprints: Iterable[str]) -> None:
        """Rows as the database has them; all that is active or last resolved of `fingerprints` is among them."""
        for fingerprint in fingerprints:
            self._active.setdefault(fingerprint, None)
            self._last_resolved.setdefault(fingerprint, None)
        for issue in issues:
            self.read_issues[issue.id] = issue
            self.scopes[issue.scope.key] = issue.scope
            self._place(None, issue)

    def take_relations(self, relations: Iterable[RelationRow], issue_ids: Iterable[str]) -> None:
        """Rows as the database has them; all of those of `issue_ids` are among them."""
        self.related.update(issue_ids)
        for relation in relations:
            self.read_relations[relation.id] = relation
            self._put(relation)

    @property
    def fingerprints(self) -> set[str]:
        """Of all issues that were read or are there now, and those that were asked for."""
        found = {issue.fingerprint for rows in (self.read_issues, self.issues) for issue in rows.values()}
        return found | self._active.keys()

    @property
    def changed_fingerprints(self) -> set[str]:
        """Of the issues that are not as they were read, as they were and as they are."""
        ids = self.read_issues.keys() | self.issues.keys()
        pairs = ((self.read_issues.get(id), self.issues.get(id)) for id in ids)
        return {row.fingerprint for before, after in pairs if before is not after for row in (before, after) if row}

    # What commands ask.

    def told(self, at: str | None) -> str | None:
        """A time as a sender tells it; none, where it is further ahead than clocks differ."""
        return told_time(at, now=self.at)

    def active(self, fingerprint: str) -> IssueRow | None:
        """The active issue of a fingerprint. Raises NotRead."""
        return self._known(self._active, fingerprint)

    def last_resolved(self, fingerprint: str) -> IssueRow | None:
        """Of the resolved issues of a fingerprint the one that was resolved last. Raises NotRead."""
        return self._known(self._last_resolved, fingerprint)

    def active_on(self, namespace: str, scope: ScopeKey, parts: Sequence[PartValue] | None) -> list[IssueRow]:
        """The active issues of a namespace on a scope, oldest first; the place must have been asked for.

        `parts`: as fingerprint.has_parts takes them.
        """
        row = self.scopes.get(scope)
        return [self.issues[id] for id in self._on_scope[namespace, row.id].having(parts)] if row else []

    def between(self, source_id: str, target_id: str) -> list[RelationRow]:
        """The relations from source to target; the pair must have been asked for."""
        ends = (source_id, target_id)
        return [relation for relation in self.relations.values() if (relation.source_id, relation.target_id) == ends]

    def relations_of(self, issue_id: str) -> list[RelationRow]:
        """All relations of an issue, oldest first; the issue must have been asked for."""
        return [self.relations[id] for id in sorted(self._relations_of[issue_id])]

    def left(self, issue: IssueRow) -> LeftIssue | None:
        """The issue as it is now with all around it, if that is known."""
        if issue.id not in self.related:
            return None
        relations = []
        for relation in self.relations_of(issue.id):
            other = self.issues.get(relation.target_id if relation.source_id == issue.id else relation.source_id)
            if other is None:
                return None
            relations.append((relation, other))
        return LeftIssue(issue, tuple(relations))

    # What commands do.

    def scope(self, key: ScopeKey) -> ScopeRow:
        """The scope with this key, a new one if there is none. Raises NotRead."""
        if key not in self.scopes:
            raise NotRead
        row = self.scopes[key]
        if row is None:
            row = self.scopes[key] = ScopeRow(new_id(), *key)
            self.new_scopes.append(row)
        return row

    def create(self, issue: IssueRow, actor: Actor, *further: Change) -> None:
        """Adds an issue."""
        self._place(None, issue)
        self.related.add(issue.id)
        self.lines.append(created_line(self._next, "CREATED", self.at, actor, issue, *further))

    def change(self, kind: str, issue: IssueRow, actor: Actor, *further: Change) -> IssueRow:
        """Puts `issue` in the place of the row with its id and logs what differs; nothing when nothing does."""
        before = self.issues[issue.id]
        if issue == before and not further:
            return before
        after = issue._replace(updated_at=self.at)
        self._place(before, after)
        self.lines.append(changed_line(self._next, kind, self.at, actor, before, after, *further))
        return after

    def move(self, issue: IssueRow, actor: Actor) -> IssueRow:
        """Like `change`, into another namespace: a line in each, and neither tells the name of the other."""
        before = self.issues[issue.id]
        after = issue._replace(updated_at=self.at)
        self._place(before, after)
        gone: Change = {"field": "namespace", "old": before.namespace, "new": None}
        self.lines.append(gone_line(self._next, "UPDATED", self.at, actor, before, gone))
        self.lines.append(created_line(self._next, "UPDATED", self.at, actor, after))
        return after

    def delete(self, issue: IssueRow, actor: Actor) -> None:
        """Removes an issue; its relations must be gone."""
        self._place(issue, None)
        self.new_occurrences = [row for row in self.new_occurrences if row.issue_id != issue.id]
        self.lines.append(gone_line(self._next, "DELETED", self.at, actor, issue))

    def relate(self, relation: RelationRow, actor: Actor) -> None:
        """Adds a relation: a line at each end."""
        self._put(relation)
        self._log_ends("RELATED", relation, actor)

    def unrelate(self, relation: RelationRow, actor: Actor) -> None:
        """Removes a relation: a line at each end."""
        del self.relations[relation.id]
        for end in (relation.source_id, relation.target_id):
            self._relations_of[end].discard(relation.id)
        self._log_ends("UNRELATED", relation, actor)

    def remember_run(self, run: tuple[str, str]) -> None:
        """Notes that a fingerprint had a run."""
        if run not in self.runs:
            self.runs.add(run)
            self.new_runs.append(run)

    def record_delivery(self, row: DeliveryRow, namespaces: Sequence[str]) -> None:
        """Adds a delivery at the next position; `namespaces` are those that it concerns, where they are several."""
        self.new_deliveries.append(row._replace(position=self._next))
        self.new_delivery_namespaces += ((row.id, namespace) for namespace in namespaces)

    def replay_delivery(self, change: DeliveryChange, namespaces: Sequence[str]) -> None:
        """Writes anew what became of a delivery that was asked for; `namespaces` are new in what it concerns."""
        position = self.deliveries[change.id_key] = self._next
        self.replayed_deliveries.append(change._replace(position=position))
        self.new_delivery_namespaces += ((change.id_key, namespace) for namespace in namespaces)

    def _put(self, relation: RelationRow) -> None:
        self.relations[relation.id] = relation
        for end in (relation.source_id, relation.target_id):
            self._relations_of[end].add(relation.id)

    def _known(self, index: dict[str, str | None], fingerprint: str) -> IssueRow | None:
        try:
            id = index[fingerprint]
        except KeyError:
            raise NotRead from None
        return None if id is None else self.issues[id]

    def _place(self, before: IssueRow | None, after: IssueRow | None) -> None:
        """Keeps the indexes with the rows."""
        if before and after and _is_found_alike(before, after):
            self.issues[after.id] = after
            return
        if before:
            del self.issues[before.id]
            if before.is_active:
                self._on_scope[before.namespace, before.scope.id].discard(before.id)
            if self._active.get(before.fingerprint) == before.id:
                self._active[before.fingerprint] = None
            if self._last_resolved.get(before.fingerprint) == before.id:
                # The one resolved before it was not read.
                del self._last_resolved[before.fingerprint]
        if after:
            self.issues[after.id] = after
            if after.is_active:
                self._on_scope[after.namespace, after.scope.id].add(after)
                if after.fingerprint in self._active:
                    self._active[after.fingerprint] = after.id
            elif after.fingerprint in self._last_resolved and self._is_last_resolved(after):
                self._last_resolved[after.fingerprint] = after.id

    def _is_last_resolved(self, issue: IssueRow) -> bool:
        last = self.last_resolved(issue.fingerprint)
        return last is None or (issue.resolved_at or "", issue.id) >= (last.resolved_at or "", last.id)

    def _log_ends(self, kind: str, relation: RelationRow, actor: Actor) -> None:
        source, target = self.issues[relation.source_id], self.issues[relation.target_id]
        self.lines.append(relation_line(self._next, kind, self.at, actor, source, target, relation))
        self.lines.append(relation_line(self._next, kind, self.at, actor, target, source, relation))

    @property
    def _next(self) -> int:
        """The position of one line more."""
        self.end += 1
        return self.end


def _is_found_alike(one: IssueRow, other: IssueRow) -> bool:
    """Whether all indexes have them at the same place."""
    return (
        one.state == other.state
        and one.fingerprint == other.fingerprint
        and one.scope == other.scope
        and one.resolved_at == other.resolved_at
    )
