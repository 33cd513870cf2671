"""What Callgoose SQIBS takes: any JSON, and filters that say what of it is an incident."""

from webhooks.sqibs.filters import definition_of_filters
from webhooks.sqibs.plans import plans
from webhooks.sqibs.routes import PATH, WEBHOOK, Sqibs

__all__ = ["PATH", "WEBHOOK", "Sqibs", "definition_of_filters", "plans"]
