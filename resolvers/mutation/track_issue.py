"""TrackIssue and CloseTrackedIssue: an issue of another tracker is as follows now."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from models.values import new_id
from models.words import ISSUE_STATES
from resolvers.caller import Actor, Caller
from resolvers.errors import UserError
from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.command import check_may_report, failure
from resolvers.mutation.create_issue import NOTHING_EDITED, CreateIssue
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.records import TrackedRow, digest_of, key_of, told
from resolvers.mutation.relate_issues import existing, relate
from resolvers.mutation.reopen_issue import reopen
from resolvers.mutation.resolve_issues import resolve
from resolvers.mutation.rows import IssueRow, label_rows, replaced_links
from resolvers.mutation.working_set import WorkingSet

NO_SUCH_ISSUE = "there is no such issue"
MOVED = "the issue of it was moved to another namespace"


@dataclass(frozen=True, kw_only=True)
class TrackIssue:
    """Makes, changes, resolves or reopens our issue of one that another tracker has, known by the tracker's own id.

    `report`: how ours is to look; None for what is no failure, and only remembered. `state` and `kind`: in the
    tracker; `changed_at`: since when it is as told, `resolved_at`: when it was repaired there. One that was open before
    our issue was resolved comes late, and reopens nothing; so does one of which `opened_at` tells that it was opened
    then or before, if the tracker tells nothing else of when it was opened again. `parent_id`: of the same system; the
    two are related. What people did here stays until the tracker tells something else. Raises Invalid.
    """

    namespace: str
    source: str
    external_id: str
    kind: str
    state: str
    report: CreateIssue | None
    system: str = ""
    changed_at: str | None = None
    resolved_at: str | None = None
    opened_at: str | None = None
    parent_id: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.recorded(self.namespace, self.source, self.system, self.external_id)
        checks.filled(("parentId",), self.parent_id, limits.MAX_EXTERNAL_ID_LENGTH)
        checks.text(("kind",), self.kind, limits.MAX_WORD_LENGTH)
        checks.word(("state",), self.state, ISSUE_STATES)
        checks.moment(("changedAt",), self.changed_at)
        checks.moment(("resolvedAt",), self.resolved_at)
        checks.moment(("openedAt",), self.opened_at)
        if self.report is not None and self.report.namespace != self.namespace:
            checks.error("INVALID", ("report", "namespace"), "namespace must be that of the tracked issue")
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the namespace, and whatever the report needs."""
        check_may_report(caller, self.namespace)
        if self.report is not None:
            self.report.check(caller)

    def name_keys(self, keys: Keys) -> None:
        """What is known of it and of its parent, and what the report names."""
        keys.tracked.add(self._key)
        if self._parent_key is not None:
            keys.tracked.add(self._parent_key)
            keys.tracked_pairs.add((self._key, self._parent_key))
        if self.report is not None:
            self.report.name_keys(keys)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """CREATED, UPDATED, REOPENED, RESOLVED, UNCHANGED; IGNORED for what is no failure and resolves none."""
        tracked = found.records.tracked.get(self._key)
        issue = _ours(found, tracked, self.namespace)
        digest = digest_of(told(self, "idempotency_key", "opened_at"))
        if tracked and tracked.digest == digest and (issue or not tracked.issue_id):
            return self._outcome(found, "UNCHANGED", issue)
        if tracked and self._at and tracked.changed_at and self._at < tracked.changed_at:
            return self._outcome(found, "UNCHANGED", issue)
        message = None
        if self.report is None:
            action, after = "IGNORED", issue
            if issue and issue.is_active:
                message = f"it is no failure any more, but {self.kind or 'nothing'}"
                at = max(self.changed_at, issue.detected_at) if self.changed_at else None
                action, after = "RESOLVED", resolve(found, caller.actor, issue, at=at, reason=message)
        elif issue is None or tracked is None:
            action, after = self._create(found, caller, self.report)
        else:
            action, after = self._change(found, caller.actor, tracked, issue, self.report)
        if after and self._parent_key is not None:
            self._relate(found, caller.actor, after, self._parent_key)
        found.records.put_tracked(
            TrackedRow(
                id=tracked.id if tracked else new_id(),
                key=self._key,
                namespace=self.namespace,
                source=self.source,
                system=self.system,
                external_id=self.external_id,
                kind=self.kind,
                state=self._known_state(tracked, issue),
                changed_at=self._at,
                issue_id=after.id if after else None,
                digest=digest,
                created_at=tracked.created_at if tracked else found.at,
                updated_at=found.at,
            )
        )
        return self._outcome(found, action, after, message)

    def _known_state(self, tracked: TrackedRow | None, issue: IssueRow | None) -> str:
        """What the next event is compared with."""
        if self.report is None and issue is not None:
            # Should it be a failure again, that is something new.
            return "RESOLVED"
        return tracked.state if tracked and self._is_late(issue) else self.state

    def _create(self, found: WorkingSet, caller: Caller, report: CreateIssue) -> tuple[str, IssueRow]:
        outcome = report.decide(found, caller)
        issue = found.issues[outcome.issue_ids[0]]
        if self.state == "RESOLVED":
            issue = resolve(found, caller.actor, issue, at=self._resolved_at(issue))
        return outcome.action or "CREATED", issue

    def _change(
        self, found: WorkingSet, actor: Actor, tracked: TrackedRow, issue: IssueRow, report: CreateIssue
    ) -> tuple[str, IssueRow]:
        edited = orjson.loads(issue.edited_fields) if issue.edited_fields != NOTHING_EDITED else ()
        values: dict[str, Any] = {
            "title": report.title,
            "description": report.description,
            "severity": report.severity,
            "links": issue.links if report.links is None else replaced_links(issue.links, report.links),
            "labels": issue.labels if report.labels is None else label_rows(report.labels),
        }
        # Asked before anything is changed.
        other = None if issue.is_active else found.active(issue.fingerprint)
        after = issue._replace(**{name: value for name, value in values.items() if name not in edited})
        action = "UNCHANGED" if after == issue else "UPDATED"
        after = found.change("UPDATED", after, actor)
        if self.state == "RESOLVED" and issue.is_active:
            return "RESOLVED", resolve(found, actor, after, at=self._resolved_at(after))
        was_resolved = self.state == "ACTIVE" and tracked.state == "RESOLVED"
        if was_resolved and not (issue.is_active or other or self._is_late(issue)):
            return "REOPENED", reopen(found, actor, after)
        return action, after

    def _is_late(self, issue: IssueRow | None) -> bool:
        """Whether it was open before our issue was resolved."""
        if self.state == "RESOLVED" or issue is None or issue.resolved_at is None:
            return False
        if self.opened_at is not None and self.opened_at <= issue.resolved_at:
            return True
        return self.changed_at is not None and self.changed_at < issue.resolved_at

    def _relate(self, found: WorkingSet, actor: Actor, issue: IssueRow, parent_key: str) -> None:
        parent = _ours(found, found.records.tracked.get(parent_key), self.namespace)
        if parent and parent.id != issue.id and not existing(found, issue.id, parent.id, "RELATED"):
            relate(found, actor, "RELATED", issue, parent, "parent")

    def _resolved_at(self, issue: IssueRow) -> str | None:
        return max(self.resolved_at, issue.detected_at) if self.resolved_at else None

    def _outcome(self, found: WorkingSet, action: str, issue: IssueRow | None, message: str | None = None) -> Outcome:
        if self.report is None and action != "RESOLVED":
            return Outcome(position=found.end, action="IGNORED", message=message)
        return Outcome(position=found.end, action=action, issue_ids=(issue.id,) if issue else (), message=message)

    @cached_property
    def _at(self) -> str | None:
        """The last that it tells of: trackers may not count a resolution as a change."""
        times = (self.changed_at, self.resolved_at if self.state == "RESOLVED" else None)
        return max(filter(None, times), default=None)

    @cached_property
    def _key(self) -> str:
        return key_of(self.namespace, self.source, self.system, self.external_id)

    @cached_property
    def _parent_key(self) -> str | None:
        if self.parent_id is None or self.parent_id == self.external_id:
            return None
        return key_of(self.namespace, self.source, self.system, self.parent_id)


@dataclass(frozen=True, kw_only=True)
class CloseTrackedIssue:
    """Resolves our issue of one that another tracker has, at `at` or now. Raises Invalid."""

    namespace: str
    source: str
    external_id: str
    system: str = ""
    at: str | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.recorded(self.namespace, self.source, self.system, self.external_id)
        checks.moment(("at",), self.at)
        checks.idempotency_key(self.idempotency_key)
        checks.done()

    def check(self, caller: Caller) -> None:
        """REPORT in the namespace."""
        check_may_report(caller, self.namespace)

    def name_keys(self, keys: Keys) -> None:
        """What is known of it."""
        keys.tracked.add(self._key)

    def decide(self, found: WorkingSet, caller: Caller) -> Outcome:
        """RESOLVED, or UNCHANGED; IGNORED for what has no issue here; NOT_FOUND for what was never told."""
        tracked = found.records.tracked.get(self._key)
        if tracked is None:
            return failure(found, UserError(code="NOT_FOUND", field=("externalId",), message=NO_SUCH_ISSUE))
        issue = _ours(found, tracked, self.namespace)
        if self.at and self.at < max(tracked.changed_at or "", issue.detected_at if issue else ""):
            # It was closed before that, and this comes late.
            return Outcome(position=found.end, action="UNCHANGED", issue_ids=(issue.id,) if issue else ())
        if tracked.state != "RESOLVED":
            # Whatever comes next tells something new.
            closed = tracked._replace(state="RESOLVED", changed_at=self.at, digest="", updated_at=found.at)
            found.records.put_tracked(closed)
        if issue is None:
            what = tracked.kind or "an issue without a type"
            message = MOVED if tracked.issue_id else f"{what} is no failure: there is no issue of it to resolve"
            return Outcome(position=found.end, action="IGNORED", message=message)
        if not issue.is_active:
            return Outcome(position=found.end, action="UNCHANGED", issue_ids=(issue.id,))
        resolve(found, caller.actor, issue, at=self.at)
        return Outcome(position=found.end, action="RESOLVED", issue_ids=(issue.id,))

    @cached_property
    def _key(self) -> str:
        return key_of(self.namespace, self.source, self.system, self.external_id)


def _ours(found: WorkingSet, tracked: TrackedRow | None, namespace: str) -> IssueRow | None:
    """The issue that shows it; one that people have moved elsewhere is theirs."""
    issue = found.issues.get(tracked.issue_id) if tracked and tracked.issue_id else None
    return issue if issue and issue.namespace == namespace else None
