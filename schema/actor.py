"""Who did something."""

import strawberry

from resolvers.caller import Actor as ActorOf
from schema.enums import ActorKind


@strawberry.type(description="Who or what did something. `id` is stable; `name` is for people and may change.")
class Actor:
    kind: ActorKind = strawberry.field(description="What kind of thing it is.")
    id: strawberry.ID = strawberry.field(description="Stable, and unique within the kind.")
    name: str = strawberry.field(description="For people to read; may change.")


def actor_of(actor: ActorOf) -> Actor:
    """An actor as the schema has it."""
    return Actor(kind=ActorKind(actor.kind), id=strawberry.ID(actor.id), name=actor.name)
