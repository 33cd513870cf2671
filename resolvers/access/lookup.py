"""Rows of the database by a key, for many who ask at once: one statement at a time reads for all who wait."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.database import Database, Row, Statement
from resolvers.access.storage import unavailable_unless
from resolvers.errors import Unavailable


@dataclass(slots=True, eq=False)
class _Batch:
    """Those who wait for the same statement, and what came of it."""

    keys: set[str] = field(default_factory=set)
    rows: Mapping[str, Row] | None = None
    problem: Unavailable | None = None


class Lookup:
    """`statement` takes a list of `keys`; the first column of a row is its key."""

    def __init__(self, database: Database, statement: Statement) -> None:
        self._database = database
        self._statement = statement
        self._next = _Batch()
        self._reading = asyncio.Lock()

    async def find(self, key: str) -> Row | None:
        """The rest of the row with this key, read after this was called. Raises Unavailable."""
        batch = self._next
        batch.keys.add(key)
        async with self._reading:
            if batch.problem is not None:
                raise Unavailable(batch.problem.message)
            if batch.rows is None:
                if batch is self._next:
                    self._next = _Batch()
                await self._read(batch)
        row = (batch.rows or {}).get(key)
        return None if row is None else row[1:]

    async def _read(self, batch: _Batch) -> None:
        try:
            with unavailable_unless("read"):
                rows = await self._database.fetch(self._statement, {"keys": sorted(batch.keys)})
        except Unavailable as problem:
            batch.problem = problem
            raise
        batch.rows = {row[0]: row for row in rows}
