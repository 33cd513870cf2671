"""Random selections of the schema's fields."""

from types import MappingProxyType

from graphql import GraphQLInterfaceType, build_schema, get_named_type, is_leaf_type

import schema

PLAIN = build_schema(schema.schema.as_str())


class RandomSelection:
    """Selections below a type, with aliases, repetitions, directives and fragments (they are in `fragments`)."""

    def __init__(self, dice, arguments=MappingProxyType({})):
        """`arguments` are the text between name and braces, for each name of a field that has some."""
        self._dice = dice
        self._arguments = arguments
        self.fragments = []

    def below(self, type_, depth, inside=0):
        """The text between the braces, objects down to `depth`; `inside` so many fragments."""
        parts = [self._part(type_, depth, inside) for _ in range(self._dice.choice((1, 2, 4)))]
        return " ".join(parts)

    def _part(self, type_, depth, inside):
        shape = self._dice.random() + (inside > 1)
        if shape < 0.12:
            return f"... {self._directive()} {{ {self.below(type_, depth, inside + 1)} }}"
        if shape < 0.24:
            return f"... on {self._condition(type_, depth, inside)}"
        if shape < 0.36:
            text = self._condition(type_, depth, inside)
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {text}")
            return f"...{name} {self._directive()}"
        return self._field(type_, depth)

    def _condition(self, type_, depth, inside):
        """A type that this one may be, with a selection of it."""
        types = [type_]
        if isinstance(type_, GraphQLInterfaceType):
            types += PLAIN.get_possible_types(type_)
        else:
            types += type_.interfaces
        chosen = self._dice.choice(types)
        return f"{chosen.name} {{ {self.below(chosen, depth, inside + 1)} }}"

    def _field(self, type_, depth):
        name = self._dice.choice(self._names(type_, depth))
        if name == "__typename":
            return f"{self._dice.choice(('', 't: '))}__typename {self._directive()}"
        below = get_named_type(type_.fields[name].type)
        text = f"{self._head(type_, name)} {self._directive()}"
        return text if is_leaf_type(below) else f"{text} {{ {self.below(below, depth - 1)} }}"

    def _names(self, type_, depth):
        """The fields to choose from."""
        names = [name for name, field in type_.fields.items() if depth or is_leaf_type(get_named_type(field.type))]
        return [*names, "__typename"]

    def _head(self, type_, name):
        """A field as far as its arguments."""
        alias = self._dice.choice(("", "", f"a_{name}: ", f"b_{name}: "))
        if name == "source":
            # Relation and Issue mean different things by it.
            alias = f"{type_.name}_source: "
        return f"{alias}{name}{self._arguments.get(name, '')}"

    def _directive(self):
        given = (
            "",
            "",
            "",
            "@include(if: $yes)",
            "@skip(if: $no)",
            "@skip(if: $yes)",
            "@include(if: $no)",
            "@skip(if: false)",
        )
        return self._dice.choice(given)
