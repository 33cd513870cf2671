"""The caller, as it may see itself."""

import strawberry

from resolvers.caller import Caller
from schema.actor import Actor
from schema.enums import ActorKind, Permission


@strawberry.type(description="`namespace` is a name, a pattern such as team-*, or * for everywhere.")
class Grant:
    permission: Permission = strawberry.field(description="What it allows.")
    namespace: str = strawberry.field(description="Where: a name, a pattern such as team-*, or * for everywhere.")


@strawberry.type(description="The caller: what it may do, and where.")
class Viewer:
    actor: Actor = strawberry.field(description="Who it is, as the log will name it.")
    grants: list[Grant] = strawberry.field(description="What it may do, and where.")


def viewer_of(caller: Caller) -> Viewer:
    """What a caller is told about itself."""
    actor = caller.actor
    return Viewer(
        actor=Actor(kind=ActorKind(actor.kind), id=strawberry.ID(actor.id), name=actor.name),
        grants=[Grant(permission=Permission(grant.permission), namespace=grant.namespace) for grant in caller.grants],
    )
