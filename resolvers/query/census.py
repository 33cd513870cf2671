"""How many issues there are, for who watches the server: one statement over all of them, not asked often."""

import time
from collections.abc import Sequence

from sqlalchemy import case, func, select

from models import Issue
from models.database import Database, DatabaseError

# Prometheus keeps a series for each: the namespaces with the most issues, all others as one.
MAX_NAMESPACES = 100
OTHERS = ""
KEPT_SECONDS = 15.0
# It looks at each issue. Of one reader's time it may take a twentieth.
KEPT_FOR_ITS_TIME = 20

# Namespace, severity, state and how many.
Count = tuple[str, str, str, int]


class Census:
    """Counts of issues by namespace, severity and state; some seconds old, or more when counting takes long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        counted = (
            select(Issue.namespace, Issue.severity, Issue.state, func.count().label("count"))
            .group_by(Issue.namespace, Issue.severity, Issue.state)
            .cte("counted")
        )
        largest = (
            select(counted.c.namespace)
            .group_by(counted.c.namespace)
            .order_by(func.sum(counted.c.count).desc(), counted.c.namespace)
            .limit(MAX_NAMESPACES)
        )
        shown = case((counted.c.namespace.in_(largest), counted.c.namespace), else_=OTHERS).label("shown")
        grouped = select(shown, counted.c.severity, counted.c.state, counted.c.count).subquery()
        self._statement = database.compile(
            select(grouped.c.shown, grouped.c.severity, grouped.c.state, func.sum(grouped.c.count)).group_by(
                grouped.c.shown, grouped.c.severity, grouped.c.state
            )
        )
        self._due = 0.0
        self._counts: Sequence[Count] = ()

    async def counts(self) -> Sequence[Count]:
        """The last ones known when the database does not answer now."""
        begun = time.monotonic()
        if begun >= self._due:
            # Who asks meanwhile does not make it be counted twice.
            self._due = begun + self._database.timeout_seconds
            try:
                rows = await self._database.fetch(self._statement)
                self._counts = [(namespace, severity, state, int(count)) for namespace, severity, state, count in rows]
            except DatabaseError:
                pass
            ended = time.monotonic()
            self._due = ended + max(KEPT_SECONDS, KEPT_FOR_ITS_TIME * (ended - begun))
        return self._counts
