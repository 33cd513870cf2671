"""The commonest expressions read by ourselves: texts at paths, put together and handed to our functions.

Handing a delivery to CEL takes longer than all the rest of it. Whatever is not plain is for CEL: another kind of
expression, a path without a value, a value that is not a text.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from webhooks.functions import FUNCTIONS

_TOKEN = re.compile(r"""\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"\\]*"|'[^'\\]*')|(?P<sign>[.,()+]))""", re.ASCII)

Quick = Callable[[Mapping[str, Any]], Any]


class NotPlain(Exception):
    """For CEL."""


def quick(source: str, variables: Collection[str]) -> Quick | None:
    """What gives the value of an expression from these variables, or raises NotPlain; None for one that never can."""
    try:
        reader = _Reader(source, variables)
        found = reader.sum()
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

    def end(self) -> None:
        self._take("end")

    def sum(self) -> Quick:
        found = self._term()
        while self._next == ("sign", "+"):
            self._at += 1
            found = _joined(found, self._term())
        return found

    def _term(self) -> Quick:
        kind, text = self._next
        self._at += 1
        if kind == "text":
            # Three quotes are an empty text and another, and two texts side by side are nothing that can be read.
            value = text[1:-1]
            return lambda variables: value
        if kind != "name":
            raise NotPlain
        if self._next == ("sign", "("):
            return self._call(text)
        return self._path(text)

    def _call(self, name: str) -> Quick:
        function = FUNCTIONS.get(name)
        if function is None:
            raise NotPlain
        self._take("sign", "(")
        arguments = [self.sum()]
        while self._next == ("sign", ","):
            self._at += 1
            arguments.append(self.sum())
        self._take("sign", ")")
        return lambda variables: function(*[argument(variables) for argument in arguments])

    def _path(self, variable: str) -> Quick:
        if variable not in self._variables:
            raise NotPlain
        names = []
        while self._next == ("sign", "."):
            self._at += 1
            names.append(self._take("name"))
        if self._next == ("sign", "("):
            raise NotPlain

        path = (variable, *names)

        def found(variables: Mapping[str, Any]) -> Any:
            value: Any = variables
            for name in path:
                if type(value) is not dict or name not in value:
                    raise NotPlain
                value = value[name]
            if type(value) is str or value is None or type(value) is bool:
                return value
            raise NotPlain

        return found

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _take(self, kind: str, text: str | None = None) -> str:
        token = self._next
        if token[0] != kind or text not in (None, token[1]):
            raise NotPlain
        self._at += 1
        return token[1]


def _joined(left: Quick, right: Quick) -> Quick:
    def found(variables: Mapping[str, Any]) -> str:
        texts = left(variables), right(variables)
        if type(texts[0]) is not str or type(texts[1]) is not str:
            raise NotPlain
        return texts[0] + texts[1]

    return found
