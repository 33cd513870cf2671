"""What kept deliveries of other products' clients become when they are done again."""

from collections.abc import Awaitable, Callable, Mapping

from resolvers.caller import Caller
from resolvers.errors import Invalid
from resolvers.webhooks.engine import NoSuchWebhook, UnreadableBody
from resolvers.webhooks.plan import Plan, Received
from webhooks import devlake, pulse, sqibs
from webhooks.catalog import Catalog
from webhooks.definition import SingleDefinition
from webhooks.devlake.answers import Refusal
from webhooks.pulse.plans import BadEvent

Settings = Mapping[str, str]
Again = Callable[[Received, bytes, Caller, Catalog, Settings], Awaitable[list[Plan]]]


async def _devlake(received: Received, body: bytes, caller: Caller, catalog: Catalog, settings: Settings) -> list[Plan]:
    return devlake.plans(received.event or "", received.query, body, received.at)


async def _pulse(received: Received, body: bytes, caller: Caller, catalog: Catalog, settings: Settings) -> list[Plan]:
    return pulse.plans(received.query, body)


async def _sqibs(received: Received, body: bytes, caller: Caller, catalog: Catalog, settings: Settings) -> list[Plan]:
    call = sqibs.Call(received=received, body=body, caller=caller, settings=settings, default_at=received.at)
    return await sqibs.plans(catalog, call)


# Those whose deliveries no definition of that name reads.
CLIENTS: dict[str, Again] = {devlake.WEBHOOK: _devlake, pulse.WEBHOOK: _pulse, sqibs.WEBHOOK: _sqibs}


async def plans_of_client(received: Received, caller: Caller, catalog: Catalog, settings: Settings) -> list[Plan]:
    """What a delivery to one of CLIENTS becomes. Raises UnreadableBody."""
    if received.body is None:
        raise UnreadableBody("the body was not kept")
    try:
        return await CLIENTS[received.webhook](received, received.body, caller, catalog, settings)
    except (Refusal, BadEvent, Invalid) as error:
        raise UnreadableBody(error.message) from error


def definition_of_client(received: Received, catalog: Catalog) -> SingleDefinition | None:
    """The one that says what of a delivery to one of CLIENTS is not shown, if any does.

    Raises DefinitionError, and NoSuchWebhook where there was one then.
    """
    if received.webhook != sqibs.WEBHOOK:
        return None
    definition = sqibs.named(catalog, received.query)
    if definition is None and received.version is not None:
        raise NoSuchWebhook
    return definition
