"""Times as tools write them, read into RFC 3339."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from models.values import time_of

_MAX_LENGTH = 64
_WRITTEN = re.compile(
    r"(\d{4})[-./](\d\d)[-./](\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,9})?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
# Below the first of these, a number is in seconds, then in milli-, micro- and nanoseconds.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))


def time(value: Any) -> str:
    """An RFC 3339 time, "" for what is none; a text without a zone is none."""
    return _read(value, None)


def time_at(value: Any, zone: Any) -> str:
    """The same; a text without a zone is of this one: `Europe/Berlin`, `+02:00`."""
    return _read(value, _zone(zone) if isinstance(zone, str) and len(zone) <= _MAX_LENGTH else None)


def _read(value: Any, zone: tzinfo | None) -> str:
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _MAX_LENGTH:
            return ""
        if _NUMBER.fullmatch(value):
            value = float(value)
    try:
        moment = _written(value, zone) if isinstance(value, str) else _counted(value)
        # The first year stands for no time in what programs write.
        return time_of(moment) if moment is not None and moment.year > 1 else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _counted(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _UNITS[-1][0]:
        return None
    unit = next(unit for most, unit in _UNITS if value < most)
    if isinstance(value, int):
        seconds, rest = divmod(value, int(unit))
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest * 1_000_000 // int(unit))
    return datetime.fromtimestamp(value / unit, UTC)


def _written(text: str, zone: tzinfo | None) -> datetime | None:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        if not text[:1].isalpha():
            return None
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    place = _zone(offset) if offset else zone
    if place is None:
        return None
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro, place)


@lru_cache(maxsize=256)
def _zone(text: str) -> tzinfo | None:
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    if offset := _OFFSET.fullmatch(text):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-ahead if offset[1] == "-" else ahead) if ahead < timedelta(days=1) else None
    if not _ZONE.fullmatch(text):
        return None
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # there is none of that name
        return None


TIMES: dict[str, Callable[..., Any]] = {"time": time, "timeAt": time_at}
