"""What the clients of Apache DevLake's incoming webhook send: its paths, its bodies, its answers."""

from webhooks.devlake.answers import turned_away
from webhooks.devlake.plans import plans
from webhooks.devlake.routes import PREFIXES, WEBHOOK, DevLake

__all__ = ["PREFIXES", "WEBHOOK", "DevLake", "plans", "turned_away"]
