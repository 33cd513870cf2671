"""CreateIssue: a tool saw a failure."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import orjson

from models.values import new_id, to_datetime
from resolvers.caller import Actor, Caller
from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import check_may_report
from resolvers.mutation.fingerprint import Fingerprint, fingerprint_of, run_digest
from resolvers.mutation.keys import Keys
from resolvers.mutation.log_lines import Change, occurrence_change
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.relate_issues import relate
from resolvers.mutation.reopen_issue import reopen
from resolvers.mutation.resolve_issues import resolve
from resolvers.mutation.rows import IssueRow, OccurrenceRow, ScopeKey, label_rows, new_links, replaced_links
from resolvers.mutation.successes import place_of
from resolvers.mutation.values import LabelValue, LinkValue, PartValue
from resolvers.mutation.working_set import WorkingSet

NOTHING_EDITED = "[]"
OVER = "a success from after it was told before"


@dataclass(frozen=True, kw_only=True)
class CreateIssue:
    """One report: makes an issue, or adds an occurrence to the active issue of the same fingerprint.

    `links` and `labels`: None keeps what is there, an empty tuple clears. `run_id` makes a repeat known.
    `reopen_within`: a resolved issue younger than that is reopened instead of a new one made.
    Raises Invalid.
    """

    namespace: str
    title: str
    description: str
    severity: str
    issue_type: str
    resource_type: str
    resource_name: str
    # Defaults to the issue's namespace.
    resource_namespace: str | None = None
    links: tuple[LinkValue, ...] | None = None
    labels: tuple[LabelValue, ...] | None = None
    detected_at: str | None = None
    source: str | None = None
    run_id: str | None = None
    fingerprint: tuple[PartValue, ...] = ()
    state: str = "ACTIVE"
    reopen_within: timedelta | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.filled(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.filled(("description",), self.description, limits.MAX_DESCRIPTION_LENGTH)
        checks.severity(self.severity)
        checks.issue_type(self.issue_type)
        checks.links(self.links)
        checks.labels(self.labels)
        checks.moment(("detectedAt",), self.detected_at)
        checks.filled(("source",), self.source, limits.MAX_SOURCE_LENGTH)
        checks.filled(("runId",), self.run_id, limits.MAX_RUN_ID_LENGTH)
        checks.parts(self.fingerprint)
        checks.state(self.state)
        if self.reopen_within is not None and not timedelta() <= self.reopen_within <= limits.MAX_REOPEN_WITHIN:
            checks.error("INVALID", ("reopenWithin",), "reopenWithin must be between nothing and 366 days")
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the issue's namespace and in the scope's."""
        check_may_report(caller, self.namespace, self._scope.resource_namespace)

    def name_keys(self, keys: Keys) -> None:
        """The fingerprint's issues, the scope, the run."""
        fingerprint = self._fingerprint.key
        keys.fingerprints.add(fingerprint)
        keys.scopes.add(self._scope)
        keys.shown.add(fingerprint)
        if self._run:
            keys.runs.add(self._run)
        if self.detected_at is not None:
            place = place_of(self.namespace, self._scope)
            keys.well_since[place] = min(self.detected_at, keys.well_since.get(place, self.detected_at))

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CREATED, UPDATED, REOPENED or UNCHANGED."""
        if self.detected_at != found.told(self.detected_at):
            return replace(self, detected_at=None).decide(found, caller)
        actor, fingerprint, run = caller.actor, self._fingerprint.key, self._run
        active = found.active(fingerprint)
        last = found.last_resolved(fingerprint)
        known = active or last
        becomes = self.becomes(
            is_active=active is not None,
            resolved_at=last.resolved_at if last else None,
            is_counted=run in found.runs,
            now=found.at,
        )
        if known and becomes == "UNCHANGED":
            return Outcome(position=found.end, issue_ids=(known.id,), action="UNCHANGED", left=found.left(known))

        if active:
            issue, action = self._occur(found, actor, active), "UPDATED"
        elif last and becomes == "REOPENED":
            issue, action = self._occur(found, actor, reopen(found, actor, last)), "REOPENED"
        else:
            issue, action = self._create(found, actor, last), "CREATED"
        if run:
            found.remember_run(run)
        message = None
        if self.state == "RESOLVED":
            issue = resolve(found, actor, issue)
        elif not active and (success := self._success_after(found)):
            issue = resolve(found, actor, issue, at=success, reason=OVER)
            message = f"it is resolved already: {OVER}"
        return Outcome(
            position=found.end, issue_ids=(issue.id,), action=action, message=message, left=found.left(issue)
        )

    def becomes(self, *, is_active: bool, resolved_at: str | None, is_counted: bool, now: str) -> str:
        """CREATED, UPDATED, REOPENED or UNCHANGED.

        Of its fingerprint: whether an issue is active, when the last resolved one was; whether its run was counted.
        """
        if (is_active or resolved_at is not None) and (is_counted or self._is_older_than(resolved_at)):
            return "UNCHANGED"
        if is_active:
            return "UPDATED"
        return "REOPENED" if self._reopens(resolved_at, now) else "CREATED"

    @property
    def fingerprint_parts(self) -> str:
        """As the issue's row has them."""
        return self._fingerprint.parts

    @cached_property
    def _scope(self) -> ScopeKey:
        return ScopeKey(self.resource_type, self.resource_name, self.resource_namespace or self.namespace)

    @cached_property
    def _fingerprint(self) -> Fingerprint:
        return fingerprint_of(self.namespace, self.issue_type, self._scope, self.fingerprint)

    @cached_property
    def _run(self) -> tuple[str, str] | None:
        return None if self.run_id is None else (self._fingerprint.key, run_digest(self.run_id))

    def _is_older_than(self, resolved_at: str | None) -> bool:
        return self.detected_at is not None and resolved_at is not None and self.detected_at < resolved_at

    def _success_after(self, found: WorkingSet) -> str | None:
        """When what failed went well again, if that was told before the failure was."""
        if self.detected_at is None:
            return None
        place = place_of(self.namespace, self._scope)
        return found.successes.after(self.detected_at, place, self.issue_type, self._fingerprint.parts)

    def _reopens(self, resolved_at: str | None, now: str) -> bool:
        if self.reopen_within is None or self.state == "RESOLVED" or resolved_at is None:
            return False
        return to_datetime(self.detected_at or now) - to_datetime(resolved_at) <= self.reopen_within

    def _create(self, found: WorkingSet, actor: Actor, last: IssueRow | None) -> IssueRow:
        at = self.detected_at or found.at
        fingerprint = self._fingerprint
        issue = IssueRow(
            id=new_id(),
            namespace=self.namespace,
            title=self.title,
            description=self.description,
            severity=self.severity,
            issue_type=self.issue_type,
            state="ACTIVE",
            source=self.source,
            fingerprint=fingerprint.key,
            fingerprint_parts=fingerprint.parts,
            edited_fields=NOTHING_EDITED,
            detected_at=at,
            last_detected_at=at,
            occurrence_count=1,
            resolved_at=None,
            resolved_by_kind=None,
            resolved_by_id=None,
            resolved_by_name=None,
            acknowledged_at=None,
            acknowledged_by_kind=None,
            acknowledged_by_id=None,
            acknowledged_by_name=None,
            created_at=found.at,
            updated_at=found.at,
            scope=found.scope(self._scope),
            links=replaced_links((), self.links or ()),
            labels=label_rows(self.labels or ()),
        )
        found.create(issue, actor, self._occurrence(found, actor, issue))
        if last:
            relate(found, actor, "RECURRENCE_OF", issue, last)
        return issue

    def _occur(self, found: WorkingSet, actor: Actor, issue: IssueRow) -> IssueRow:
        """Counts a report of an active issue and takes its words, unless they are older than those that are there."""
        is_late = self.detected_at is not None and self.detected_at < issue.last_detected_at
        after = (issue if is_late else self._reworded(issue))._replace(
            last_detected_at=max(issue.last_detected_at, self.detected_at or found.at),
            occurrence_count=issue.occurrence_count + 1,
        )
        return found.change("OCCURRED", after, actor, self._occurrence(found, actor, issue))

    def _reworded(self, issue: IssueRow) -> IssueRow:
        """With the words of this report, except for what a person has edited."""
        edited = orjson.loads(issue.edited_fields) if issue.edited_fields != NOTHING_EDITED else ()
        links = issue.links if self.links is None else replaced_links(issue.links, self.links)
        labels = issue.labels if self.labels is None else label_rows(self.labels)
        return issue._replace(
            title=issue.title if "title" in edited else self.title,
            description=issue.description if "description" in edited else self.description,
            severity=issue.severity if "severity" in edited else self.severity,
            links=issue.links if "links" in edited else links,
            labels=issue.labels if "labels" in edited else labels,
        )

    def _occurrence(self, found: WorkingSet, actor: Actor, issue: IssueRow) -> Change:
        row = OccurrenceRow(
            id=new_id(),
            issue_id=issue.id,
            at=self.detected_at or found.at,
            received_at=found.at,
            run_id=self.run_id,
            title=self.title,
            description=self.description,
            severity=self.severity,
            links=new_links(self.links or ()),
            actor_kind=actor.kind.value,
            actor_id=actor.id,
            actor_name=actor.name,
        )
        found.new_occurrences.append(row)
        return occurrence_change(row)
