"""Random queries: several roots, arguments as literals and as variables at any level."""

import json
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    get_nullable_type,
)

from tests.resolvers.query.random_arguments import RandomArguments
from tests.resolvers.query.random_selection import PLAIN, RandomSelection

DEPTH = 6
# Variables with one value: a series without an end goes on to now, and a cursor is of one order and direction.
KEPT = ("to", "orderBy", "direction")
ROOTS = (
    *("issues",) * 5,
    *("scopes", "issueEvents", "issueStats", "issueGraph", "issue", "nodes") * 2,
    *("node", "scope", "position", "viewer"),
)
# Root arguments that have no answer.
BAD = {
    "issues": ({"first": 0}, {"first": 1, "last": 1}, {"last": 101}),
    "scopes": ({"last": 0},),
    "issueEvents": ({"first": 101},),
    "issueGraph": ({"ids": [], "depth": 11}, {"ids": [], "maxNodes": 0}),
    "scope": ({},),
}


class RandomDocument(RandomSelection):
    """`text`, and `values`: three sets of variables for it; the last two leave out the same."""

    def __init__(self, dice, world):
        super().__init__(dice)
        self._made = RandomArguments(dice, world)
        self._heads = {}  # what stands before the braces, by type and field: some of it comes again
        self._meaning = {}  # response keys: the same key is always the same field with the same arguments
        self._variables: dict[str, tuple[str, Any]] = {"yes": ("Boolean!", True), "no": ("Boolean!", False)}
        self._defaults = {}
        self._omissible, self._nullable = set(), set()
        roots = " ".join(self._root() for _ in range(dice.choice((1, 2, 3))))
        used = "__typename @include(if: $yes) t: __typename @skip(if: $no)"
        declared = ", ".join(
            f"${name}: {type_}" + self._defaults.get(name, "") for name, (type_, _) in self._variables.items()
        )
        self.text = f"query ({declared}) {{ {used} {roots} }}" + "".join(f"\n{each}" for each in self.fragments)
        first = {name: value for name, (_, value) in self._variables.items()}
        second = {name: value for name, value in self._others() if value is not ...}
        self.values = (first, second, {name: self._another(name, value) for name, value in second.items()})

    def _root(self):
        self._left = self._dice.choice((10, 5, 20, 40))  # so many selections; leaves alone go on beyond
        return self._field(PLAIN.query_type, DEPTH)

    def __repr__(self):
        return f"\n{self.text}\nvariables: {json.dumps(self.values, ensure_ascii=False)}\n"

    def _names(self, type_, depth):
        if type_ is PLAIN.query_type:
            return ROOTS
        leaves = super()._names(type_, 0)
        objects = [name for name in super()._names(type_, depth) if name not in leaves]
        objects += [name for name in objects if type_.fields[name].args]
        return objects if objects and self._dice.random() < 0.6 else leaves

    def below(self, type_, depth, inside=0):
        text = super().below(type_, depth, inside)
        # Else much would be asked for of which nothing shows.
        shown = [name for name in ("id", "totalCount", "total") if name in type_.fields]
        return text if inside or not shown else f"{shown[0]} {text}"

    def _part(self, type_, depth, inside):
        self._left -= 1
        return super()._part(type_, depth, inside) if self._left > 0 else self._field(type_, 0)

    def _directive(self):
        return super()._directive() if self._dice.random() < 0.3 else ""

    def _head(self, type_, name):
        known = self._heads.setdefault((type_.name, name), [])
        if known and self._dice.random() < 0.3:
            return self._dice.choice(known)
        given = self._made.of(type_.name, name)
        if type_ is PLAIN.query_type and name in BAD and self._dice.random() < 0.02:
            given = self._dice.choice(BAD[name])
        arguments = ", ".join(
            f"{argument}: {self._written(value, type_.fields[name].args[argument], argument)}"
            for argument, value in given.items()
        )
        text = name + f"({arguments})" * bool(arguments)
        # Relation and Issue mean different things by source.
        base = f"{type_.name}_source" if name == "source" else name
        keys = [base, base, f"a_{base}", f"b_{base}", f"{base}_{len(self._meaning)}"]
        key = self._dice.choice([key for key in keys if self._meaning.get(key, text) == text])
        self._meaning[key] = text
        head = text if key == name else f"{key}: {text}"
        known.append(head)
        return head

    def _written(self, value, place, name, bare=False):
        """A value as the document has it where an argument, a member or an item stands; a part may be a variable."""
        type_ = get_nullable_type(place if bare else place.type)
        if isinstance(type_, GraphQLList) and not isinstance(value, list | None):
            return literal(value, type_.of_type)  # one instead of a list of one: no place for a variable
        if self._dice.random() < 0.2:
            return self._variable(value, place, name, bare)
        if value is None:
            return "null"
        if isinstance(type_, GraphQLList):
            return f"[{', '.join(self._written(item, type_.of_type, name, bare=True) for item in value)}]"
        if isinstance(type_, GraphQLInputObjectType):
            members = (f"{key}: {self._written(each, type_.fields[key], key)}" for key, each in value.items())
            return f"{{{', '.join(members)}}}"
        return value if isinstance(type_, GraphQLEnumType) else json.dumps(value, ensure_ascii=False)

    def _variable(self, value, place, name, bare):
        type_ = place if bare else place.type
        variable = f"v{len(self._variables)}"
        strict = isinstance(type_, GraphQLNonNull)
        # Where the schema has a default, the variable of what must not be null may be left out.
        has_default = strict and not bare and (place.default or place.default_value is not Undefined)
        if value is not None and name in KEPT:
            type_ = GraphQLNonNull(get_nullable_type(type_))
        elif has_default or (value is not None and not strict):
            named = get_nullable_type(type_)
            type_ = GraphQLNonNull(named) if self._dice.random() < 0.4 else named
        self._variables[variable] = (str(type_), value)
        if value is not None and name not in KEPT and self._dice.random() < 0.2:
            self._defaults[variable] = f" = {literal(value, type_)}"
        if self._defaults.get(variable) or not isinstance(type_, GraphQLNonNull):
            self._omissible.add(variable)
        if not strict and not isinstance(type_, GraphQLNonNull):
            self._nullable.add(variable)
        return f"${variable}"

    def _others(self):
        """Other values for the variables; `...` where one is left out."""
        for name, (_, value) in self._variables.items():
            fate = self._dice.random()
            if fate < 0.2 and name in self._omissible:
                yield name, ...
            elif fate < 0.25 and name in self._nullable:
                yield name, None
            else:
                yield name, self._another(name, value) if fate < 0.7 else value

    def _another(self, name, value):
        type_, _ = self._variables[name]
        other = None if value is None else self._made.word(type_.strip("[]!"))
        return value if other is None else [other] if "[" in type_ else other


def literal(value, type_):
    """A value without variables."""
    type_ = get_nullable_type(type_)
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        items = value if isinstance(value, list) else [value]
        return f"[{', '.join(literal(item, type_.of_type) for item in items)}]"
    if isinstance(type_, GraphQLInputObjectType):
        return f"{{{', '.join(f'{key}: {literal(each, type_.fields[key].type)}' for key, each in value.items())}}}"
    return value if isinstance(type_, GraphQLEnumType) else json.dumps(value, ensure_ascii=False)
