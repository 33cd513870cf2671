"""What the clients of Keep's ingestion send."""

from webhooks.keep.routes import PREFIXES, PROVIDERS, WEBHOOK, Keep

__all__ = ["PREFIXES", "PROVIDERS", "WEBHOOK", "Keep"]
