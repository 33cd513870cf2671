"""What a resolver may use: who asks, and the ways that answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import strawberry

from resolvers.caller import Caller
from resolvers.mutation import Writer
from resolvers.subscription.log import Log

if TYPE_CHECKING:
    from resolvers.query import Planner


@dataclass(frozen=True, slots=True)
class Request:
    """One operation on its way through Strawberry."""

    caller: Caller
    planner: "Planner"
    writer: Writer
    log: Log


Info = strawberry.Info[Request, None]
