"""Statistics over time: which buckets there are, and what is in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.values import time_of, to_datetime
from resolvers.errors import BadRequest

MAX_BUCKETS = 400
_WIDTHS = {
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
}

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Series:
    """Buckets from `start` (their first moments) up to `end`, exclusive."""

    starts: tuple[str, ...]
    end: str

    @property
    def start(self) -> str:
        """The beginning of the first bucket."""
        return self.starts[0]

    def points(self, found: Mapping[str, Rows]) -> list[dict[str, Any]]:
        """An IssueStatsPoint a bucket, from rows of bucket and count by what they count."""
        counts = {name: {row[0]: row[1] for row in rows} for name, rows in found.items() if name != "before"}
        active = found["before"][0][0] if found.get("before") else 0
        points = []
        for start in self.starts:
            here = {name: of.get(start, 0) for name, of in counts.items()}
            active += here.get("opened", 0) - here.get("closed", 0)
            points.append(
                {
                    "start": start,
                    "opened": here.get("opened", 0),
                    "resolved": here.get("resolved", 0),
                    "activeAtEnd": active,
                    "occurrences": here.get("occurrences", 0),
                }
            )
        return points


def series_of(arguments: Mapping[str, Any], now: str) -> Series:
    """The buckets of a field's `from`, `to` (default: now) and `bucket`. Raises BadRequest."""
    width = _WIDTHS[str(arguments["bucket"])]
    end = arguments.get("to") or now
    start = _floor(to_datetime(arguments["from"]), width)
    if end <= time_of(start):
        raise BadRequest("to must be after from")
    count = -((start - to_datetime(end)) // width)
    if count > MAX_BUCKETS:
        raise BadRequest(f"series has {MAX_BUCKETS} buckets at most: choose a wider bucket or a shorter time")
    return Series(tuple(time_of(start + number * width) for number in range(count)), end)


def _floor(moment: datetime, width: timedelta) -> datetime:
    """The beginning of the bucket that a moment lies in; weeks begin on Monday."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if width == _WIDTHS["WEEK"]:
        return day - timedelta(days=day.weekday())
    return day + (moment - day) // width * width
