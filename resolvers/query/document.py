"""GraphQL documents, parsed and validated once: text in, an operation with its variables coerced out."""

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

from resolvers.errors import RequestError
from resolvers.query.kept import Kept
from resolvers.query.rules import DocumentLimits, beyond
from resolvers.query.selection import Field, Selection
from resolvers.query.validation import errors_in
from resolvers.query.variables import Variables


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that is valid for its schema: its operations, each with what coerces its variables."""

    schema: GraphQLSchema
    node: DocumentNode
    operations: tuple[tuple[OperationDefinitionNode, Variables], ...]
    fragments: Mapping[str, FragmentDefinitionNode]
    # Whether an argument or a member of that name may be in it.
    may_search: bool


@dataclass(eq=False)
class Operation:
    """One operation of a document, ready to run. `given_variables` are as the client sent them."""

    source: Document
    definition: OperationDefinitionNode
    variable_values: VariableValues
    given_variables: Mapping[str, Any]

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

    @cached_property
    def root_fields(self) -> dict[str, Field]:
        """What is selected at the root, by response key, in document order."""
        selection = Selection(self.source.schema, self.definition, self.source.fragments, self.variable_values)
        return {field.key: field for field in selection.root_fields()}


# A document takes some 75 times the memory of its text.
MAX_DOCUMENTS_KEPT = 1_000
MAX_CHARACTERS_KEPT = 2_000_000


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
        definition, coercion = _chosen(document, name)
        given = variables or {}
        return Operation(document, definition, coercion.coerce(given), given)

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
        return Document(
            schema=self._schema,
            node=node,
            operations=tuple(
                (one, Variables(self._schema, one))
                for one in node.definitions
                if isinstance(one, OperationDefinitionNode)
            ),
            fragments={one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)},
            # As a member of a variable it is not in the text.
            may_search="search" in text or "IssueEventWhere" in text,
        )


# What graphql-core says when comparing fields of one name would cost too much.
_ABORTED = "Validation aborted."


def _too_alike() -> GraphQLError:
    message = "The document has too many fields of one name, or too many fragments within each other."
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def _too_deep() -> GraphQLError:
    return GraphQLError("The document is nested too deeply.", extensions={"code": "TOO_COMPLEX"})


def _chosen(document: Document, name: str | None) -> tuple[OperationDefinitionNode, Variables]:
    operations = document.operations
    if name is None:
        if len(operations) == 1:
            return operations[0]
        words = "contains no operation" if not operations else "has several operations: name one by operationName"
        raise RequestError([GraphQLError(f"The document {words}.")])
    for operation in operations:
        if operation[0].name and operation[0].name.value == name:
            return operation
    raise RequestError([GraphQLError(f"Unknown operation named '{name}'.")])
