"""Cursors of pages: the sort values of a row, opaque to clients, and the condition that goes on from there."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, SmallInteger, UnaryExpression, and_, bindparam, or_, tuple_

from models.values import parse_id, parse_time
from resolvers.errors import BadRequest
from resolvers.query.made import Made

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# The longest title folds to 4,500 bytes; base64 makes 6,000 of them.
MAX_CURSOR_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Sort:
    """One step of an order, over values that are never null. `kind`: id, time, text or number."""

    expression: ColumnElement[Any]
    kind: str
    descending: bool = False

    def clause(self, *, backward: bool) -> UnaryExpression[Any]:
        """For ORDER BY."""
        return self.expression.desc() if self.descending != backward else self.expression.asc()

    @property
    def value(self) -> "SortValue":
        """What a cursor holds of it."""
        type_ = self.expression.type
        return SortValue(
            self.kind, 16 if isinstance(type_, SmallInteger) else 64 if isinstance(type_, BigInteger) else 32
        )


@dataclass(frozen=True, slots=True)
class SortValue:
    """The value of one step in a cursor; `bits` is the size of a number."""

    kind: str
    bits: int


def tag_of(name: str, sorts: Sequence[Sort]) -> str:
    """Says which list and order a cursor is of: another list's cursor is refused, not misread."""
    return name + "".join(f"{sort.kind[0]}{'-' if sort.descending else '+'}" for sort in sorts)


def made_cursor(tag: str, places: Sequence[int]) -> Made:
    """The cursor of a row whose sort values stand in these places: JSON as base64 for URLs."""
    # All of it here, as a page makes one for each row.
    names = {"_dumps": orjson.dumps, "_base64": binascii.b2a_base64, "_url_safe": _URL_SAFE}
    values = ", ".join(f"row[{place}]" for place in places)
    text = f"_base64(_dumps([{tag!r}, {values}]), newline=False).translate(_url_safe, b'=').decode()"
    return Made(text, names, 3)


def decode(argument: str, text: str, tag: str, sorts: Sequence[SortValue]) -> list[Any]:
    """The values in a cursor. Raises BadRequest for a text that is no cursor of this list in this order."""
    try:
        if len(text) > MAX_CURSOR_LENGTH:
            raise ValueError
        given, *values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if given != tag or len(values) != len(sorts):
            raise ValueError
        return [_checked(sort, value) for sort, value in zip(sorts, values, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise BadRequest(f"{argument} is not a cursor of this list in this order") from None


def beyond(sorts: Sequence[Sort], names: Sequence[str], *, backward: bool) -> ColumnElement[bool]:
    """Whether a row comes after the cursor whose values are bound to `names` (before it, if `backward`)."""
    steps = [
        (sort.expression, bindparam(name, type_=sort.expression.type), sort.descending != backward)
        for sort, name in zip(sorts, names, strict=True)
    ]
    if len({falling for _, _, falling in steps}) == 1:
        # A row value: the databases walk an index with it.
        row = tuple_(*(expression for expression, _, _ in steps))
        cursor = tuple_(*(value for _, value, _ in steps))
        return row < cursor if steps[0][2] else row > cursor
    found: ColumnElement[bool] | None = None
    for expression, value, falling in reversed(steps):
        further = expression < value if falling else expression > value
        found = further if found is None else or_(further, and_(expression == value, found))
    assert found is not None
    return found


def _checked(sort: SortValue, value: Any) -> Any:
    if sort.kind == "number":
        if type(value) is not int or abs(value) >= 2 ** (sort.bits - 1):
            raise ValueError
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    if sort.kind == "time":
        return parse_time(value)
    if sort.kind == "id" and parse_id(value) != value:
        raise ValueError
    return value
