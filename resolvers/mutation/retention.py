"""What the writer forgets, piece by piece: old runs, batches, answers, deliveries, and the log of issues long gone."""

import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, null, select, text, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import ClauseElement

from models import (
    AuditEvent,
    Batch,
    Change,
    Delivery,
    Deployment,
    EventLog,
    IdempotencyKey,
    IssueEvent,
    Run,
    Success,
    TrackedIssue,
)
from models.base import Id, Position, Time
from models.database import Database, Fetch, Row, Statement, Write
from models.values import first_id_of, time_of
from resolvers.mutation.limits import IDEMPOTENCY_WINDOW

INTERVAL_SECONDS = 60.0
# Between two pieces of a backlog, for the commands.
PAUSE_SECONDS = 0.25
MAX_ROWS_AT_ONCE = 1_000
MAX_ISSUES_AT_ONCE = 100
# Longer than any commit is in doubt.
BATCH_MEMORY = timedelta(days=1)
# Longer than the bodies of deliveries are kept, which can be done again.
SUCCESS_MEMORY = timedelta(days=30)


class Retention:
    """When something may be too old, and the work that deletes it."""

    def __init__(
        self,
        database: Database,
        *,
        run_memory_days: int,
        log_retention_days: int = 400,
        audit_retention_days: int = 400,
        deployment_retention_days: int = 800,
        delivery_body_hours: int = 48,
        delivery_days: int = 30,
    ) -> None:
        self._due = time.monotonic()
        self._oldest: list[tuple[Statement, timedelta]] = [
            (database.compile(_delete_oldest(Run)), timedelta(days=run_memory_days)),
            (database.compile(_delete_oldest(Batch)), BATCH_MEMORY),
            (database.compile(_delete_successes(Success.told_at)), SUCCESS_MEMORY),
            (database.compile(_delete_successes(Success.at, Success.told_at.is_(None))), SUCCESS_MEMORY),
            (database.compile(_delete_oldest(IdempotencyKey)), IDEMPOTENCY_WINDOW),
            (database.compile(_delete_oldest(AuditEvent)), timedelta(days=audit_retention_days)),
            *(
                (database.compile(_delete_untold(model)), timedelta(days=deployment_retention_days))
                for model in (Deployment, Change, TrackedIssue)
            ),
        ]
        # By id, which tells of the time.
        self._oldest_deliveries: list[tuple[Statement, timedelta]] = [
            (database.compile(_empty_oldest()), timedelta(hours=delivery_body_hours)),
            (database.compile(_delete_oldest_deliveries()), timedelta(days=delivery_days)),
        ]
        self._log_memory = timedelta(days=log_retention_days)
        self._gone_issues = database.compile(_gone_issues())
        self._delete_lines = database.compile(_delete_lines())
        self._prune_to = database.compile(prune_to())

    @property
    def due_in(self) -> float:
        """Seconds until it is time to look; 0 when it is."""
        return max(0.0, self._due - time.monotonic())

    def put_off(self) -> None:
        """It could not be done now."""
        self._due = time.monotonic() + INTERVAL_SECONDS

    def work(self) -> Generator[Fetch | Write, list[Row], None]:
        """The steps of a transaction; due again soon while there is more to delete."""
        is_all = True
        for statement, memory in self._oldest:
            deleted = yield Fetch(statement, {"before": time_of(datetime.now(UTC) - memory)})
            is_all &= len(deleted) < MAX_ROWS_AT_ONCE
        for statement, memory in self._oldest_deliveries:
            changed = yield Fetch(statement, {"before": first_id_of(datetime.now(UTC) - memory)})
            is_all &= len(changed) < MAX_ROWS_AT_ONCE
        is_all &= yield from self._prune_log()
        self._due = time.monotonic() + (INTERVAL_SECONDS if is_all else PAUSE_SECONDS)

    def _prune_log(self) -> Generator[Fetch | Write, list[Row], bool]:
        """Lines of issues that were deleted long ago; an issue's deletion goes last, so that it is found again.

        Whether that was all.
        """
        before = time_of(datetime.now(UTC) - self._log_memory)
        gone = yield Fetch(self._gone_issues, {"before": before, "count": MAX_ISSUES_AT_ONCE})
        pruned: list[int] = []
        for (issue_id,) in gone:
            values = {"issue_id": issue_id, "count": MAX_ROWS_AT_ONCE - len(pruned)}
            pruned += [position for (position,) in (yield Fetch(self._delete_lines, values))]
            if len(pruned) == MAX_ROWS_AT_ONCE:
                break
        if pruned:
            yield Write(self._prune_to, [{"position": max(pruned)}])
        return len(pruned) < MAX_ROWS_AT_ONCE and len(gone) < MAX_ISSUES_AT_ONCE


def _delete_oldest(model: type[Run | Batch | IdempotencyKey | AuditEvent]) -> ClauseElement:
    key = model.__table__.primary_key
    oldest = select(*key).where(model.at < bindparam("before", type_=Time())).order_by(model.at).limit(MAX_ROWS_AT_ONCE)
    return delete(model).where(tuple_(*key).in_(oldest)).returning(model.at)


def _delete_successes(when: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> ClauseElement:
    """By when they came in, whatever time their sender told; of the version before that was kept, by that time."""
    oldest = select(Success.key).where(when < bindparam("before", type_=Time()), *conditions)
    oldest = oldest.order_by(when).limit(MAX_ROWS_AT_ONCE)
    return delete(Success).where(Success.key.in_(oldest)).returning(Success.at)


def _delete_untold(model: type[Deployment | Change | TrackedIssue]) -> ClauseElement:
    """What was told last long ago; what is open in another tracker stays."""
    oldest = select(model.id).where(model.updated_at < bindparam("before", type_=Time()))
    if model is TrackedIssue:
        oldest = oldest.where(TrackedIssue.state == "RESOLVED")
    oldest = oldest.order_by(model.updated_at).limit(MAX_ROWS_AT_ONCE)
    return delete(model).where(model.id.in_(oldest)).returning(model.updated_at)


def _empty_oldest() -> ClauseElement:
    """Takes away what was delivered, and leaves what came of it."""
    emptied = {Delivery.request: null(), Delivery.body: null()}
    oldest = _oldest_deliveries().where(Delivery.request.is_not(None))
    return update(Delivery).where(Delivery.id.in_(oldest)).values(emptied).returning(Delivery.id)


def _delete_oldest_deliveries() -> ClauseElement:
    return delete(Delivery).where(Delivery.id.in_(_oldest_deliveries())).returning(Delivery.id)


def _oldest_deliveries() -> Select[str]:
    before = bindparam("before", type_=Id())
    return select(Delivery.id).where(Delivery.id < before).order_by(Delivery.id).limit(MAX_ROWS_AT_ONCE)


def _gone_issues() -> ClauseElement:
    # As it stands in the index, which knows nothing else.
    is_deletion = text("kind = 'DELETED'")
    before, count = bindparam("before", type_=Time()), bindparam("count", type_=Position)
    return select(IssueEvent.issue_id).where(is_deletion, IssueEvent.at < before).order_by(IssueEvent.at).limit(count)


def _delete_lines() -> ClauseElement:
    issue_id, count = bindparam("issue_id", type_=Id), bindparam("count", type_=Position)
    oldest = (
        select(IssueEvent.position).where(IssueEvent.issue_id == issue_id).order_by(IssueEvent.position).limit(count)
    )
    return delete(IssueEvent).where(IssueEvent.position.in_(oldest)).returning(IssueEvent.position)


def prune_to() -> ClauseElement:
    """Notes that lines up to `:position` were removed: nobody goes on from before it."""
    position = bindparam("position", type_=Position)
    return update(EventLog).where(EventLog.pruned_to < position).values(pruned_to=position)
