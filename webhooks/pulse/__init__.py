"""What Codacy Pulse's event-cli sends: deployments, changes, incidents."""

from webhooks.pulse.plans import plans
from webhooks.pulse.routes import PREFIX, WEBHOOK, Pulse

__all__ = ["PREFIX", "WEBHOOK", "Pulse", "plans"]
