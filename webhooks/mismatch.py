"""What a value of another type than an expression takes it for is called, in plain words."""

from collections.abc import Iterable, Mapping
from typing import Any

# How CEL begins what it says of types.
_OF_TYPES = ("No such overload", "Unexpected type", "Unsupported operation", "Undefined variable or function")
_IN_A_FUNCTION = "Function '"
MAX_SHOWN = 120
_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
}


def plain(error: str, source: str, paths: Iterable[tuple[str, ...]], variables: Mapping[str, Any]) -> str:
    """What to say of an expression that CEL failed at; `paths` are what it names of the variables, as members."""
    if error.startswith(_IN_A_FUNCTION):
        return error.partition(". ")[0]
    if not error.startswith(_OF_TYPES):
        return error
    for path in paths:
        if found := _no_object(path, variables):
            return found
    shown = source if len(source) <= MAX_SHOWN else source[:MAX_SHOWN] + "…"
    return f"`{shown}` asks of a value what its type cannot do; types do not mix, text() and int() change them"


def _no_object(path: tuple[str, ...], variables: Mapping[str, Any]) -> str | None:
    value = variables.get(path[0])
    for at, name in enumerate(path[1:], 1):
        if not isinstance(value, dict):
            kind = _KINDS.get(type(value))
            whole, part = _written(path[: at + 1]), _written(path[:at])
            return f"`{whole}` cannot be told: {part} is {kind}, not an object" if kind else None
        value = value.get(name)
    return None


def _written(path: tuple[str, ...]) -> str:
    first, *names = path
    text = first + "".join(f".{name}" if name.isidentifier() else f'["{name}"]' for name in names)
    return text if len(text) <= MAX_SHOWN else "…" + text[-MAX_SHOWN:]
