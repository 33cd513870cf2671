"""The one schema of the process; its SDL is published as `schema.graphql`."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.entities import ExecutionContext
from schema.mutation import Mutation
from schema.query import Query
from schema.request import Prepared
from schema.scalars import SCALARS
from schema.subscription import Subscription

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Prepared],
    execution_context_class=ExecutionContext,
    config=StrawberryConfig(scalar_map=SCALARS),
)
