"""Ids, times and folded text, as the rows and the JSON both show them: plain strings."""

import os
import re
import threading
import time
from datetime import UTC, datetime

_id_lock = threading.Lock()
_last_id = 0
# Random numbers, drawn ahead: asking the system for each lets other threads take the interpreter each time.
_random: list[int] = []

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_RANDOM_BITS = 74
_RANDOM_BYTES = 10
_STEP = (1 << 32) - 1
_DRAWN = 400


def new_id() -> str:
    """A UUIDv7: 36 characters, lower case; later ones of one process sort after earlier ones."""
    global _last_id
    with _id_lock:
        if not _random:
            _draw()
        drawn = _random.pop()
        number = (time.time_ns() // 1_000_000) << _RANDOM_BITS | drawn
        if number <= _last_id:
            number = _last_id + 1 + (drawn & _STEP)
        _last_id = number
    # 48 bits of time, (version 7,) 12 bits; variant 2, 62 bits.
    high, low = f"{number >> 62:015x}", f"{1 << 63 | number & (1 << 62) - 1:x}"
    return f"{high[:8]}-{high[8:12]}-7{high[12:]}-{low[:4]}-{low[4:]}"


def _draw() -> None:
    size = _RANDOM_BYTES
    data = os.urandom(_DRAWN * size)
    surplus = 8 * size - _RANDOM_BITS
    _random.extend(int.from_bytes(data[at : at + size]) >> surplus for at in range(0, len(data), size))


def _draw_anew() -> None:
    global _id_lock
    _id_lock = threading.Lock()
    _random.clear()


# Two processes must not go on with the same numbers.
os.register_at_fork(after_in_child=_draw_anew)


def first_id_of(moment: datetime) -> str:
    """The smallest UUIDv7 of the millisecond of a moment with a zone: those made before are smaller."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"


def parse_id(text: str) -> str | None:
    """The id as rows hold it, or None when `text` is no UUID in its usual 36 characters."""
    return text.lower() if _UUID.fullmatch(text) else None


def time_of(moment: datetime) -> str:
    """A moment with a zone as `YYYY-MM-DDTHH:MM:SS.ffffffZ`: 27 characters, UTC, in order as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def now() -> str:
    """The time of the clock, to the microsecond."""
    return time_of(datetime.now(UTC))


def parse_time(text: str) -> str:
    """An RFC 3339 time with any offset, in our form; digits past the microsecond are cut.

    Raises ValueError when it is not such a time, has no offset or lies outside the years 1 to 9999.
    """
    try:
        if not _RFC_3339.fullmatch(text):
            raise ValueError
        return time_of(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is not an RFC 3339 time with an offset") from None


def to_datetime(text: str) -> datetime:
    """The moment of a time in our form, with its zone."""
    return datetime.fromisoformat(text)


def fold(text: str) -> str:
    """Text as it is compared where case does not matter; the same rule everywhere, so databases never fold."""
    return text.casefold()
