"""What tokens, sessions and the audit ask of the database alike."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Protocol, TypeVar

from sqlalchemy import Insert, bindparam, insert

from models import Base
from models.database import Database, DatabaseError, Work
from models.database import TimedOut as DatabaseTimedOut
from resolvers.errors import TOO_SLOW, TimedOut, Unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Counting(Protocol):
    """What counts the rows that are read for an answer: the Size of `resolvers.query`."""

    line: str

    def count(self, count: int) -> None:
        """So many bytes of rows more. Raises TooLarge and Overloaded."""
        ...

    def counted(self, work: Work[T]) -> Work[T]:
        """Work that counts each row once, though it may be begun twice."""
        ...


def insert_row(model: type[Base]) -> Insert:
    """Adds a row; each parameter is named as its column."""
    return insert(model).values({c: bindparam(c.name, type_=c.type) for c in model.__table__.columns})


@contextmanager
def unavailable_unless(done: Literal["read", "written"]) -> Iterator[None]:
    """Raises Unavailable for what the database says no to within."""
    try:
        yield
    except DatabaseError as error:
        raise Unavailable(f"the database cannot be {done} now") from error


@contextmanager
def timely() -> Iterator[None]:
    """Raises TimedOut and Unavailable for what the database says to reading within."""
    with unavailable_unless("read"):
        try:
            yield
        except DatabaseTimedOut as error:
            raise TimedOut(TOO_SLOW) from error


async def read(database: Database, work: Work[T], size: Counting | None = None, *, statements: int = 2) -> T:
    """What comes of work that only reads, and tells `size`, that of an answer, of its rows itself.

    Raises Unavailable, and for an answer TimedOut.
    """
    if size is None:
        with unavailable_unless("read"):
            return await database.read(work, statements=statements)
    with timely():
        return await database.read(size.counted(work), statements=statements, line=size.line)


async def tell(on_change: Callable[[], Awaitable[None]], what: str) -> None:
    """Awaits it after a change of `what` was written: whatever comes of that, the change is done."""
    try:
        await on_change()
    except Unavailable as error:
        # Whoever looks by himself hears of it a little later.
        logger.warning("after a change of %s: %s", what, error)
