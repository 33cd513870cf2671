"""What a caller may spend, as it may see it itself."""

from datetime import timedelta

import strawberry

from models.values import now, time_of, to_datetime
from resolvers.charge import Charge
from schema.scalars import DateTime


@strawberry.type(
    description=(
        "What the caller may spend: at most `limit` at once, and what was spent comes back at `restoreRate` a second. "
        "Every answer has the same numbers in `extensions.cost`."
    )
)
class RateLimit:
    cost: int = strawberry.field(description="What this operation costs.")
    limit: int = strawberry.field(description="The most that can be spent at once.")
    remaining: int = strawberry.field(description="What is left of it after this operation.")
    used: int = strawberry.field(description="What is not left of it.")
    restore_rate: int = strawberry.field(description="How much comes back in a second.")
    reset_at: DateTime = strawberry.field(description="When all of it is there again, if nothing more is spent.")


def rate_limit_of(charge: Charge | None) -> RateLimit | None:
    """What a caller is told; None where nothing is charged."""
    if charge is None:
        return None
    return RateLimit(
        cost=charge.cost,
        limit=charge.limit,
        remaining=charge.remaining,
        used=charge.limit - charge.remaining,
        restore_rate=charge.restore_rate,
        reset_at=DateTime(time_of(to_datetime(now()) + timedelta(seconds=charge.seconds_to_full))),
    )
