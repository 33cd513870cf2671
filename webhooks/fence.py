"""The fence around expressions: what of CEL definitions may use, looked at before anything is compiled."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import signature
from types import ModuleType
from typing import Any

from webhooks.functions import FUNCTIONS
from webhooks.paths import members_of

# The package imports its own command line too, which takes longer than everything else in it.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
import cel  # noqa: E402

MAX_SOURCE_BYTES = 4_096
# Names, numbers and signs, none of which are in texts: a long list of numbers takes CEL a tenth of a second to compile.
MAX_WORDS = 1_000
_WORD = re.compile(r"\w+|[^\w\s]")
# Characters of a value, or of what CEL says of it, in a message. What hides secrets cuts it then: it has to see more.
MAX_TOLD = 2_000
MAX_NESTING = 100  # of brackets in a source, and of what is handed to CEL
# Of a regular expression: one of these makes it large, and each of these takes so much to compile.
_LARGE_PATTERN = re.compile(r"\{\d")
_CLASS = re.compile(r"\\[wWdDsSpPbB]|\(\?\w*i")
MAX_PATTERN = 200
_CLASS_UNITS = 400.0
MAX_PATTERN_UNITS = 2_500.0
_MATCHES = re.compile(r"\bmatches\s*\(")
_PATTERN = re.compile(r"""\s*([rR]?(?:"[^"]*"|'[^']*'))\s*\)""")
_PATTERN_UNITS = 50.0

_OPERATORS = frozenset(
    "_+_ _-_ _*_ _/_ _%_ -_ !_ _&&_ _||_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in _[_]".split()  # noqa: SIM905
)
BUILT_IN = frozenset({"contains", "startsWith", "endsWith", "matches", "int", "double"})
# Macros are gone when Program.functions() tells, and a loop's own variable may be named like one of ours.
_CALL = re.compile(r"(?:(\.)\s*+)?\b([A-Za-z_]\w*+)\s*+\(")
KNOWN = BUILT_IN | FUNCTIONS.keys()
LOOPS = frozenset({"map", "filter", "all", "exists", "exists_one", "existsOne", "transformList", "transformMap"})
_ARGUMENTS = {name: len(signature(function).parameters) for name, function in FUNCTIONS.items()}
_WORDS = frozenset({"in", "has"})  # an operator that may stand before a bracket, and a macro without a loop
# A message of a type of this name.
_MESSAGE = re.compile(r"(?!in\b)\b([A-Za-z_]\w*+(?:\s*+\.\s*+[A-Za-z_]\w*+)*+)\s*+\{", re.ASCII)
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
# Before a quote: only these few characters are looked at.
_RAW = re.compile(r"(?<!\w)(?:[rR]|[bB][rR]|[rR][bB])\Z")
_QUOTES = ('"""', "'''", '"', "'")


class BadExpression(Exception):
    """An expression that no definition may have; the message says why."""


def patterns_of(source: str, bare: str) -> tuple[str | None, ...]:
    """Its regular expressions as they are written, quotes and all; None for one that is not written there."""
    found = [_PATTERN.match(source, call.end()) for call in _MATCHES.finditer(bare)]
    return tuple(pattern and pattern[1] for pattern in found)


def pattern_units(patterns: Sequence[str | None]) -> float:
    """What they cost to compile. Raises BadExpression for one whose cost cannot be told."""
    units = 0.0
    for pattern in patterns:
        if pattern is None:
            raise BadExpression("has a matches without a text: its regular expression must be written there")
        text = pattern.lstrip("rR")
        if len(text) > MAX_PATTERN or _LARGE_PATTERN.search(text):
            raise BadExpression(f"has a regular expression with {{n}}, or longer than {MAX_PATTERN} characters")
        units += _PATTERN_UNITS + _CLASS_UNITS * len(_CLASS.findall(text))
        if units > MAX_PATTERN_UNITS:
            raise BadExpression(r"has too many regular expressions, or too many of \w, \d, \s in them: use [a-z0-9]")
    return units


def bad_pattern(patterns: Sequence[str | None]) -> str | None:
    """The first that CEL takes for none; None: all are good, as far as they are known."""
    for pattern in patterns:
        if pattern is None:
            continue
        try:
            cel.compile(f'"".matches({pattern})').execute(environment_of({}, {}))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # a panic of the library is no Exception
            return pattern
    return None


def program_of(source: str, bare: str, variables: frozenset[str]) -> Any:
    """The program for CEL. Raises BadExpression for what is outside the fence."""
    if len(source.encode(errors="replace")) > MAX_SOURCE_BYTES:
        raise BadExpression(f"is longer than {MAX_SOURCE_BYTES:,} bytes")
    if sum(1 for _ in _WORD.finditer(bare)) > MAX_WORDS:
        raise BadExpression(f"has more than {MAX_WORDS:,} names, numbers and signs")
    if _nesting(bare) > MAX_NESTING:
        raise BadExpression(f"is nested deeper than {MAX_NESTING}")
    if any(len(path) > MAX_NESTING for _, _, path in members_of(source, bare, variables)):
        raise BadExpression(f"names a member of members deeper than {MAX_NESTING}, which no delivery has")
    _check_calls(source, bare)
    if message := _MESSAGE.search(bare):
        raise BadExpression(f"makes a {''.join(message[1].split())}; there are only texts, numbers, lists and objects")
    try:
        program = cel.compile(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # an absurd source panics, and a panic is no Exception
        raise BadExpression(f"cannot be read: {why(error)}") from error
    if unknown := set(program.variables()) - variables:
        raise BadExpression(f"there is no variable {', '.join(sorted(unknown))} ({', '.join(sorted(variables))})")
    if unknown := set(program.functions()) - _OPERATORS - KNOWN:
        raise _unknown_function(", ".join(sorted(unknown)))
    return program


def environment_of(variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """What programs are executed with."""
    return cel.Context(variables=dict(variables), functions=dict(functions))


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


def why(error: BaseException) -> str:
    """What CEL says of it, in a line."""
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r}"
    if place := _PLACE.search(str(error)):
        return f"line {place[1]}, column {place[2]}: {place[3]}"[:MAX_TOLD]
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:MAX_TOLD]


def closing_brace(source: str, start: int) -> int:
    """Where a `${` that opens just before `start` is closed. Raises BadExpression."""
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


def without_texts(source: str) -> str:
    """The source with a space for every text and comment, so that names in those are no names."""
    bare = [" "] * len(source)
    for at, character in _outside_texts(source, 0):
        bare[at] = character
    return "".join(bare)


def branches_of(source: str) -> tuple[str, ...]:
    """What `a ? b : c ? d : e` may give: b, d and e; nothing of another expression, nor of one in brackets."""
    branches: list[str] = []
    depth, begin, is_open = 0, 0, False
    for at, character in _outside_texts(source, 0):
        depth += (character in "([{") - (character in ")]}")
        if depth or character not in "?:":
            continue
        if is_open and character == "?":
            return ()
        if is_open:
            branches.append(source[begin:at].strip())
        begin, is_open = at + 1, character == "?"
    return (*branches, source[begin:].strip()) if branches else ()


def _outside_texts(source: str, at: int) -> Iterator[tuple[int, str]]:
    """The characters that are in no quoted text and no comment, with their places."""
    while at < len(source):
        if source[at] in "\"'":
            quote = next(quote for quote in _QUOTES if source.startswith(quote, at))
            at = _end_of_text(source, at, quote)
        elif source.startswith("//", at):
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
        else:
            yield at, source[at]
            at += 1


def _end_of_text(source: str, start: int, quote: str) -> int:
    raw = _RAW.search(source, max(0, start - 3), start) is not None
    at = start + len(quote)
    while at < len(source):
        if source.startswith(quote, at):
            return at + len(quote)
        at += 2 if source[at] == "\\" and not raw else 1
    return len(source)
