"""The fields that a webhook takes: their types, which are required, and the words for a payload that differs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.values import fold
from webhooks.go_json import BadBody, word_of

# A type's name in definitions: what JSON brings, and how Go calls what it should have been.
TYPES: dict[str, tuple[str, str]] = {
    "text": ("string", "string"),
    "number": ("number", "float64"),
    "boolean": ("bool", "bool"),
    "list": ("array", "[]interface {}"),
    "object": ("object", "map[string]interface {}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `type` is one of TYPES, `items` that of a list's items (None: any)."""

    name: str
    type: str
    required: bool = False
    items: str | None = None

    @property
    def go_name(self) -> str:
        """As the words of errors spell it."""
        return self.name[0].upper() + self.name[1:]

    def problem(self, value: Any, struct: str) -> str | None:
        """Go's words for a value of another type. Nothing (null) is of every type."""
        if value is None or (type(value) is str and self.type == "text"):
            return None
        json_type, go_type = TYPES[self.type]
        item_json, item_go = TYPES[self.items] if self.items else ("", "")
        if word_of(value) != json_type:
            wrong, wanted = value, f"[]{item_go}" if self.items else go_type
        elif self.items and any(item is not None and word_of(item) != item_json for item in value):
            wrong = next(item for item in value if item is not None and word_of(item) != item_json)
            wanted = item_go
        else:
            return None
        return f"json: cannot unmarshal {word_of(wrong)} into Go struct field {struct}.{self.name} of type {wanted}"


class Fields:
    """The fields of one webhook; `struct` is the name that the words of errors use."""

    def __init__(self, fields: Iterable[Field], struct: str) -> None:
        self._fields = tuple(fields)
        self.struct = struct
        self._by_name = {field.name: field for field in self._fields}
        self._by_folded_name = {fold(field.name): field for field in self._fields}
        self._nothing = dict.fromkeys(self._by_name)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def named(self, payload: Any) -> dict[str, Any]:
        """The payload's values under our spelling of their names; the last of several wins, a null never does."""
        values: dict[str, Any] = self._nothing.copy()
        if isinstance(payload, dict):
            for key, value in payload.items():
                field = self._field(key)
                if field and value is not None:
                    values[field.name] = value
        return values

    def check(self, payload: Any, values: Mapping[str, Any], filled: Sequence[str] = ()) -> None:
        """Raises BadBody for the first value of a wrong type, or for all required fields that are missing or "".

        `values` are the payload's, `named`. `filled`: fields whose value is known from elsewhere; that they
        are missing is only told beside others that are.
        """
        if payload is not None and not isinstance(payload, dict):
            raise BadBody(f"json: cannot unmarshal {word_of(payload)} into Go value of type {self.struct}")
        for key, value in (payload or {}).items():
            field = self._field(key)
            if field and (problem := field.problem(value, self.struct)):
                raise BadBody(problem)
        missing = [field for field in self._fields if field.required and values[field.name] in (None, "")]
        if any(field.name not in filled for field in missing):
            raise BadBody("\n".join(self._missing(field) for field in missing))

    def _field(self, key: str) -> Field | None:
        return self._by_name.get(key) or self._by_folded_name.get(fold(key))

    def _missing(self, field: Field) -> str:
        name = field.go_name
        return f"Key: '{self.struct}.{name}' Error:Field validation for '{name}' failed on the 'required' tag"
