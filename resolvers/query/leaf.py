"""Values of arguments that differ from run to run: what holds them is made once, they are found in each run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """Stands for the value that `get` finds in the coerced variables of a run."""

    get: Callable[[Mapping[str, Any]], Any]


class NoLeaf(Exception):
    """A value that a leaf cannot stand for: it decides what is made of it, or nobody here knows how it is found."""


def made(convert: Callable[[Any], Any], value: Any) -> Any:
    """What `convert` makes of a value, of a leaf in each run."""
    if not isinstance(value, Leaf):
        return convert(value)
    get = value.get
    return Leaf(lambda variables: convert(get(variables)))
