"""What Callgoose SQIBS takes: any JSON, and filters that say what of it is an incident."""

from webhooks.sqibs.filters import definition_of_filters
from webhooks.sqibs.plans import PATH, Call, named, plans
from webhooks.sqibs.routes import WEBHOOK, Sqibs

__all__ = ["PATH", "WEBHOOK", "Call", "Sqibs", "definition_of_filters", "named", "plans"]
