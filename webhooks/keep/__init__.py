"""What the clients of Keep's ingestion send."""

from webhooks.keep.routes import PREFIXES, WEBHOOK, Keep

__all__ = ["PREFIXES", "WEBHOOK", "Keep"]
