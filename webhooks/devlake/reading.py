"""Bodies of DevLake's webhook: names in either spelling, weak types, and its own words for what is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from webhooks.devlake.answers import Refusal
from webhooks.devlake.numbers import Kind, number_text
from webhooks.go_json import BadBody, read_json, word_of
from webhooks.times import time_at

# What Go programs write for a time that they do not have.
_ZERO_TIME = "0001-01-01"


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a body, by its newest name; older ones are read where it is missing."""

    name: str
    kind: Literal["text", "time"] | Kind = "text"
    required: bool = False
    older: tuple[str, ...] = ()

    @property
    def go_name(self) -> str:
        """As validation calls it."""
        return self.name[:1].upper() + self.name[1:]


def read_object(body: bytes) -> dict[str, Any]:
    """The members of a body, by their folded names; an empty body has none. Raises Refusal."""
    if not body.strip():
        return {}
    try:
        value = read_json(body)
    except BadBody as error:
        raise Refusal(400, str(error), is_plain=True) from error
    if not isinstance(value, dict):
        raise Refusal(400, f"'' expected a map, got '{word_of(value)}'", is_plain=True)
    return folded(value)


def folded(value: Mapping[str, Any]) -> dict[str, Any]:
    """By names without underscores in lower case: `issue_key` and `issueKey` are one. The first counts."""
    found: dict[str, Any] = {}
    for name, member in value.items():
        found.setdefault(_fold(name), member)
    return found


class Values:
    """The fields of a body or of a part of one; `problems` are those that validation finds."""

    def __init__(self, members: Mapping[str, Any], fields: Iterable[Field], place: str) -> None:
        self._texts: dict[str, str] = {}
        self._times: dict[str, str | None] = {}
        self._place = place
        self.problems: list[str] = []
        wrong: list[str] = []
        for field in fields:
            try:
                self._read(field, members)
            except ValueError as error:
                wrong.append(f"* error decoding '{field.go_name}': {error}")
        if wrong:
            raise Refusal(400, "\n".join([f"{len(wrong)} error(s) decoding:", "", *wrong]), is_plain=True)

    def text(self, name: str) -> str:
        """A text or number, or ""."""
        return self._texts[name]

    def time(self, name: str) -> str | None:
        """A time in our form."""
        return self._times[name]

    def texts(self, *names: str) -> Iterator[tuple[str, str]]:
        """Those that are there, by name."""
        return ((name, self._texts[name]) for name in names if self._texts[name])

    def require(self, name: str, *, tag: str = "required") -> None:
        """Notes that a field is missing, or is none that `tag` allows."""
        go_name = name[:1].upper() + name[1:]
        key = f"{self._place}.{go_name}"
        self.problems.append(f"Key: '{key}' Error:Field validation for '{go_name}' failed on the '{tag}' tag")

    def _read(self, field: Field, members: Mapping[str, Any]) -> None:
        names = map(_fold, (field.name, *field.older))
        value = next((members[name] for name in names if members.get(name) is not None), None)
        if field.kind == "time":
            self._times[field.name] = _time(value)
            is_there = self._times[field.name] is not None
        else:
            text = _text(value) if field.kind == "text" else number_text(field.name, field.kind, value)
            self._texts[field.name] = text
            is_there = text != ""
        if field.required and not is_there:
            self.require(field.name)


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"expected type 'string', got '{word_of(value)}'")


def _time(value: Any) -> str | None:
    if value is None or value == "" or (isinstance(value, str) and value.startswith(_ZERO_TIME)):
        return None
    at = time_at(value, "UTC") if isinstance(value, str) else ""
    if not at:
        raise ValueError(f"parsing time {_text(value)[:40]!r}")
    return at
