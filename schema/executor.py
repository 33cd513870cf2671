"""Answers one operation: the read planner what has rows behind it, Strawberry the rest, joined in document order."""

from collections.abc import Sequence
from contextlib import nullcontext
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    is_non_null_type,
    located_error,
)
from strawberry import Schema

from resolvers.access import AuditLog, Tokens
from resolvers.caller import Caller
from resolvers.charge import Charge
from resolvers.errors import BadRequest, Forbidden, Overloaded, Problem, TimedOut, TooLarge, Unavailable
from resolvers.mutation import Writer
from resolvers.query import QUERY_ROOTS, Answer, FieldError, Operation, Planner, Size
from resolvers.subscription.log import Log
from resolvers.webhooks.history import KeptDelivery
from resolvers.webhooks.services import WebhookServices
from schema.delivery import DeliveryBatch, deliveries_of
from schema.entities import ExecutionContext
from schema.problems import cause_of, error_of
from schema.request import Request
from schema.scalars import LogPosition


class Executor:
    """Runs queries and mutations for every transport. Subscriptions are `resolvers.subscription`'s."""

    def __init__(
        self,
        schema: Schema,
        planner: Planner,
        writer: Writer,
        log: Log,
        tokens: Tokens,
        audit: AuditLog,
        webhooks: WebhookServices,
    ) -> None:
        self._schema = schema
        self._planner = planner
        self._writer = writer
        self._log = log
        self._tokens = tokens
        self._audit = audit
        self._webhooks = webhooks

    async def execute(self, operation: Operation, caller: Caller) -> dict[str, Any]:
        """The answer as GraphQL shapes it: `data`, `errors` when there are some, `extensions.cost` if it was charged.

        Raises BadRequest for a subscription: those are not answered once. Raises Forbidden when a caller who may read
        nowhere asks for the schema, TooLarge and Overloaded; a mutation was carried out all the same.
        """
        if operation.kind == "subscription":
            raise BadRequest("A subscription needs a connection that stays: WebSocket or Server-Sent Events")
        if operation.introspects and not caller.reads:
            raise Forbidden("The schema is for callers who may read something")
        if operation.kind == "query":
            try:
                answer = await self._planner.execute(operation, caller)
            except (TooLarge, Overloaded):
                raise
            except Exception as error:
                answer = _none_planned(operation, error)
        else:
            answer = Answer({}, (), list(operation.root_fields))
        if not answer.errors and not answer.others:
            return _with_cost({"data": answer.data}, operation.charge)
        data, errors = answer.data, [*map(_error_of, answer.errors)]
        if answer.others:
            result = await self._run(_only(operation, answer.others), operation, caller)
            data = None if data is None or result.data is None else data | result.data
            errors += [error_of(error) for error in result.errors or ()]
        joined: dict[str, Any] = {"errors": errors} if errors else {}
        joined["data"] = None if data is None else {key: data[key] for key in operation.root_fields if key in data}
        return _with_cost(joined, operation.charge)

    async def delivery_batch(
        self, operation: Operation, caller: Caller, deliveries: Sequence[KeptDelivery], position: int
    ) -> dict[str, Any]:
        """What a subscription to deliveries selects of some, and how far was read.

        One alone that is too large for an answer is passed over: an error has its id. Raises TooLarge for several that
        are, Overloaded, TimedOut and Unavailable.
        """
        try:
            return await self._delivery_batch(operation, caller, deliveries, position)
        except TooLarge as error:
            if len(deliveries) != 1:
                raise
            (delivery,) = deliveries
            told = error_of(error)
            told["extensions"] = {**told["extensions"], "deliveryId": delivery.id}
            return {"errors": [told]} | await self._delivery_batch(operation, caller, (), position)

    async def _delivery_batch(
        self, operation: Operation, caller: Caller, deliveries: Sequence[KeptDelivery], position: int
    ) -> dict[str, Any]:
        with self._planner.answers.begin(caller.line) as size:
            request = self._request(caller, operation.document, None, size)
            batch = DeliveryBatch(
                position=LogPosition(self._log.text(position)), deliveries=deliveries_of(request, deliveries)
            )
            result = execute(
                self._schema._schema,
                operation.document,
                root_value=batch,
                context_value=request,
                variable_values=dict(operation.given_variables),
                operation_name=operation.name,
                executor_class=ExecutionContext,
            )
            if isawaitable(result):
                result = await result
            size.look()
            _check_read(result.errors or ())
            size.check(result.data)
        answer: dict[str, Any] = {"errors": [error_of(error) for error in result.errors]} if result.errors else {}
        return answer | {"data": result.data}

    async def _run(self, document: DocumentNode, operation: Operation, caller: Caller) -> Any:
        with nullcontext(operation.size) if operation.size else self._planner.answers.begin(caller.line) as size:
            result = await self._schema.execute(
                None,
                variable_values=dict(operation.given_variables),
                context_value=self._request(caller, document, operation.charge, size),
                operation_name=operation.name,
            )
            # What one field found too large no other has room for either.
            size.look()
            size.check(result.data)
            return result

    def _request(self, caller: Caller, document: DocumentNode, charge: Charge | None, size: Size) -> Request:
        return Request(
            caller,
            self._planner,
            self._writer,
            self._log,
            self._tokens,
            self._audit,
            self._webhooks,
            document,
            charge,
            size,
        )


def _with_cost(answer: dict[str, Any], charge: Charge | None) -> dict[str, Any]:
    if charge is not None:
        answer["extensions"] = {
            "cost": {
                "requested": charge.cost,
                "limit": charge.limit,
                "remaining": charge.remaining,
                "restoreRate": charge.restore_rate,
            }
        }
    return answer


def _check_read(errors: Sequence[GraphQLError]) -> None:
    """Raises what a field could not be read for: nobody goes on behind deliveries that were not told."""
    for error in errors:
        cause = cause_of(error)
        if isinstance(cause, Overloaded | TimedOut | Unavailable):
            raise cause


def _none_planned(operation: Operation, error: Exception) -> Answer:
    """A mistake of our own leaves what is not planned alone."""
    told = Problem(error_of(error)["message"])
    fields = [field for field in operation.root_fields.values() if field.name in QUERY_ROOTS]
    needed = any(field.definition and is_non_null_type(field.definition.type) for field in fields)
    others = [key for key, field in operation.root_fields.items() if field not in fields]
    data = None if needed else dict.fromkeys(field.key for field in fields)
    return Answer(data, [FieldError(field, told) for field in fields], others)


def _error_of(failed: FieldError) -> dict[str, Any]:
    """The error of a root field, at its place."""
    field = failed.field
    return error_of(located_error(failed.error, [details.node for details in field.details], [field.key]))


def _only(operation: Operation, keys: Sequence[str]) -> DocumentNode:
    """The operation's document with only the root fields of these response keys."""
    if len(keys) == len(operation.root_fields):
        return operation.document
    fields = operation.root_fields
    chosen = operation.definition
    narrowed = OperationDefinitionNode(
        operation=chosen.operation,
        name=chosen.name,
        variable_definitions=chosen.variable_definitions,
        directives=chosen.directives,
        selection_set=SelectionSetNode(selections=tuple(part.node for key in keys for part in fields[key].details)),
    )
    return DocumentNode(
        definitions=tuple(narrowed if part is chosen else part for part in operation.document.definitions)
    )
