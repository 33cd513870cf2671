"""What the writer forgets: old runs, batches and answers; a bounded piece at a time."""

import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, select, tuple_
from sqlalchemy.sql import ClauseElement

from models import Batch, IdempotencyKey, Run
from models.base import Time
from models.database import Database, Fetch, Row, Statement, Write
from models.values import time_of
from resolvers.mutation.limits import IDEMPOTENCY_WINDOW

INTERVAL_SECONDS = 60.0
MAX_ROWS_AT_ONCE = 1_000
# Longer than any commit is in doubt.
BATCH_MEMORY = timedelta(days=1)


class Retention:
    """Whether something may be too old, and the work that deletes it."""

    def __init__(self, database: Database, *, run_memory_days: int) -> None:
        self._due = time.monotonic()
        self._oldest: list[tuple[Statement, timedelta]] = [
            (database.compile(_delete_oldest(Run)), timedelta(days=run_memory_days)),
            (database.compile(_delete_oldest(Batch)), BATCH_MEMORY),
            (database.compile(_delete_oldest(IdempotencyKey)), IDEMPOTENCY_WINDOW),
        ]

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


def _delete_oldest(model: type[Run | Batch | IdempotencyKey]) -> ClauseElement:
    key = model.__table__.primary_key
    oldest = select(*key).where(model.at < bindparam("before", type_=Time())).order_by(model.at).limit(MAX_ROWS_AT_ONCE)
    return delete(model).where(tuple_(*key).in_(oldest)).returning(model.at)
