"""The caller, as it may see itself."""

from collections.abc import Iterable

import strawberry

from resolvers.caller import Caller
from resolvers.caller import Grant as GrantOf
from schema.actor import Actor, actor_of
from schema.enums import Permission


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
    return Viewer(actor=actor_of(caller.actor), grants=grants_of(caller.grants))


def grants_of(grants: Iterable[GrantOf]) -> list[Grant]:
    """Grants as the schema has them."""
    return [Grant(permission=Permission(grant.permission), namespace=grant.namespace) for grant in grants]
