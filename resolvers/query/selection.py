"""The merged selection of an operation: fragments and directives resolved, repeated fields made one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values


@dataclass(frozen=True, slots=True)
class Selection:
    """What fields are collected from: an operation, its fragments and its variables."""

    schema: GraphQLSchema
    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variable_values: VariableValues

    def root_fields(self) -> "tuple[Field, ...]":
        """The fields of the root type, in document order."""
        root = self.schema.get_root_type(self.definition.operation)
        assert root
        collected = collect_fields(self.schema, self._details(), self.variable_values, root, self.definition)
        return self._as_fields(root, collected.grouped_field_set)

    def subfields(self, details: tuple[FieldDetails, ...], type_name: str) -> "tuple[Field, ...]":
        """What is selected below these nodes, for an object of this type."""
        object_type = self.schema.type_map[type_name]
        assert isinstance(object_type, GraphQLObjectType)
        collected = collect_subfields(
            self.schema, self._details(), self.variable_values, self.definition, object_type, list(details)
        )
        return self._as_fields(object_type, collected.grouped_field_set)

    def _details(self) -> dict[str, FragmentDetails]:
        return {name: FragmentDetails(node) for name, node in self.fragments.items()}

    def _as_fields(self, parent: GraphQLObjectType, grouped: Any) -> "tuple[Field, ...]":
        return tuple(
            Field(
                selection=self,
                key=key,
                name=details[0].node.name.value,
                parent=parent.name,
                definition=parent.fields.get(details[0].node.name.value),
                details=tuple(details),
            )
            for key, details in grouped.items()
        )


@dataclass(frozen=True)
class Field:
    """One field of an answer: where it goes (`key`), what it is, and the nodes that ask for it."""

    selection: Selection
    key: str
    name: str
    parent: str
    definition: GraphQLField | None  # None for __typename and introspection
    details: tuple[FieldDetails, ...]

    def arguments(self, variable_values: VariableValues | None = None) -> dict[str, Any]:
        """Coerced by graphql-core, defaults in; with the variables of another run if given. Raises GraphQLError."""
        return self._given if variable_values is None else self._coerced(variable_values)

    @cached_property
    def _given(self) -> dict[str, Any]:
        # Whatever is planned of a field looks at them.
        return self._coerced(self.selection.variable_values)

    def _coerced(self, variable_values: VariableValues) -> dict[str, Any]:
        if self.definition is None or not self.definition.args:
            return {}
        return get_argument_values(self.definition, self.details[0].node, variable_values, hide_suggestions=True)

    def fields(self, type_name: str | None = None) -> "tuple[Field, ...]":
        """What is selected below; for an interface, of the object type that is named."""
        return self.selection.subfields(self.details, type_name or self.type_name)

    @property
    def type_name(self) -> str:
        """The name of the type that the field gives, without lists and non-null."""
        assert self.definition
        return get_named_type(self.definition.type).name

    def copies(self) -> int:
        """How often the same value of a row may stand in this field, aliases and fragments counted."""
        found: Counter[tuple[str, str]] = Counter()
        self._look(found)
        return max(found.values(), default=1)

    def _look(self, found: Counter[tuple[str, str]]) -> None:
        if self.definition is None:
            return
        found[self.parent, self.name] += 1
        type_ = get_named_type(self.definition.type)
        if is_composite_type(type_):
            schema = self.selection.schema
            for each in schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]:
                for field in self.fields(each.name):
                    field._look(found)

    def __getitem__(self, name: str) -> "list[Field]":
        """The fields below that bear this name (aliases may repeat it)."""
        return [field for field in self.fields() if field.name == name]
