"""What the writer forgets: old runs, batches and answers, and the log of issues that are long gone; piece by piece."""

import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, select, text, tuple_, update
from sqlalchemy.sql import ClauseElement

from models import Batch, EventLog, IdempotencyKey, IssueEvent, Run
from models.base import Id, Position, Time
from models.database import Database, Fetch, Row, Statement, Write
from models.values import time_of
from resolvers.mutation.limits import IDEMPOTENCY_WINDOW

INTERVAL_SECONDS = 60.0
MAX_ROWS_AT_ONCE = 1_000
MAX_ISSUES_AT_ONCE = 100
# Longer than any commit is in doubt.
BATCH_MEMORY = timedelta(days=1)


class Retention:
    """Whether something may be too old, and the work that deletes it."""

    def __init__(self, database: Database, *, run_memory_days: int, log_retention_days: int = 400) -> None:
        self._due = time.monotonic()
        self._oldest: list[tuple[Statement, timedelta]] = [
            (database.compile(_delete_oldest(Run)), timedelta(days=run_memory_days)),
            (database.compile(_delete_oldest(Batch)), BATCH_MEMORY),
            (database.compile(_delete_oldest(IdempotencyKey)), IDEMPOTENCY_WINDOW),
        ]
        self._log_memory = timedelta(days=log_retention_days)
        self._gone_issues = database.compile(_gone_issues())
        self._delete_lines = database.compile(_delete_lines())
        self._prune_to = database.compile(_prune_to())

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return time.monotonic() >= self._due

    def work(self) -> Generator[Fetch | Write, list[Row], None]:
        """The steps of a transaction; due again soon while there is more to delete."""
        self._due = time.monotonic() + INTERVAL_SECONDS
        for statement, memory in self._oldest:
            deleted = yield Fetch(statement, {"before": time_of(datetime.now(UTC) - memory)})
            if len(deleted) == MAX_ROWS_AT_ONCE:
                self._due = time.monotonic()
        yield from self._prune_log()

    def _prune_log(self) -> Generator[Fetch | Write, list[Row], None]:
        """Lines of issues that were deleted long ago; an issue's deletion goes last, so that it is found again."""
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
        if len(pruned) == MAX_ROWS_AT_ONCE or len(gone) == MAX_ISSUES_AT_ONCE:
            self._due = time.monotonic()


def _delete_oldest(model: type[Run | Batch | IdempotencyKey]) -> ClauseElement:
    key = model.__table__.primary_key
    oldest = select(*key).where(model.at < bindparam("before", type_=Time())).order_by(model.at).limit(MAX_ROWS_AT_ONCE)
    return delete(model).where(tuple_(*key).in_(oldest)).returning(model.at)


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


def _prune_to() -> ClauseElement:
    position = bindparam("position", type_=Position)
    return update(EventLog).where(EventLog.pruned_to < position).values(pruned_to=position)
