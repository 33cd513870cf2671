"""What tokens, sessions and the audit ask of the database alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Insert, bindparam, insert

from models import Base
from models.database import DatabaseError
from resolvers.errors import Unavailable


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
