"""What of a delivery an expression names: `body.a.b`, `headers["x"]`, `get(item, "a.b")`; no more is handed to CEL."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# A name and what is below it that is wanted; None: all.
Names = dict[str, Any]

_STEP = re.compile(r"""\s*(?:\.\s*([A-Za-z_]\w*+)(?!\s*\()|\[\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\])""", re.ASCII)
_CALL_BEFORE = re.compile(r"(?<![\w.])get\s*\(\s*$")
# Of `get(`, and spaces in it.
_CALL_LENGTH = 20
_TEXT_AFTER = re.compile(r"""\s*,\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\)""")
_PLAIN_NAMES = re.compile(r"[^.]+(\.[^.]+)*")


def paths_of(source: str, bare: str, variables: Iterable[str]) -> list[tuple[str, ...]]:
    """A path for each place where a variable stands; `bare` is the source with spaces for texts."""
    paths: list[tuple[str, ...]] = []
    for start, end, path in members_of(source, bare, variables):
        is_called = _CALL_BEFORE.search(source[max(0, start - _CALL_LENGTH) : start])
        text = _TEXT_AFTER.match(source, end) if is_called else None
        paths.append((*path, *_steps(text[1] if text[1] is not None else text[2])) if text else path)
    return paths


def members_of(source: str, bare: str, variables: Iterable[str]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each place where a variable stands: its start and end, and the names from it on that are written as members."""
    word = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(variables))})(?!\w)", re.ASCII)
    for place in word.finditer(bare):
        path, at = [place[0]], place.end()
        while step := _STEP.match(source, at):
            path.append(next(name for name in step.groups() if name is not None))
            at = step.end()
        yield place.start(), at, tuple(path)


def _steps(path: str) -> Iterable[str]:
    for name in path.split(".") if _PLAIN_NAMES.fullmatch(path) else ():
        if name.isdigit():  # of a list, which is taken whole
            return
        yield name


def merged(paths: Iterable[tuple[str, ...]]) -> Names:
    """All of them, as a tree."""
    tree: Names = {}
    for path in paths:
        here: Names | None = tree
        for name in path[:-1]:
            assert here is not None
            here = here.setdefault(name, {})
            if here is None:
                break
        if here is not None:
            here[path[-1]] = None
    return tree


def pruned(value: Any, names: Mapping[str, Any] | None) -> Any:
    """What of a value is named."""
    if names is None or not isinstance(value, dict):
        return value
    return {name: pruned(value[name], below) for name, below in names.items() if name in value}
