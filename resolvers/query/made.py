"""What is made of a row: an expression of Python, put together while the selection is walked and compiled once.

Walking a tree of closures for every value of every row costs several times what the values themselves do. The text
holds nothing that a client wrote but response keys, and those as literals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from resolvers.query.plan import Make

# Python's parser takes some 90 levels of brackets.
MAX_LEVELS = 40

_numbers = count()


@dataclass(frozen=True, slots=True)
class Made:
    """A value of the answer: `text` over `row`, `groups` and `run`, and what its names stand for."""

    text: str
    names: Mapping[str, Any] = field(default_factory=dict)
    levels: int = 0

    def compiled(self) -> Make:
        """As a function."""
        make: Make = eval(f"lambda row, groups, run: {self.text}", dict(self.names))
        return make


def constant(value: Any) -> Made:
    """The same in every row: a text, a number, None."""
    return Made(repr(value))


def at(place: int) -> Made:
    """A column as it is."""
    return Made(f"row[{place}]")


def named(value: Any) -> tuple[str, dict[str, Any]]:
    """A name for a value that an expression uses."""
    name = f"_{next(_numbers)}"
    return name, {name: value}


def call(function: Callable[..., Any], *arguments: str | Made) -> Made:
    """A function of expressions; a text stands for itself."""
    name, names = named(function)
    texts = []
    for argument in arguments:
        if isinstance(argument, Made):
            names.update(argument.names)
            texts.append(argument.text)
        else:
            texts.append(argument)
    levels = max((argument.levels for argument in arguments if isinstance(argument, Made)), default=0)
    return _shallow(Made(f"{name}({', '.join(texts)})", names, levels + 1))


def make_object(entries: Sequence[tuple[str, Made]]) -> Made:
    """An object of the answer."""
    names: dict[str, Any] = {}
    for _, made in entries:
        names.update(made.names)
    text = ", ".join(f"{key!r}: {made.text}" for key, made in entries)
    return _shallow(Made(f"{{{text}}}", names, 1 + max((made.levels for _, made in entries), default=0)))


def unless_none(place: int, made: Made) -> Made:
    """None where the column is."""
    return Made(f"(None if row[{place}] is None else {made.text})", made.names, made.levels + 1)


def each_of(rows: str, made: Made) -> Made:
    """What is made of each of the rows that the text stands for."""
    return _shallow(Made(f"[{made.text} for row in {rows}]", made.names, made.levels + 1))


def first_of(made: Made) -> Made:
    """The first item of a list; None where it has none."""
    return Made(f"next(iter({made.text}), None)", made.names, made.levels + 2)


def of_group(group: int, key: int, default: Any = None) -> Made:
    """What a fetch has for the key in the row."""
    found = f"groups[{group}].get(row[{key}])"
    return Made(found if default is None else f"({found} or {default!r})", levels=1)


def _shallow(made: Made) -> Made:
    """What would nest too deeply becomes a function of its own."""
    if made.levels < MAX_LEVELS:
        return made
    name, names = named(made.compiled())
    return Made(f"{name}(row, groups, run)", names)
