"""GraphQL documents, parsed and validated once: text in, an operation with its variables coerced out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
)
from graphql.execution.values import VariableValues

from resolvers.charge import Charge
from resolvers.errors import RequestError
from resolvers.query.conditions import CONDITION_COST, conditions_of
from resolvers.query.cost import Amount, cost_of
from resolvers.query.kept import Kept
from resolvers.query.rules import DocumentLimits, beyond
from resolvers.query.selection import Field, Selection
from resolvers.query.validation import errors_in
from resolvers.query.variables import Variables


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is known of an operation before its variables are."""

    definition: OperationDefinitionNode
    variables: Variables
    cost: Amount
    conditions: Amount


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that is valid for its schema: its operations, each with what coerces its variables."""

    schema: GraphQLSchema
    node: DocumentNode
    operations: tuple[Prepared, ...]
    fragments: Mapping[str, FragmentDefinitionNode]
    # Whether an argument or a member of that name may be in it.
    may_search: bool
    # Whether `__schema` or `__type` may be in it.
    may_introspect: bool


@dataclass(eq=False)
class Operation:
    """One operation of a document, ready to run. `given_variables` are as the client sent them.

    `cost` is the most that it may cost, `charge` what its caller was charged.
    """

    source: Document
    definition: OperationDefinitionNode
    variable_values: VariableValues
    given_variables: Mapping[str, Any]
    cost: int
    charge: Charge | None = None

    @property
    def document(self) -> DocumentNode:
        """The whole document."""
        return self.source.node

    @property
    def name(self) -> str | None:
        """The operation's name in the document."""
        return self.definition.name.value if self.definition.name else None

    @cached_property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.definition.operation.value

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables as graphql-core coerced them."""
        return self.variable_values.coerced

    @property
    def introspects(self) -> bool:
        """Whether it asks for the schema itself."""
        return self.source.may_introspect and any(
            field.name in ("__schema", "__type") for field in self.root_fields.values()
        )

    @cached_property
    def root_fields(self) -> dict[str, Field]:
        """What is selected at the root, by response key, in document order."""
        selection = Selection(self.source.schema, self.definition, self.source.fragments, self.variable_values)
        return {field.key: field for field in selection.root_fields()}


_INTROSPECTION = re.compile(r"__schema\b|__type\b")
BYTES_A_CHARACTER_READ = 75
MAX_DOCUMENTS_KEPT = 1_000
# Some 38 MB of documents.
MAX_CHARACTERS_KEPT = 500_000


class Documents:
    """Documents by their text."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._max_tokens = limits.tokens
        self.kept: Kept[Document] = Kept(MAX_DOCUMENTS_KEPT, MAX_CHARACTERS_KEPT)

    def document(self, text: str) -> Document:
        """The document of this text. Raises RequestError when it cannot be parsed or is not valid."""
        document = self.kept.get(text)
        if document is None:
            document = self._read(text)
            self.kept.put(text, document, len(text))
        return document

    def operation(self, text: str, name: str | None = None, variables: Mapping[str, Any] | None = None) -> Operation:
        """The named operation, or the only one, with its variables. Raises RequestError for all that is wrong."""
        document = self.document(text)
        chosen = _chosen(document, name)
        given = variables or {}
        coerced = chosen.variables.coerce(given)
        conditions = _number(chosen.conditions, coerced)
        if conditions > self._limits.conditions:
            raise RequestError([_too_many_conditions(conditions, self._limits.conditions)])
        cost = _number(chosen.cost, coerced) + conditions * CONDITION_COST
        if cost > self._limits.cost:
            raise RequestError([_too_expensive(cost, self._limits.cost)])
        return Operation(document, chosen.definition, coerced, given, cost)

    def _read(self, text: str) -> Document:
        try:
            node = parse(text, max_tokens=self._max_tokens)
        except (GraphQLError, RecursionError) as error:
            raise RequestError([error if isinstance(error, GraphQLError) else _too_deep()]) from None
        try:
            # The limits first: looking through what is beyond them is what they save.
            errors = beyond(self._limits, node) or errors_in(self._schema, node)
        except RecursionError:
            errors = [_too_deep()]
        if errors:
            raise RequestError([_too_alike() if error.message == _ABORTED else error for error in errors])
        fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        return Document(
            schema=self._schema,
            node=node,
            operations=tuple(
                Prepared(
                    one,
                    Variables(self._schema, one),
                    cost_of(self._schema, one, fragments),
                    conditions_of(one, fragments),
                )
                for one in node.definitions
                if isinstance(one, OperationDefinitionNode)
            ),
            fragments=fragments,
            # As a member of a variable it is not in the text.
            may_search="search" in text or "IssueEventWhere" in text,
            may_introspect=_INTROSPECTION.search(text) is not None,
        )


# What graphql-core says when comparing fields of one name would cost too much.
_ABORTED = "Validation aborted."


def _too_alike() -> GraphQLError:
    message = "The document has too many fields of one name, or too many fragments within each other."
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def _too_deep() -> GraphQLError:
    return GraphQLError("The document is nested too deeply.", extensions={"code": "TOO_COMPLEX"})


def _number(amount: Amount, variables: VariableValues) -> int:
    return amount if isinstance(amount, int) else amount(variables.coerced)


def _too_many_conditions(count: int, most: int) -> GraphQLError:
    message = f"An operation may have at most {most} conditions in all its where and search; this one has {count}."
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def _too_expensive(cost: int, most: int) -> GraphQLError:
    message = f"The operation may cost {cost}, and at most {most} is allowed: ask for fewer items, or in several steps."
    return GraphQLError(message, extensions={"code": "QUERY_TOO_EXPENSIVE", "cost": cost, "maximum": most})


def _chosen(document: Document, name: str | None) -> Prepared:
    operations = document.operations
    if name is None:
        if len(operations) == 1:
            return operations[0]
        words = "contains no operation" if not operations else "has several operations: name one by operationName"
        raise RequestError([GraphQLError(f"The document {words}.")])
    for operation in operations:
        if operation.definition.name and operation.definition.name.value == name:
            return operation
    raise RequestError([GraphQLError(f"Unknown operation named '{name}'.")])
