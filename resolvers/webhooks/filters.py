"""Filters as Callgoose SQIBS's people fill them in, before they are a definition."""

from collections.abc import Sequence
from dataclasses import dataclass

HIGH = "high"
LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`key` is looked for at any depth, or is a path with dots. Its value contains one of `contains`, if any."""

    key: str
    contains: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Holds where all of `conditions` do. `map_with`: the key whose value ties a trigger to its resolve.

    Of a trigger: `title_from` and `description_from` are keys too, `urgency` is HIGH or LOW.
    """

    conditions: Sequence[Condition]
    map_with: str = ""
    title_from: str = ""
    description_from: str = ""
    urgency: str = HIGH
