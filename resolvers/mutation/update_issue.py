"""UpdateIssue: somebody edits an issue."""

from dataclasses import dataclass

import orjson

from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, UserError
from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import failure, name_issue, named_issue
from resolvers.mutation.fingerprint import Fingerprint, extra_parts, fingerprint_of
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.reopen_issue import conflict, reopen
from resolvers.mutation.resolve_issues import resolve
from resolvers.mutation.rows import IssueRow, ScopeKey, label_rows, replaced_links
from resolvers.mutation.values import LabelValue, LinkValue
from resolvers.mutation.working_set import WorkingSet

# What a report leaves alone once somebody has edited it, in the names of both the schema and the columns.
EDITABLE = ("title", "description", "severity", "links", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateIssue:
    """Sets the fields that are not None; `links` and `labels` replace the whole list.

    Reports leave the fields that were edited alone from then on. `resolved_at` counts only where the issue is
    resolved before and after the command; nothing is done unless the issue is in the namespace `only_in`, if given.
    Raises Invalid.
    """

    id: str
    only_in: str | None = None
    title: str | None = None
    description: str | None = None
    severity: str | None = None
    issue_type: str | None = None
    links: tuple[LinkValue, ...] | None = None
    labels: tuple[LabelValue, ...] | None = None
    state: str | None = None
    resolved_at: str | None = None
    namespace: str | None = None
    resource_type: str | None = None
    resource_name: str | None = None
    resource_namespace: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.filled(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.filled(("description",), self.description, limits.MAX_DESCRIPTION_LENGTH)
        checks.severity(self.severity)
        checks.issue_type(self.issue_type)
        checks.links(self.links)
        checks.labels(self.labels)
        checks.state(self.state)
        checks.moment(("resolvedAt",), self.resolved_at)
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """Only the issue tells."""

    def name_keys(self, keys: Keys) -> None:
        """The issue; where it goes to, and who is there already."""
        id = name_issue(keys, self.id)
        if id and (self._moves or self.state == "ACTIVE"):
            keys.second_round.append((id, self._name_goal))

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CONFLICT names the active issue that has the new fingerprint."""
        issue = named_issue(found, caller, Permission.RESPOND, self.id, ("id",), only_in=self.only_in)
        if isinstance(issue, UserError):
            return failure(found, issue)
        self._check_goal(caller, issue)
        is_active = self.state == "ACTIVE" if self.state else issue.is_active
        fingerprint = self._fingerprint_of(issue).key
        if fingerprint != issue.fingerprint or is_active > issue.is_active:
            other = found.active(fingerprint)
            if is_active and other and other.id != issue.id:
                return failure(found, conflict(self._field_in_the_way, other))

        # Edited while resolved: the log never tells of two active issues with one fingerprint.
        actor = caller.actor
        resolved_at = None if issue.is_active else self.resolved_at
        if is_active < issue.is_active:
            issue = resolve(found, actor, issue)
        after = self._edited(found, issue, resolved_at)
        if after.namespace == issue.namespace:
            issue = found.change("UPDATED", after, actor)
        else:
            issue = found.move(after, actor)
        if is_active > issue.is_active:
            issue = reopen(found, actor, issue)
        return Outcome(position=found.end, issue_ids=(issue.id,))

    @property
    def _moves(self) -> bool:
        """Whether a part of the fingerprint is given."""
        places = (self.issue_type, self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        return any(part is not None for part in places)

    @property
    def _field_in_the_way(self) -> tuple[str, ...]:
        if self.namespace is not None:
            return ("namespace",)
        if self.issue_type is not None:
            return ("issueType",)
        return ("scope",) if self._moves else ("state",)

    def _name_goal(self, issue: IssueRow, keys: Keys) -> None:
        keys.fingerprints.add(self._fingerprint_of(issue).key)
        keys.scopes.add(self._scope_of(issue))

    def _scope_of(self, issue: IssueRow) -> ScopeKey:
        return ScopeKey(
            self.resource_type or issue.scope.resource_type,
            self.resource_name or issue.scope.resource_name,
            self.resource_namespace or issue.scope.resource_namespace,
        )

    def _fingerprint_of(self, issue: IssueRow) -> Fingerprint:
        if not self._moves:
            return Fingerprint(issue.fingerprint, issue.fingerprint_parts)
        namespace, issue_type = self.namespace or issue.namespace, self.issue_type or issue.issue_type
        return fingerprint_of(namespace, issue_type, self._scope_of(issue), extra_parts(issue.fingerprint_parts))

    def _check_goal(self, caller: Caller, issue: IssueRow) -> None:
        for namespace, there in (
            (self.namespace, (issue.namespace,)),
            (self.resource_namespace, (issue.namespace, issue.scope.resource_namespace)),
        ):
            if namespace and namespace not in there and not caller.may(Permission.RESPOND, namespace):
                raise Forbidden(f"no permission to respond in namespace {namespace}")

    def _edited(self, found: WorkingSet, issue: IssueRow, resolved_at: str | None) -> IssueRow:
        fingerprint = self._fingerprint_of(issue)
        after = issue._replace(
            namespace=self.namespace or issue.namespace,
            title=issue.title if self.title is None else self.title,
            description=issue.description if self.description is None else self.description,
            severity=self.severity or issue.severity,
            issue_type=self.issue_type or issue.issue_type,
            fingerprint=fingerprint.key,
            fingerprint_parts=fingerprint.parts,
            resolved_at=issue.resolved_at if issue.is_active else resolved_at or issue.resolved_at,
            scope=found.scope(self._scope_of(issue)) if self._moves else issue.scope,
            links=issue.links if self.links is None else replaced_links(issue.links, self.links),
            labels=issue.labels if self.labels is None else label_rows(self.labels),
        )
        edited = set(orjson.loads(issue.edited_fields))
        edited |= {name for name in EDITABLE if getattr(after, name) != getattr(issue, name)}
        return after._replace(edited_fields=orjson.dumps(sorted(edited)).decode())
