"""Webhooks: their definitions, expressions, and deliveries as tools make them."""
