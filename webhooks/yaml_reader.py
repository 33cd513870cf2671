"""YAML read with the line of every key, so that what is wrong with a definition can be pointed at."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from webhooks.expressions import BadExpression, Expression, Template, parse_template


class DefinitionError(Exception):
    """A definition that cannot be used: `file:line: key: what is wrong`."""

    def __init__(self, file: Path, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line


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

    def error(self, message: str) -> DefinitionError:
        """What is wrong here."""
        return DefinitionError(self._file, self.line, f"{self._keys}: {message}" if self._keys else message)

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
            name = str(key.value)
            member = Reader(self._file, value, f"{self._keys}.{name}" if self._keys else name)
            if not isinstance(key, yaml.ScalarNode) or name in members:
                raise member.error("is here twice" if name in members else "must be a plain key")
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
        if not isinstance(self._node, yaml.ScalarNode) or self._node.value == "":
            raise self.error("must be a text")
        return str(self._node.value)

    def word(self, *words: str) -> str:
        """One of several words."""
        text = self.text()
        if text not in words:
            raise self.error(f"{text!r} must be one of {', '.join(words)}")
        return text

    def template(self) -> Template:
        """A text with `${...}`."""
        text = self.text()
        try:
            return parse_template(text)
        except BadExpression as error:
            raise self.error(f"{text!r} {error}") from error

    def expression(self) -> Expression:
        """A bare expression."""
        text = self.text()
        try:
            return Expression(text)
        except BadExpression as error:
            raise self.error(f"{text!r} {error}") from error


def read_file(file: Path) -> Reader:
    """The one document of a YAML file. Raises DefinitionError."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise DefinitionError(file, 1, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(file, 1, "is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DefinitionError(file, mark.line + 1 if mark else 1, f"is not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DefinitionError(file, 1, f"is not YAML: {error}") from error
    if node is None:
        raise DefinitionError(file, 1, "is empty")
    return Reader(file, node)
