"""What statistics of issues are, counted one issue at a time: nothing of it is shared with what is tested."""

from collections import Counter
from datetime import timedelta
from statistics import median

from models.values import time_of, to_datetime
from tests.resolvers.query.random_where import WORDS

WIDTHS = {
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
}


def words(issues, name):
    """A short breakdown: every word, also those that no issue has."""
    counts = Counter(issue[name] for issue in issues)
    return [{name: word, "count": counts[word]} for word in WORDS[name]]


def greatest(values):
    """Values with their counts, the greatest first, then by the value, null last."""
    return sorted(Counter(values).items(), key=lambda item: (-item[1], item[0] is None, item[0]))


def durations(issues):
    """Seconds from the first report to the resolve; the quantile between two values is on the line between them."""
    seconds = sorted(
        (to_datetime(issue["resolvedAt"]) - to_datetime(issue["detectedAt"])).total_seconds()
        for issue in issues
        if issue["resolvedAt"]
    )
    if not seconds:
        return None
    place = (len(seconds) - 1) * 0.9
    low = int(place)
    high = min(low + 1, len(seconds) - 1)
    p90 = seconds[low] + (seconds[high] - seconds[low]) * (place - low)
    return {"count": len(seconds), "median": median(seconds), "p90": p90}


def beginning(time, unit):
    """Where the bucket of a time begins: weeks on Mondays."""
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "MINUTE":
            return time.replace(second=0, microsecond=0)
        case "HOUR":
            return time.replace(minute=0, second=0, microsecond=0)
        case "DAY":
            return day
    return day - timedelta(days=day.weekday())


def points(issues, occurrences, start, end, unit):
    """The series, counted one issue at a time. `start` is where a bucket begins."""

    def within(time, low, high):
        return time is not None and time_of(low) <= time < min(time_of(high), time_of(end))

    found, low = [], start
    while low < end:
        high = low + WIDTHS[unit]
        moment_ = min(time_of(high), time_of(end))
        active = [
            issue
            for issue in issues
            if issue["detectedAt"] < moment_ and not (issue["resolvedAt"] and issue["resolvedAt"] < moment_)
        ]
        found.append(
            {
                "start": time_of(low),
                "opened": sum(within(issue["detectedAt"], low, high) for issue in issues),
                "resolved": sum(within(issue["resolvedAt"], low, high) for issue in issues),
                "activeAtEnd": len(active),
                "occurrences": sum(within(each["at"], low, high) for each in occurrences),
            }
        )
        low = high
    return found
