"""How the value of Subscription.issueEvents is made: lines of the log by their positions, and what is beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.query.plan import Build
from resolvers.query.roots import lines_by_position
from resolvers.query.selection import Field


@dataclass(frozen=True, slots=True)
class Batch:
    """`lines` fetches what `make` needs: from items, what was fetched, the position's text and caughtUp."""

    lines: Sequence[Any]
    make: Callable[[Sequence[tuple[str, int]], Sequence[Mapping[Any, Any]], str, bool], Any]


def batch(build: Build, field: Field) -> Batch:
    """Of the IssueEventBatch that a field selects."""
    fetched: list[Any] = []
    entries: list[tuple[str, Callable[[Sequence[tuple[str, int]], Sequence[Mapping[Any, Any]], str, bool], Any]]] = []
    for each in field.fields():
        match each.name:
            case "__typename":
                entries.append((each.key, lambda items, lines, position, caught_up: "IssueEventBatch"))
            case "position":
                entries.append((each.key, lambda items, lines, position, caught_up: position))
            case "caughtUp":
                entries.append((each.key, lambda items, lines, position, caught_up: caught_up))
            case "events":
                entries.append((each.key, _items(build, each, fetched)))
    return Batch(fetched, lambda *given: {key: make(*given) for key, make in entries})


def _items(build: Build, field: Field, fetched: list[Any]) -> Any:
    places: list[tuple[str, Any]] = []
    for each in field.fields():
        if each.name == "event":
            places.append((each.key, len(fetched)))
            fetched.append(lines_by_position(build, each))
        else:
            places.append((each.key, each.name))
    wanted = [place for _, place in places if isinstance(place, int)]

    def item(match: str, number: int, lines: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
        fixed = {"match": str(match), "__typename": "IssueEventItem"}
        return {key: lines[place][number] if isinstance(place, int) else fixed[place] for key, place in places}

    def items_of(items: Sequence[tuple[str, int]], lines: Sequence[Mapping[Any, Any]], *_: Any) -> list[Any]:
        # A line that retention took since it was matched has nothing to show.
        kept = [(match, number) for match, number in items if all(lines[place][number] for place in wanted)]
        return [item(match, number, lines) for match, number in kept]

    return items_of
