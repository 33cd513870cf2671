"""The way of Watch: from the log to everyone who subscribed."""

from resolvers.subscription.log import Log

__all__ = ["Log"]
