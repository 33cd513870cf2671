"""What a resolver may use: who asks, and the ways that answer."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    from resolvers.query import Planner


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


Info = strawberry.Info[Request, None]


class Prepared(SchemaExtension):
    """Takes the document from the planner's cache, where it was parsed and validated."""

    def on_operation(self) -> Iterator[None]:
        """A document that was narrowed has unused variables, so it is not validated again."""
        self.execution_context.graphql_document = self.execution_context.context.document
        self.execution_context.validation_rules = ()
        yield
