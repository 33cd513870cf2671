"""Expressions of definitions: CEL behind a fence, and texts with `${...}` in them."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from types import ModuleType
from typing import Any

from webhooks.functions import FUNCTIONS, text_of
from webhooks.quick import NotPlain, quick

# The package imports its own command line too, which takes longer than everything else in it.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
import cel  # noqa: E402

VARIABLES = frozenset({"body", "query", "headers", "path", "settings"})
MAX_SOURCE_BYTES = 4_096
MAX_NESTING = 100  # of brackets in a source, and of what is handed to CEL

_OPERATORS = frozenset(
    "_+_ _-_ _*_ _/_ _%_ -_ !_ _&&_ _||_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in _[_]".split()  # noqa: SIM905
)
BUILT_IN = frozenset({"contains", "startsWith", "endsWith", "matches", "int", "double"})
# Macros are gone when Program.functions() tells, and a loop's own variable may be named like one of ours.
_CALL = re.compile(r"(\.?)\s*\b([A-Za-z_]\w*)\s*\(")
_MEMBER = re.compile(r"(?<![\w.])(body|settings)\b\s*(?:\.\s*(\w+))?")
KNOWN = BUILT_IN | FUNCTIONS.keys()
LOOPS = frozenset({"map", "filter", "all", "exists", "exists_one", "existsOne", "transformList", "transformMap"})
_ARGUMENTS = {name: len(signature(function).parameters) for name, function in FUNCTIONS.items()}
_WORDS = frozenset({"in", "has"})  # an operator that may stand before a bracket, and a macro without a loop
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_QUOTES = ('"""', "'''", '"', "'")


class BadExpression(Exception):
    """An expression that no definition may have; the message says why."""


class Failed(Exception):
    """An expression that gave no value for this delivery; the message says why."""


class Context:
    """What the expressions of one webhook see of one delivery. Not for threads; a new one for each delivery."""

    def __init__(self, variables: Mapping[str, Any], functions: frozenset[str]) -> None:
        self.variables = dict(variables)
        self._functions = functions

    @cached_property
    def environment(self) -> Any:
        """The same for CEL."""
        return cel.Context(variables=self.variables, functions={name: FUNCTIONS[name] for name in self._functions})


class Expression:
    """A compiled expression. Raises BadExpression for one that is wrong or outside the fence."""

    def __init__(self, source: str) -> None:
        self.source = source
        bare = _without_texts(source)
        self._program = _compile(source, bare)
        self._quick = quick(source, VARIABLES)
        self.variables = frozenset(self._program.variables())
        self.functions = frozenset(self._program.functions()) & FUNCTIONS.keys()
        members = set(_MEMBER.findall(bare))
        self.reads_whole_body = ("body", "") in members
        self.body_fields = frozenset(name for variable, name in members if variable == "body" and name)
        self.settings = frozenset(name for variable, name in members if variable == "settings")

    def value(self, context: Context) -> Any:
        """The value for one delivery. Raises Failed."""
        if self._quick is not None:
            try:
                return self._quick(context.variables)
            except NotPlain:  # suppress() would cost as much as the rest
                pass
        try:
            return self._program.execute(context.environment)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the library is no Exception
            raise Failed(_why(error)) from error


@dataclass(frozen=True, slots=True)
class Template:
    """A text with expressions in it; one that is a single `${...}` has the expression's own value."""

    source: str
    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Those within."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def literal(self) -> str | None:
        """The text of a template without expressions."""
        return None if self.expressions else str(self.parts[0])

    def value(self, context: Context) -> Any:
        """Text, or what the only expression gives. Raises Failed."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return part if isinstance(part, str) else part.value(context)
        return "".join(part if isinstance(part, str) else text_of(part.value(context)) for part in self.parts)


def parse_template(source: str) -> Template:
    """Reads a text with `${...}`; `$${` stands for the characters `${`. Raises BadExpression."""
    parts: list[str | Expression] = []
    literal, at = "", 0
    while at < len(source):
        if source.startswith("$${", at):
            literal, at = literal + "${", at + 3
        elif source.startswith("${", at):
            end = _closing_brace(source, at + 2)
            if literal:
                parts.append(literal)
            parts.append(Expression(source[at + 2 : end].strip()))
            literal, at = "", end + 1
        else:
            literal, at = literal + source[at], at + 1
    if literal or not parts:
        parts.append(literal)
    return Template(source, tuple(parts))


def too_deep(value: Any, most: int = MAX_NESTING) -> bool:
    """Whether lists and objects are nested deeper than CEL can safely be handed."""
    level = [value] if isinstance(value, dict | list) else []
    while level and most:
        most -= 1
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, dict | list)
        ]
    return bool(level)


def _compile(source: str, bare: str) -> Any:
    if len(source.encode(errors="replace")) > MAX_SOURCE_BYTES:
        raise BadExpression(f"is longer than {MAX_SOURCE_BYTES:,} bytes")
    if _nesting(bare) > MAX_NESTING:
        raise BadExpression(f"is nested deeper than {MAX_NESTING}")
    _check_calls(source, bare)
    try:
        program = cel.compile(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # an absurd source panics, and a panic is no Exception
        raise BadExpression(f"cannot be read: {_why(error)}") from error
    if unknown := set(program.variables()) - VARIABLES:
        raise BadExpression(f"there is no variable {', '.join(sorted(unknown))} ({', '.join(sorted(VARIABLES))})")
    if unknown := set(program.functions()) - _OPERATORS - KNOWN:
        raise _unknown_function(", ".join(sorted(unknown)))
    return program


def _check_calls(source: str, bare: str) -> None:
    """Raises BadExpression for a call of what is no function here, or with a wrong number of arguments."""
    for call in _CALL.finditer(bare):
        name, start = call[2], call.end()
        if name in LOOPS:
            raise BadExpression(f"has a loop ({name}); lists are handled by the functions join, pluck, first and count")
        if name in _WORDS:
            continue
        if name not in KNOWN:
            raise _unknown_function(name)
        if name in _ARGUMENTS:
            given = _arguments(source, bare, start) + bool(call[1])
            if given != _ARGUMENTS[name]:
                raise BadExpression(f"{name} takes {_ARGUMENTS[name]} arguments, not {given}")


def _unknown_function(names: str) -> BadExpression:
    return BadExpression(f"there is no function {names} ({', '.join(sorted(KNOWN))})")


def _arguments(source: str, bare: str, start: int) -> int:
    """How many there are in the brackets that open just before `start`."""
    depth, commas = 0, 0
    for at in range(start, len(bare)):
        character = bare[at]
        if character in ")]}" and not depth:
            return commas + 1 if source[start:at].strip() else 0
        depth += (character in "([{") - (character in ")]}")
        commas += character == "," and not depth
    return commas + 1


def _why(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r}"
    if place := _PLACE.search(str(error)):
        return f"line {place[1]}, column {place[2]}: {place[3]}"[:200]
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]


def _closing_brace(source: str, start: int) -> int:
    depth = 0
    for at, character in _outside_texts(source, start):
        if character == "{":
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        elif character == "}":
            return at
    raise BadExpression("has a ${ without its }")


def _nesting(bare: str) -> int:
    depth = deepest = 0
    for character in bare:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _without_texts(source: str) -> str:
    """The source with a space for every text and comment, so that names in those are no names."""
    bare = [" "] * len(source)
    for at, character in _outside_texts(source, 0):
        bare[at] = character
    return "".join(bare)


def _outside_texts(source: str, at: int) -> Iterator[tuple[int, str]]:
    """The characters that are in no quoted text and no comment, with their places."""
    while at < len(source):
        quote = next((quote for quote in _QUOTES if source.startswith(quote, at)), None)
        if quote:
            at = _end_of_text(source, at, quote)
        elif source.startswith("//", at):
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
        else:
            yield at, source[at]
            at += 1


def _end_of_text(source: str, start: int, quote: str) -> int:
    raw = re.search(r"(?<!\w)(?:[rR]|[bB][rR]|[rR][bB])$", source[:start]) is not None
    at = start + len(quote)
    while at < len(source):
        if source.startswith(quote, at):
            return at + len(quote)
        at += 2 if source[at] == "\\" and not raw else 1
    return len(source)
