"""Subscription, a table of contents. Streams are made in `resolvers/subscription`."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from strawberry import UNSET

from schema.delivery import DeliveryBatch, DeliveryWhere
from schema.event import IssueEventBatch
from schema.filters import IssueEventWhere
from schema.planned import unplanned
from schema.query import IssueFilter, Search
from schema.scalars import LogPosition
from schema.stats import IssueStats


@strawberry.type(description="What can be watched.")
class Subscription:
    @strawberry.subscription(
        description=(
            "The first batch is at once. With `after`, replays what came since, then follows; a position older than "
            "the log keeps is an error with code POSITION_EXPIRED."
        )
    )
    def issue_events(
        self,
        where: Annotated[IssueEventWhere | None, strawberry.argument(description="Only these lines.")] = UNSET,
        after: Annotated[
            LogPosition | None, strawberry.argument(description="Replay what came after this position, then follow.")
        ] = UNSET,
        max_batch: Annotated[
            int, strawberry.argument(description="At most so many events in one batch, 1 to 1000.")
        ] = 100,
        pause: Annotated[
            float,
            strawberry.argument(
                description="At least so many seconds between live batches, 0 to 5: fewer and fuller ones."
            ),
        ] = 0.0,
    ) -> AsyncGenerator[IssueEventBatch, None]:
        unplanned()

    @strawberry.subscription(
        description=(
            "Deliveries as they are kept or done again, where the caller has MANAGE in all the namespaces that they "
            "concern. The first batch is at once. With `after`, replays what came since, then follows."
        )
    )
    def delivery_events(
        self,
        where: Annotated[DeliveryWhere | None, strawberry.argument(description="Only these deliveries.")] = UNSET,
        after: Annotated[
            LogPosition | None, strawberry.argument(description="Replay what came after this position, then follow.")
        ] = UNSET,
    ) -> AsyncGenerator[DeliveryBatch, None]:
        unplanned()

    @strawberry.subscription(description="Live counters: at once, then after changes, at most once a second.")
    def issue_stats(self, where: IssueFilter = UNSET, search: Search = UNSET) -> AsyncGenerator[IssueStats, None]:
        unplanned()
