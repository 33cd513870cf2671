"""GraphQL documents, parsed and validated once: text in, an operation with its variables coerced out."""

import asyncio
import gc
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
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
from resolvers.query.refused import Refused, too_deep
from resolvers.query.rules import DocumentLimits, beyond
from resolvers.query.selection import Field, Selection
from resolvers.query.size import Size
from resolvers.query.tokens import tokens_in
from resolvers.query.validation import errors_in
from resolvers.query.variables import Variables
from resolvers.turns import uncollected


class Prepared:
    """What is known of an operation before its variables are; found out when it is asked for first."""

    def __init__(
        self,
        schema: GraphQLSchema,
        definition: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.definition = definition
        self.kind = definition.operation.value
        self._schema = schema
        self._fragments = fragments

    @cached_property
    def variables(self) -> Variables:
        """What coerces them."""
        return Variables(self._schema, self.definition)

    @cached_property
    def cost(self) -> Amount:
        """See resolvers.query.cost."""
        return cost_of(self._schema, self.definition, self._fragments)

    @cached_property
    def conditions(self) -> Amount:
        """See resolvers.query.conditions."""
        return conditions_of(self.definition, self._fragments)


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
    tokens: int


@dataclass(eq=False)
class Operation:
    """One operation of a document, ready to run. `given_variables` are as the client sent them.

    `cost` is the most that it may cost, `charge` what its caller was charged.
    """

    source: Document
    definition: OperationDefinitionNode
    # query, mutation or subscription.
    kind: str
    variable_values: VariableValues
    given_variables: Mapping[str, Any]
    cost: int
    charge: Charge | None = None
    # Of its answer, until that is sent.
    size: Size | None = None

    @property
    def document(self) -> DocumentNode:
        """The whole document."""
        return self.source.node

    @property
    def name(self) -> str | None:
        """The operation's name in the document."""
        return self.definition.name.value if self.definition.name else None

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
MAX_REFUSED_KEPT = 2_000
# Of what is said of them: some 10 MB.
MAX_REFUSED_CHARACTERS = 5_000_000
# Reading a longer one takes more than some 10 milliseconds: everybody else goes on meanwhile.
SHORT_CHARACTERS = 500


class Documents:
    """Documents by their text, and what is wrong with the texts that are none."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self.kept: Kept[Document] = Kept(MAX_DOCUMENTS_KEPT, MAX_CHARACTERS_KEPT)
        # By the digest of the text.
        self._refused: Kept[Refused] = Kept(MAX_REFUSED_KEPT, MAX_REFUSED_CHARACTERS)
        # One at a time: each takes from the others as much as all of them get.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")
        self._reading: dict[str, asyncio.Future[Document | Refused]] = {}
        self._trusted: frozenset[str] = frozenset()

    def trust(self, texts: Iterable[str]) -> None:
        """Once read, these stay, however many others come."""
        self._trusted = frozenset(texts)

    def close(self) -> None:
        """Reads no more long ones; who waits for one is cancelled."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def tokens_in(self, text: str) -> int:
        """About how many tokens of a text will be read."""
        return tokens_in(text, self._limits.tokens)

    def __contains__(self, text: str) -> bool:
        """Whether it was read lately, or is being read."""
        return text in self.kept or text in self._reading or _digest(text) in self._refused

    def known(self, text: str) -> Document | Refused | None:
        """What a text is that was read lately."""
        return self.kept.get(text) or self._refused.get(_digest(text))

    async def read(self, text: str) -> Document | Refused:
        """What the text is; a long one is read beside everything else."""
        found = self.known(text)
        if found is not None:
            return found
        if len(text) <= SHORT_CHARACTERS:
            return self._keep(text, self._read(text))
        reading = self._reading.get(text)
        if reading is None:
            reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read_whole, text)
            self._reading[text] = reading
            reading.add_done_callback(lambda done: self._finish(text, done))
        # Others may wait for it too.
        return await asyncio.shield(reading)

    def when_read(self, text: str, call: Callable[[], None]) -> None:
        """Calls it when nobody reads the text any more, which may be now."""
        reading = self._reading.get(text)
        if reading is None:
            call()
        else:
            reading.add_done_callback(lambda _: call())

    def operation_of(
        self, document: Document | Refused, name: str | None = None, variables: Mapping[str, Any] | None = None
    ) -> Operation:
        """The named operation, or the only one, with its variables. Raises RequestError for all that is wrong."""
        if isinstance(document, Refused):
            raise RequestError(document.errors)
        chosen = _chosen(document, name)
        given = variables or {}
        if not isinstance(chosen.conditions, int):
            # Before they are looked at one by one; defaults come later. Coercing tells of what is nested too deeply.
            with suppress(RecursionError):
                self._conditions_of(chosen, given)
        coerced = chosen.variables.coerce(given)
        conditions = self._conditions_of(chosen, coerced.coerced)
        cost = _number(chosen.cost, coerced.coerced) + conditions * CONDITION_COST
        if cost > self._limits.cost:
            raise RequestError([_too_expensive(cost, self._limits.cost)])
        return Operation(document, chosen.definition, chosen.kind, coerced, given, cost)

    def operation(self, text: str, name: str | None = None, variables: Mapping[str, Any] | None = None) -> Operation:
        """The same of a text that is read now, however long that takes."""
        document = self.known(text) or self._keep(text, self._read(text))
        return self.operation_of(document, name, variables)

    def _conditions_of(self, chosen: Prepared, variables: Mapping[str, Any]) -> int:
        conditions = _number(chosen.conditions, variables)
        if conditions > self._limits.conditions:
            raise RequestError([_too_many_conditions(conditions, self._limits.conditions)])
        return conditions

    def _keep(self, text: str, found: Document | Refused) -> Document | Refused:
        if isinstance(found, Document) and text in self._trusted:
            self.kept.stay(text, found)
        elif isinstance(found, Document):
            self.kept.put(text, found, len(text))
        else:
            self._refused.put(_digest(text), found, found.characters)
        return found

    def _finish(self, text: str, done: asyncio.Future[Document | Refused]) -> None:
        del self._reading[text]
        if not done.cancelled() and done.exception() is None:
            self._keep(text, done.result())

    def _read_whole(self, text: str) -> Document | Refused:
        with uncollected():
            found = self._read(text)
            # Now, while it is little: later all that was read since then is looked at in one piece.
            gc.collect(1)
            return found

    def _read(self, text: str) -> Document | Refused:
        try:
            node = parse(text, max_tokens=self._limits.tokens)
        except (GraphQLError, RecursionError) as error:
            wrong = error if isinstance(error, GraphQLError) else too_deep()
            return Refused.because_of([wrong], min(len(text), self._limits.tokens))
        tokens: int = node.token_count
        try:
            # The limits first: looking through what is beyond them is what they save.
            errors = beyond(self._limits, node) or errors_in(self._schema, node)
        except RecursionError:
            errors = [too_deep()]
        _unlink(node)
        if errors:
            return Refused.because_of(errors, tokens)
        fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        document = Document(
            schema=self._schema,
            node=node,
            operations=tuple(Prepared(self._schema, one, fragments) for one in operations),
            fragments=fragments,
            # As a member of a variable it is not in the text.
            may_search="search" in text or "IssueEventWhere" in text,
            may_introspect=_INTROSPECTION.search(text) is not None,
            tokens=tokens,
        )
        if len(operations) == 1:
            # It will be asked for.
            _ = document.operations[0].variables, document.operations[0].cost, document.operations[0].conditions
        return document


def _unlink(node: DocumentNode) -> None:
    """Takes the tokens from each other: in circles they would wait for the collector of garbage."""
    token = node.loc.start_token if node.loc else None
    while token:
        after = token.next
        token.prev = token.next = None
        token = after


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _number(amount: Amount, variables: Mapping[str, Any]) -> int:
    return amount if isinstance(amount, int) else amount(variables)


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
