"""The commonest expressions evaluated by ourselves: texts at paths, compared, put together, handed to our functions.

Handing a delivery to CEL takes longer than all the rest of it. What gives another value than CEL would is for CEL.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from webhooks.functions import FUNCTIONS, MAX_TEXT_LENGTH
from webhooks.work import affordable

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"\\]*"|'[^'\\]*')|(?P<number>\d{1,15}(?![\w.]))"""
    r"""|(?P<sign>&&|\|\||[=!<>]=|[.,()+?:!<>\[\]{}]))""",
    re.ASCII,
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}
_SCALARS = (str, bool, type(None))
_NUMBERS = (int, float)
# Of terms within terms: an expression may be nested no deeper than a call of a call of ours can be.
_MAX_DEPTH = 30

# What it costs to compare two values, as a text of so many characters would.
_COMPARED = 50

Quick = Callable[[Mapping[str, Any]], Any]


class NotPlain(Exception):
    """For CEL."""


class Absent(Exception):
    """A name that is not there; CEL would say so too."""


def quick(source: str, variables: Collection[str]) -> Quick | None:
    """What gives the value of an expression from these variables, or raises NotPlain or Absent; None: it never can."""
    try:
        reader = _Reader(source, variables)
        found = reader.choice()
        reader.end()
    except NotPlain:
        return None
    return found


class _Reader:
    def __init__(self, source: str, variables: Collection[str]) -> None:
        self._variables = variables
        self._tokens: list[tuple[str, str]] = []
        source = source.rstrip()
        at = 0
        while at < len(source):
            token = _TOKEN.match(source, at)
            if token is None or token.lastgroup is None:
                raise NotPlain
            self._tokens.append((token.lastgroup, token[token.lastgroup]))
            at = token.end()
        self._tokens.append(("end", ""))
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        self._take("end")

    def choice(self) -> Quick:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise NotPlain
        found = self._either()
        if self._skip("?"):
            yes = self._either()
            self._take("sign", ":")
            found = _chosen(found, yes, self.choice())
        self._depth -= 1
        return found

    def _either(self) -> Quick:
        found = self._both()
        while self._skip("||"):
            found = _decided(found, self._both(), decides=True)
        return found

    def _both(self) -> Quick:
        found = self._compared()
        while self._skip("&&"):
            found = _decided(found, self._compared(), decides=False)
        return found

    def _compared(self) -> Quick:
        found = self._sum()
        kind, text = self._next
        if kind == "sign" and text in ("==", "!="):
            self._at += 1
            found = _equal(found, self._sum(), text == "==")
        elif kind == "sign" and text in _ORDERS:
            self._at += 1
            found = _ordered(found, self._sum(), _ORDERS[text])
        elif (kind, text) == ("name", "in"):
            self._at += 1
            found = _among(found, self._sum())
        return found

    def _sum(self) -> Quick:
        terms = [self._not()]
        while self._skip("+"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else _joined(terms)

    def _not(self) -> Quick:
        if self._skip("!"):
            return _denied(self._term())
        return self._term()

    def _term(self) -> Quick:
        kind, text = self._next
        self._at += 1
        if kind in ("text", "number"):
            # Three quotes are an empty text and another, and two texts side by side are nothing that can be read.
            value = text[1:-1] if kind == "text" else int(text)
            return lambda variables: value
        if (kind, text) == ("sign", "("):
            found = self.choice()
            self._take("sign", ")")
        elif (kind, text) == ("sign", "["):
            found = _listed(self._until("]"))
        elif (kind, text) == ("sign", "{"):
            found = _gathered(self._named())
        elif kind != "name" or text in ("in", "has"):
            raise NotPlain
        elif text in _CONSTANTS:
            constant = _CONSTANTS[text]
            return lambda variables: constant
        elif self._skip("("):
            found = self._call(text)
        elif text in self._variables:
            found = operator.itemgetter(text)
        else:
            raise NotPlain
        return self._members(found)

    def _members(self, found: Quick) -> Quick:
        while True:
            if self._skip("."):
                name = self._take("name")
                found = self._method(found, name) if self._skip("(") else _member(found, name)
            elif self._skip("["):
                found = _member(found, self._take("text")[1:-1])
                self._take("sign", "]")
            else:
                return found

    def _method(self, found: Quick, name: str) -> Quick:
        arguments = self._until(")")
        if name not in _METHODS or len(arguments) != 1:
            raise NotPlain
        return _asked(found, arguments[0], _METHODS[name])

    def _call(self, name: str) -> Quick:
        function = FUNCTIONS.get(name)
        if function is None:
            raise NotPlain
        arguments = self._until(")")
        if len(arguments) == 1:
            (only,) = arguments
            return lambda variables: function(only(variables))
        if len(arguments) == 2:
            first, second = arguments
            return lambda variables: function(first(variables), second(variables))
        return lambda variables: function(*[argument(variables) for argument in arguments])

    def _until(self, sign: str) -> list[Quick]:
        found: list[Quick] = []
        if self._skip(sign):
            return found
        found.append(self.choice())
        while self._skip(","):
            found.append(self.choice())
        self._take("sign", sign)
        return found

    def _named(self) -> dict[str, Quick]:
        """The members of an object, whose names are texts."""
        found: dict[str, Quick] = {}
        while not self._skip("}"):
            if found:
                self._take("sign", ",")
            name = self._take("text")[1:-1]
            if name in found:
                raise NotPlain
            self._take("sign", ":")
            found[name] = self.choice()
        return found

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _skip(self, sign: str) -> bool:
        is_next = self._tokens[self._at] == ("sign", sign)
        self._at += is_next
        return is_next

    def _take(self, kind: str, text: str | None = None) -> str:
        token = self._next
        if token[0] != kind or text not in (None, token[1]):
            raise NotPlain
        self._at += 1
        return token[1]


def _member(of: Quick, name: str) -> Quick:
    def found(variables: Mapping[str, Any]) -> Any:
        value = of(variables)
        if type(value) is not dict:
            if value is None:
                raise Absent(name)
            raise NotPlain
        try:
            return value[name]
        except KeyError:
            raise Absent(name) from None

    return found


def _joined(terms: list[Quick]) -> Quick:
    def found(variables: Mapping[str, Any]) -> str:
        texts = [term(variables) for term in terms]
        length = 0
        for text in texts:
            if type(text) is not str:
                raise NotPlain
            length += len(text)
        if length > MAX_TEXT_LENGTH:
            raise NotPlain
        return "".join(texts)

    return found


def _listed(items: list[Quick]) -> Quick:
    return lambda variables: [item(variables) for item in items]


def _gathered(members: dict[str, Quick]) -> Quick:
    return lambda variables: {name: member(variables) for name, member in members.items()}


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal. Numbers are never true or false; lists and objects are for CEL."""
    kind, other = type(left), type(right)
    if kind in _SCALARS and other in _SCALARS:
        return bool(left == right)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(left == right)
    if (kind in _SCALARS and other in _NUMBERS) or (kind in _NUMBERS and other in _SCALARS):
        return False
    raise NotPlain


def _equal(left: Quick, right: Quick, wanted: bool) -> Quick:
    return lambda variables: _same(left(variables), right(variables)) is wanted


def _ordered(left: Quick, right: Quick, order: Callable[[Any, Any], bool]) -> Quick:
    def found(variables: Mapping[str, Any]) -> bool:
        one, other = left(variables), right(variables)
        if (type(one) is str and type(other) is str) or (type(one) in _NUMBERS and type(other) in _NUMBERS):
            return order(one, other)
        raise NotPlain

    return found


def _among(left: Quick, right: Quick) -> Quick:
    def found(variables: Mapping[str, Any]) -> bool:
        one, many = left(variables), right(variables)
        if type(many) is dict and type(one) is str:
            return one in many
        if type(many) is not list or not affordable(_COMPARED * len(many)):
            raise NotPlain
        return any(_same(one, each) for each in many)

    return found


def _denied(of: Quick) -> Quick:
    def found(variables: Mapping[str, Any]) -> bool:
        value = of(variables)
        if type(value) is not bool:
            raise NotPlain
        return not value

    return found


def _asked(of: Quick, about: Quick, method: Callable[[str, str], bool]) -> Quick:
    def found(variables: Mapping[str, Any]) -> bool:
        value, argument = of(variables), about(variables)
        if type(value) is not str or type(argument) is not str:
            raise NotPlain
        return method(value, argument)

    return found


def _decided(left: Quick, right: Quick, *, decides: bool) -> Quick:
    """`&&` and `||`: either side alone may decide, whatever becomes of the other."""

    def found(variables: Mapping[str, Any]) -> Any:
        try:
            value = left(variables)
        except Absent:
            if right(variables) is decides:
                return decides
            raise
        if value is decides:
            return decides
        other = right(variables)
        if isinstance(value, bool) and isinstance(other, bool):
            return other
        raise NotPlain

    return found


def _chosen(condition: Quick, yes: Quick, no: Quick) -> Quick:
    def found(variables: Mapping[str, Any]) -> Any:
        value = condition(variables)
        if type(value) is not bool:
            raise NotPlain
        return yes(variables) if value else no(variables)

    return found
