"""Webhooks that users make, and the deliveries of all: what is kept of them, and what comes of each item."""
