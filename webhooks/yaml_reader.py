"""YAML read with the line of every key, so that what is wrong with a definition can be pointed at."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from webhooks.expressions import VARIABLES, Expression, Template, parse_template
from webhooks.fence import BadExpression

# Written in C, where it was built with that; either reads the same.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_NESTING = 100
# Lists, mappings, keys and texts: a definition of two hundred rules has fewer.
MAX_VALUES = 8_000
MAX_CHARACTERS = 300_000
_WORDS = {"~": None, "": None} | {
    written: value
    for word, value in (("true", True), ("false", False), ("null", None))
    for written in (word, word.capitalize(), word.upper())
}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
# What stands under it in a mapping is part of the mapping.
_MERGE = "<<"


class DefinitionError(Exception):
    """A definition that cannot be used: `file:line: key: what is wrong`.

    `keys` lead to the place, `column` counts from 1, `expression` is the one that is wrong, `problem` only what is.
    """

    def __init__(
        self,
        file: Path,
        line: int,
        message: str,
        *,
        keys: str = "",
        column: int | None = None,
        expression: str | None = None,
    ) -> None:
        super().__init__(f"{file}:{line}: {f'{keys}: {message}' if keys else message}")
        self.file = file
        self.line = line
        self.column = column
        self.keys = keys
        self.expression = expression
        self.problem = message


class Reader:
    """One value of a YAML file: knows its file, its line and the keys that lead to it."""

    def __init__(self, file: Path, node: yaml.Node, keys: str = "") -> None:
        self._file = file
        self._node = node
        self._keys = keys

    @property
    def line(self) -> int:
        """From 1."""
        return int(self._node.start_mark.line) + 1

    @property
    def keys(self) -> str:
        """Those that lead here: `rules[0].when`."""
        return self._keys

    @property
    def is_text(self) -> bool:
        """Whether it is neither a list nor a mapping."""
        return isinstance(self._node, yaml.ScalarNode)

    @property
    def is_mapping(self) -> bool:
        """Whether it has members."""
        return isinstance(self._node, yaml.MappingNode)

    def error(self, message: str, expression: str | None = None) -> DefinitionError:
        """What is wrong here."""
        column = int(self._node.start_mark.column) + 1
        return DefinitionError(self._file, self.line, message, keys=self._keys, column=column, expression=expression)

    def members(self, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> dict[str, "Reader"]:
        """The values of a mapping that may have just these keys."""
        members = self.any_members()
        for key, member in members.items():
            if key not in required + optional:
                known = ", ".join(required + optional)
                raise member.error(f"is not a key here ({known})")
        for key in required:
            if key not in members:
                raise self.error(f"{key} is missing")
        return members

    def any_members(self) -> dict[str, "Reader"]:
        """The values of a mapping, whatever its keys."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("must be a mapping")
        members: dict[str, Reader] = {}
        for key, value in self._node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Reader(self._file, key, self._keys).error("a key must be a text")
            name = str(key.value)
            member = Reader(self._file, value, f"{self._keys}.{name}" if self._keys else name)
            if name in members:
                raise member.error("is here twice")
            members[name] = member
        return members

    def items(self) -> Iterator["Reader"]:
        """The values of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("must be a list")
        for index, item in enumerate(self._node.value):
            yield Reader(self._file, item, f"{self._keys}[{index}]")

    def text(self) -> str:
        """A text that is not empty, as it is written."""
        text = self.any_text()
        if not text:
            raise self.error("must be a text that is not empty")
        return text

    def any_text(self) -> str:
        """A text, which may be empty."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.error("must be a text")
        return str(self._node.value)

    def word(self, *words: str) -> str:
        """One of several words."""
        text = self.text()
        if text not in words:
            raise self.error(f"{text!r} must be one of {', '.join(words)}")
        return text

    def template(self, variables: frozenset[str] = VARIABLES) -> Template:
        """A text with `${...}`."""
        text = self.text()
        try:
            return parse_template(text, variables, self._keys)
        except BadExpression as error:
            raise self.error(f"{text!r} {error}", text) from error

    def expression(self, variables: frozenset[str] = VARIABLES) -> Expression:
        """A bare expression."""
        text = self.text()
        try:
            return Expression(text, variables, self._keys)
        except BadExpression as error:
            raise self.error(f"{text!r} {error}", text) from error

    def data(self) -> Any:
        """What JSON would have here; what is none of its words or numbers, or in quotes, is a text."""
        if isinstance(self._node, yaml.SequenceNode):
            return [item.data() for item in self.items()]
        if isinstance(self._node, yaml.MappingNode):
            readers = self.any_members()
            # As YAML's own readers do it: `{<<: *other, name: value}` is the other, with another value.
            base = readers.pop(_MERGE)._merged() if self._merges else {}
            return base | {name: member.data() for name, member in readers.items()}
        text = self.any_text()
        # Without quotes it is None in Python and "" in C.
        if isinstance(self._node, yaml.ScalarNode) and self._node.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        return self._number(text) if _NUMBER.fullmatch(text) else text

    @property
    def _merges(self) -> bool:
        """Whether there is a `<<` that is no text in quotes."""
        keys = (key for key, _ in self._node.value)
        return any(key.value == _MERGE and not key.style for key in keys)

    def _merged(self) -> dict[str, Any]:
        """The members of a mapping, or of several, of which the first has the say."""
        if isinstance(self._node, yaml.MappingNode):
            members: dict[str, Any] = self.data()
            return members
        if isinstance(self._node, yaml.ScalarNode) and self.data() is None:
            return {}
        if not isinstance(self._node, yaml.SequenceNode) or not all(item.is_mapping for item in self.items()):
            raise self.error("must be a mapping, or a list of mappings")
        merged: dict[str, Any] = {}
        for item in self.items():
            merged = item.data() | merged
        return merged

    def _number(self, text: str) -> int | float:
        """As it would be read in a payload."""
        try:
            number: int | float = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise self.error("is a number that is too large; a text needs quotes") from None
        return number


STANDARD_INPUT = Path("-")


def text_of_file(file: Path) -> str:
    """What is in it; `-` is standard input. Raises DefinitionError."""
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode()
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise DefinitionError(file, 1, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(file, 1, "is not UTF-8") from error


def read_text(text: str, file: Path) -> Reader:
    """The one document of a text; `file` is what errors call it. Raises DefinitionError."""
    try:
        _check_events(text, file)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DefinitionError(file, mark.line + 1 if mark else 1, f"is not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "replace")[: error.position].count(b"\n") + 1
        raise DefinitionError(file, line, f"is not YAML: {error.reason}") from error
    except yaml.YAMLError as error:
        raise DefinitionError(file, 1, f"is not YAML: {error}") from error
    if node is None:
        raise DefinitionError(file, 1, "is empty")
    _check_tags(text, file)
    _check_size(node, file)
    return Reader(file, node)


def _check_events(text: str, file: Path) -> None:
    """To be called first: `compose` goes as deep as the text does, which ends the process in C, and nobody else has a
    turn while it does."""
    depth = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        problem = ""
        if isinstance(event, yaml.NodeEvent):
            values += 1
            problem = f"has more than {MAX_VALUES:,} values" if values > MAX_VALUES else ""
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            problem = f"is nested deeper than {MAX_NESTING}" if depth > MAX_NESTING else problem
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if problem:
            raise DefinitionError(file, event.start_mark.line + 1 if event.start_mark else 1, problem)


def _check_tags(text: str, file: Path) -> None:
    """YAML's own kinds and those of programs: every value here is a text, a list or a mapping."""
    if "!" not in text:
        return
    for token in yaml.scan(text, Loader=_Loader):
        if isinstance(token, yaml.TagToken):
            tag = "".join(part or "" for part in token.value)
            raise DefinitionError(file, token.start_mark.line + 1, f"tags such as {tag[:100]} are not read")


def _check_size(node: yaml.Node, file: Path) -> None:
    """What is named with & counts wherever it is used with *: few lines could be very much."""
    known: dict[int, tuple[int, int]] = {}

    def measured(each: yaml.Node, depth: int) -> tuple[int, int]:
        """How many characters and values there are, and how deep they are nested."""
        below: list[yaml.Node] = []
        if isinstance(each, yaml.SequenceNode):
            below = each.value
        elif isinstance(each, yaml.MappingNode):
            below = [value for pair in each.value for value in pair]
        if id(each) not in known and depth <= MAX_NESTING:
            sizes = [measured(one, depth + 1) for one in below]
            own = len(each.value) if isinstance(each, yaml.ScalarNode) else 0
            height = 1 + max((height for _, height in sizes), default=0)
            known[id(each)] = 1 + own + sum(size for size, _ in sizes), height
        size, height = known.get(id(each), (0, MAX_NESTING + 1))
        problem = f"is nested deeper than {MAX_NESTING}" if height > MAX_NESTING else ""
        if size > MAX_CHARACTERS:
            problem = f"has more than {MAX_CHARACTERS:,} characters, what is used again counted each time"
        if problem:
            raise DefinitionError(file, int(each.start_mark.line) + 1, problem)
        return size, height

    measured(node, 0)
