"""The doors of other products' clients, at their own paths."""

from collections import Counter
from collections.abc import Callable

from starlette.routing import Route

from resolvers.access.connections import Connections
from web.asgi import App
from web.house import House
from webhooks import devlake, keep, pulse, sqibs
from webhooks.client import Counted


def other_products(
    house: House, charged: Callable[[App], App], webhooks: App, outcomes: Counter[tuple[str, str]]
) -> list[Route]:
    """Their part of the table of routes; `webhooks` is what answers for definitions by their names.

    `outcomes` counts by path and what came of a delivery.
    """
    url = house.settings.own_url

    def kept(path: str) -> Counted:
        return Counted(house.webhooks.deliveries, path, outcomes)

    connections = Connections(house.database, house.tokens, webhook=devlake.WEBHOOK)
    of_devlake = charged(devlake.DevLake(connections, kept(devlake.PREFIXES[0]), public_url=url))
    of_pulse = charged(pulse.Pulse(house.catalog, kept(f"{pulse.PREFIX}/cli"), webhooks, public_url=url))
    logs_url = house.settings.logs_url
    of_sqibs = charged(sqibs.Sqibs(house.catalog, kept(sqibs.PATH), webhooks, public_url=url, logs_url=logs_url))
    of_keep = charged(keep.Keep(house.catalog, webhooks))
    return [
        *(Route(f"{prefix}/{{path:path}}", of_devlake) for prefix in devlake.PREFIXES),
        *_both(f"{pulse.PREFIX}/{{provider}}", of_pulse),
        *_both(sqibs.PATH, of_sqibs),
        *(route for prefix in keep.PREFIXES for route in _both(prefix, of_keep)),
        *(route for prefix in keep.PREFIXES for route in _both(f"{prefix}/{{provider_type}}", of_keep)),
    ]


def _both(path: str, app: App) -> list[Route]:
    return [Route(path, app), Route(f"{path}/", app)]
