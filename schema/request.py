"""What a resolver may use: who asks, and the ways that answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import strawberry
from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

from resolvers.access import AuditLog, Tokens
from resolvers.caller import Caller
from resolvers.charge import Charge
from resolvers.mutation import Writer
from resolvers.subscription.log import Log
from resolvers.webhooks.services import WebhookServices

if TYPE_CHECKING:
    from resolvers.query import Planner, Size


@dataclass(frozen=True, slots=True)
class Request:
    """One operation on its way through Strawberry."""

    caller: Caller
    planner: "Planner"
    writer: Writer
    log: Log
    tokens: Tokens
    audit: AuditLog
    webhooks: WebhookServices
    document: DocumentNode
    charge: Charge | None
    size: "Size"
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Size"]:
        """While rows are read that may be large: no two fields have theirs at a time, and none where the answer is too
        large already. Raises TooLarge and Overloaded."""
        async with self._one:
            self.size.look()
            yield self.size


Info = strawberry.Info[Request, None]


class Prepared(SchemaExtension):
    """Takes the document from the planner's cache, where it was parsed and validated."""

    def on_operation(self) -> Iterator[None]:
        """A document that was narrowed has unused variables, so it is not validated again."""
        self.execution_context.graphql_document = self.execution_context.context.document
        self.execution_context.validation_rules = ()
        yield
