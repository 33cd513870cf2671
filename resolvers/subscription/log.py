"""The event log as clients know it: positions as text that also says which log they belong to."""

import re

from sqlalchemy import select

from models import EventLog
from models.database import Database
from resolvers.errors import BadRequest, PositionExpired

_POSITION = re.compile(r"([0-9a-f]{12})([0-9a-f]{16})", re.ASCII)
MAX_NUMBER = 2**63 - 1


class Log:
    """One log, by its identity (12 hex digits): translates between the numbers of its lines and `LogPosition`."""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    @classmethod
    async def load(cls, database: Database) -> "Log":
        """The log of this database. Raises models.database.Unavailable when it cannot be read."""
        statement = database.compile(select(EventLog.identity))
        ((identity,),) = await database.fetch(statement)
        return cls(identity)

    def text(self, number: int) -> str:
        """A position as clients hold it: always 28 characters, later ones compare greater."""
        return f"{self.identity}{number:016x}"

    def number(self, text: str) -> int:
        """The number in a position. Raises PositionExpired for one of another log, BadRequest for one of none."""
        match = _POSITION.fullmatch(text)
        if match is None or int(match[2], 16) > MAX_NUMBER:
            raise BadRequest(f"{text[:40]!r} is not a LogPosition")
        if match[1] != self.identity:
            raise PositionExpired("This position belongs to another log: read the list again and follow from there")
        return int(match[2], 16)
