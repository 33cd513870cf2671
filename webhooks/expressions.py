"""Expressions of definitions: CEL behind a fence, and texts with `${...}` in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from webhooks.compiled import compiled
from webhooks.fence import (
    MAX_NESTING,
    closing_brace,
    environment_of,
    why,
    without_texts,
)
from webhooks.functions import FUNCTIONS, text_of
from webhooks.mismatch import plain
from webhooks.paths import Names, members_of, pruned
from webhooks.quick import Absent, NotPlain
from webhooks.work import Work, begin

VARIABLES = frozenset({"body", "query", "headers", "path", "settings"})
# What definitions of one webhook have besides.
ALL_VARIABLES = VARIABLES | {"event", "item", "index"}
MAX_RESULT = 65_536  # characters of a text
CUT = "… (cut)"
# What CEL takes in units of work: to be handed a value, and then for each place where it is named.
_HANDED_UNITS = 4.0
_NAMED_UNITS = 0.5
_CHARACTERS_NAMED = 10_000
# Putting texts together copies what is there already each time.
_CHARACTERS_COPIED = 8_000
_SOURCE_CHARACTERS = 16
_CHARACTERS_OF_TEXT = 250
# Of one variable; what is more is not counted further.
MAX_VALUES = 20_000


class Failed(Exception):
    """An expression that gave no value for this delivery; the message says why."""


class Missing(Failed):
    """It named something that is not there."""


class TooMuch(Failed):
    """It would have taken more than a delivery may."""

    def __init__(self) -> None:
        super().__init__("this is too much for one delivery: name the fields, not what they are in")


class Context:
    """What the expressions of one webhook see of one delivery. Not for threads; a new one for each delivery.

    With `work` there is an end to what may be spent; then `names` says what CEL is handed. `trace`, where it is a list,
    gets what each expression gave.
    """

    def __init__(
        self,
        variables: Mapping[str, Any],
        functions: frozenset[str],
        *,
        work: Work | None = None,
        names: Names | None = None,
        trace: "list[Traced] | None" = None,
    ) -> None:
        self.variables = dict(variables)
        self.work = work
        self.trace = trace
        self.cut = False
        self.sizes: dict[str, Extent] = {}
        self._functions = functions
        self._names = names

    @cached_property
    def environment(self) -> Any:
        """The same for CEL. Raises TooMuch."""
        functions = {name: FUNCTIONS[name] for name in self._functions}
        if self._names is None:
            return environment_of(self.variables, functions)
        handed = {name: self._handed(name) for name in self._names if name in self.variables}
        return environment_of(handed, functions)

    def next_item(self, index: int, item: Any) -> None:
        """From here on, `item` and `index` are these."""
        self.variables |= {"item": item, "index": index}
        if self.work is not None:
            self.work.next_item()
        if "environment" in self.__dict__:
            # What is too much of one item is not of the next.
            del self.__dict__["environment"]

    def _handed(self, name: str) -> Any:
        assert self._names is not None
        value = pruned(self.variables[name], self._names[name])
        size = self.sizes.get(name) if name not in ("item", "index") else None
        self.sizes[name] = size = size or extent_of(value)
        if self.work is not None and not self.work.spend(size.values * _HANDED_UNITS + size.characters / 1_000):
            raise TooMuch
        return value


class Traced(NamedTuple):
    """What an expression gave, or why it gave nothing."""

    expression: "Expression"
    value: Any
    failure: str | None


class Extent(NamedTuple):
    """How many values there are within a value, and how many characters in its texts."""

    values: int
    characters: int


class Expression:
    """A compiled expression. Raises BadExpression for one that is wrong or outside the fence.

    `place` are the keys that lead to it in its definition.
    """

    def __init__(self, source: str, variables: frozenset[str] = VARIABLES, place: str = "") -> None:
        self.source = source
        self.place = place
        self.compiled = compiled(source, variables)
        # Definitions with these variables come with the server, and their patterns are our own.
        self._pattern_units = self.compiled.pattern_units if variables is not VARIABLES else 0.0

    def value(self, context: Context) -> Any:
        """The value for one delivery. Raises Failed."""
        if context.trace is None:
            return self._value(context) if context.work is None else self._within(context.work, context)
        try:
            value = self._value(context) if context.work is None else self._within(context.work, context)
        except Failed as failure:
            context.trace.append(Traced(self, None, str(failure)))
            raise
        context.trace.append(Traced(self, value, None))
        return value

    def _value(self, context: Context) -> Any:
        if self.compiled.quick is not None:
            try:
                return self.compiled.quick(context.variables)
            except NotPlain:  # suppress() would cost as much as the rest
                pass
            except Absent as absent:
                raise Missing(f"there is no {absent.args[0]!r}") from None
        return self._by_cel(context.environment, context.variables)

    def _by_cel(self, environment: Any, variables: Mapping[str, Any]) -> Any:
        try:
            return self.compiled.program.execute(environment)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the library is no Exception
            if isinstance(error, KeyError):
                raise Missing(why(error)) from error
            named = (path for _, _, path in members_of(self.source, without_texts(self.source), variables))
            raise Failed(plain(why(error), self.source, named, variables)) from error

    def _within(self, work: Work, context: Context) -> Any:
        begin(work)
        try:
            if not work.spend(len(self.source) / _SOURCE_CHARACTERS):
                raise TooMuch
            value = self._bounded(work, context)
        finally:
            begin(None)
        if isinstance(value, str):
            work.spend(len(value) / _CHARACTERS_OF_TEXT)
        if work.is_spent:
            raise TooMuch
        if isinstance(value, str) and len(value) > MAX_RESULT:
            context.cut = True
            return value[: MAX_RESULT - len(CUT)] + CUT
        return value

    def _bounded(self, work: Work, context: Context) -> Any:
        if self.compiled.quick is not None:
            try:
                return self.compiled.quick(context.variables)
            except NotPlain:
                if work.is_spent:
                    raise TooMuch from None
            except Absent as absent:
                raise Missing(f"there is no {absent.args[0]!r}") from None
            except (ValueError, TypeError, RecursionError) as error:
                raise Failed(why(error)) from error
        environment = context.environment
        if not work.spend(self._cost(context.sizes)):
            raise TooMuch
        value = self._by_cel(environment, context.variables)
        if isinstance(value, list | dict) and not work.spend(extent_of(value).values * _NAMED_UNITS):
            raise TooMuch
        return value

    def _cost(self, sizes: Mapping[str, Extent]) -> float:
        units, times = self._pattern_units, self.compiled.named.total()
        for name, count in self.compiled.named.items():
            size = sizes.get(name, Extent(1, 0))
            units += count * size.values * _NAMED_UNITS
            units += count * size.characters * (1 / _CHARACTERS_NAMED + times / 2 / _CHARACTERS_COPIED)
            if self._pattern_units:
                units += size.characters / 100
        return units


@dataclass(frozen=True, slots=True)
class Template:
    """A text with expressions in it; one that is a single `${...}` has the expression's own value."""

    source: str
    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Those within."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    def value(self, context: Context) -> Any:
        """Text, or what the only expression gives. Raises Failed."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return part if isinstance(part, str) else part.value(context)
        texts = [part if isinstance(part, str) else text_of(part.value(context)) for part in self.parts]
        length, work = sum(map(len, texts)), context.work
        if work is not None and not (work.spend(length / _CHARACTERS_OF_TEXT) and work.build(length)):
            raise TooMuch
        return "".join(texts)


def literal(text: str) -> Template:
    """The template that is just this text."""
    return Template(text, (text,))


def parse_template(source: str, variables: frozenset[str] = VARIABLES, place: str = "") -> Template:
    """Reads a text with `${...}`; `$${` stands for the characters `${`. Raises BadExpression."""
    parts: list[str | Expression] = []
    literal, at = "", 0
    while at < len(source):
        if source.startswith("$${", at):
            literal, at = literal + "${", at + 3
        elif source.startswith("${", at):
            end = closing_brace(source, at + 2)
            if literal:
                parts.append(literal)
            parts.append(Expression(source[at + 2 : end].strip(), variables, place))
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


def extent_of(value: Any, most: int = MAX_NESTING) -> Extent:
    """What there is within a value. Raises Failed for what is nested deeper than CEL can safely be handed."""
    values, characters, level = 0, 0, [value]
    while level:
        if not most:
            raise Failed(f"the delivery is nested deeper than {MAX_NESTING}")
        most -= 1
        values += len(level)
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                characters += len(each)
            elif isinstance(each, dict):
                below.extend(each.values())
                characters += 10 * len(each)
            elif isinstance(each, list):
                below.extend(each)
        if values > MAX_VALUES:
            break
        level = below
    return Extent(values, characters)
