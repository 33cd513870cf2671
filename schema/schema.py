"""The one schema of the process; its SDL is published as `schema.graphql`."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from schema.cost import set_costs
from schema.entities import ExecutionContext
from schema.mutation import Mutation
from schema.query import Query
from schema.request import Prepared
from schema.scalars import SCALARS
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    """Strawberry's schema, but for its log: `schema.problems` tells our own mistakes, and no caller's."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing; each error is looked at where the answer is made."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Prepared],
    execution_context_class=ExecutionContext,
    config=StrawberryConfig(scalar_map=SCALARS),
)
set_costs(schema._schema)
